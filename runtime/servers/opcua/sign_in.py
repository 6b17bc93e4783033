"""Signing in: what a client shows for its user, checked against the accounts.

A password comes encrypted with the key of the channel and bound to the nonce of the session, so
that it can't be sent again by who has recorded it. All refusals look the same from outside.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from asyncua import ua
from asyncua.crypto.permission_rules import User
from asyncua.crypto.security_policies import SecurityPolicy
from asyncua.ua.status_codes import StatusCodes
from cryptography import x509

from runtime.security import passwords
from runtime.security.accounts import Account, Accounts
from runtime.security.certificates import thumbprint
from runtime.security.throttle import Throttle
from runtime.security.trust import Untrusted, check_form
from runtime.servers.opcua.users import ANONYMOUS, known

NONCE = 32  # bytes
BLOCKS = 3  # of RSA that a password may take
MOST_WAITING = 16  # sign-ins: each takes a tenth of a second, and memory


@dataclass(frozen=True)
class Attempt:
    """A client that wants to sign in: what it shows, over which channel, from where."""

    token: Any
    signature: ua.SignatureData
    policy: SecurityPolicy
    nonce: bytes
    host: str


class Refusal(Exception):
    """A sign-in is refused: who tried, the status for the client, and the reason for us."""

    def __init__(self, who: str, status: int, reason: str) -> None:
        super().__init__(reason)
        self.who = who
        self.status = status


class SignIn:
    """Decides who a client is."""

    def __init__(self, accounts: Accounts, anonymous: bool) -> None:
        self._accounts = accounts
        self._anonymous = anonymous
        self._throttle = Throttle()
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0
        self._thread = ThreadPoolExecutor(1, "password")

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def user(self, attempt: Attempt) -> User:
        """The user; raises Refusal."""
        token = attempt.token
        if isinstance(token, ua.ExtensionObject) and token.TypeId.is_null():
            token = ua.AnonymousIdentityToken()  # Part 4, 5.6.3
        if isinstance(token, ua.AnonymousIdentityToken):
            if not self._anonymous:
                raise Refusal("anonymous", StatusCodes.BadIdentityTokenRejected, "not let in")
            return ANONYMOUS
        station = thumbprint(_certificate(attempt.policy.peer_certificate or b""))
        place = f"{attempt.host} {station}"
        if isinstance(token, ua.UserNameIdentityToken):
            return await self._by_password(attempt, token, station, place)
        if isinstance(token, ua.X509IdentityToken):
            return self._by_certificate(attempt, token, station, place)
        raise Refusal("unknown", StatusCodes.BadIdentityTokenRejected, "a token of another kind")

    async def _by_password(
        self, attempt: Attempt, token: ua.UserNameIdentityToken, station: str, place: str
    ) -> User:
        name = str(token.UserName or "")
        if self._waiting >= MOST_WAITING:
            raise Refusal(name, StatusCodes.BadResourceUnavailable, "too many sign in at once")
        self._waiting += 1
        try:
            async with self._turn:
                return await self._checked(attempt, token, name, station, place)
        finally:
            self._waiting -= 1

    async def _checked(
        self, attempt: Attempt, token: Any, name: str, station: str, place: str
    ) -> User:
        place = f"{place} {name}"  # who fails as another delays nobody
        if (wait := self._throttle.wait(place)) > 0:
            reason = f"has failed too often; may try again in {wait:.0f} s"
            raise Refusal(name, StatusCodes.BadUserAccessDenied, reason)
        account = self._accounts.get(name)
        password = _password(attempt, token)
        loop = asyncio.get_running_loop()
        kept = account.password if account else ""
        right = await loop.run_in_executor(self._thread, passwords.matches, kept, password)
        if account is None or not right:
            self._throttle.failed(place)
            raise Refusal(name, StatusCodes.BadUserAccessDenied, "unknown user or wrong password")
        if account.initial:
            reason = "has to change the password that somebody else chose"
            raise Refusal(name, StatusCodes.BadUserAccessDenied, reason)
        return self._admitted(name, account, station, place)

    def _by_certificate(
        self, attempt: Attempt, token: ua.X509IdentityToken, station: str, place: str
    ) -> User:
        denied = StatusCodes.BadUserAccessDenied
        if self._throttle.wait(place) > 0:
            raise Refusal("", denied, "has failed too often")
        try:
            certificate = _certificate(token.CertificateData or b"")
            check_form(certificate, for_client=False)
            verifier: Callable[[Any], Any] = type(
                attempt.policy.asymmetric_cryptography.Verifier  # type: ignore[attr-defined]
            )
            if attempt.signature.Algorithm != attempt.policy.AsymmetricSignatureURI:
                raise ValueError("signed with another algorithm than the channel's")
            challenge = (attempt.policy.host_certificate or b"") + attempt.nonce
            verifier(certificate).verify(challenge, attempt.signature.Signature)
            found = self._accounts.of_certificate(thumbprint(certificate))
        except Untrusted as error:
            found, reason = None, str(error)
        except Exception as error:  # whatever cryptography makes of what was sent
            found, reason = None, f"no proof of the certificate ({type(error).__name__})"
        else:
            reason = "the certificate of no account"
        if found is None:
            self._throttle.failed(place)
            raise Refusal("", denied, reason)
        return self._admitted(*found, station, place)

    def _admitted(self, name: str, account: Account, station: str, place: str) -> User:
        if not account.open:
            reason = "the account is locked or retired"
            raise Refusal(name, StatusCodes.BadUserAccessDenied, reason)
        if account.pinned and station not in account.pinned:
            self._throttle.failed(place)
            reason = "pinned to another application's certificate"
            raise Refusal(name, StatusCodes.BadUserAccessDenied, reason)
        self._throttle.succeeded(place)
        return known(name, account.rank)


def _certificate(der: bytes) -> x509.Certificate:
    """The first certificate of a chain."""
    if der[:2] == b"\x30\x82":
        der = der[: 4 + int.from_bytes(der[2:4], "big")]
    return x509.load_der_x509_certificate(der)


def _password(attempt: Attempt, token: ua.UserNameIdentityToken) -> str:
    """The password of a token; "" if it has none, or none that belongs to this session."""
    policy, sent = attempt.policy, token.Password or b""
    if token.EncryptionAlgorithm != policy.AsymmetricEncryptionURI:
        return ""
    decryptor = policy.asymmetric_cryptography.Decryptor  # type: ignore[attr-defined]
    size = decryptor.encrypted_block_size()
    if not sent or len(sent) % size or len(sent) > BLOCKS * size:
        return ""
    try:
        plain = decryptor.decrypt(sent)
    except ValueError:
        return ""
    length = int.from_bytes(plain[:4], "little")
    secret = plain[4 : 4 + length]
    if length < NONCE or len(secret) != length:
        return ""
    if not secrets.compare_digest(secret[-NONCE:], attempt.nonce):
        return ""
    return str(secret[:-NONCE].decode(errors="replace"))
