"""Secure channels: the policies that are offered, and whom a channel is opened to.

policy                                        carries
None                                          discovery: GetEndpoints, FindServers
Basic256Sha256, Aes128_Sha256_RsaOaep,        all, signed and encrypted,
Aes256_Sha256_RsaPss                          for applications whose certificate is trusted
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.crypto.permission_rules import PermissionRuleset
from asyncua.crypto.security_policies import (
    SecurityPolicy,
    SecurityPolicyAes128Sha256RsaOaep,
    SecurityPolicyAes256Sha256RsaPss,
    SecurityPolicyBasic256Sha256,
    SecurityPolicyFactory,
    SecurityPolicyNone,
)
from asyncua.crypto.uacrypto import x509_from_der
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.ua_binary import struct_from_binary
from asyncua.ua.uaerrors import UaStatusCodeError

from runtime.requests import Source
from runtime.security.certificates import OwnCertificate, common_name, thumbprint
from runtime.security.trust import LARGEST, Trust, Untrusted
from runtime.servers.refusals import Refusals, Refused

OFFERED: tuple[Any, ...] = (  # from the least to the most secure
    SecurityPolicyAes128Sha256RsaOaep,
    SecurityPolicyBasic256Sha256,
    SecurityPolicyAes256Sha256RsaPss,
)
NO_SECURITY = SecurityPolicyNone.URI
SHORTEST, LONGEST = 10_000, 3_600_000  # ms that a token of a channel lives
GRACE = 1.25  # times its life, until what it secures is refused (Part 4, 5.5.2)


class Channels:
    """Who may open a channel, and with what. `policies` is one list for life: it is renewed."""

    def __init__(self, own: OwnCertificate, trust: Trust, refusals: Refusals) -> None:
        self.own = own
        self.policies: list[SecurityPolicyFactory] = []
        self._trust = trust
        self._refusals = refusals

    def renew(self, rules: PermissionRuleset) -> None:
        """Offer channels with the certificate that is ours now; those that are open keep theirs."""
        mode, identity = ua.MessageSecurityMode, self.own.identity
        factory: Callable[..., Any] = SecurityPolicyFactory  # which has no types
        self.policies[:] = [
            factory(SecurityPolicyNone, mode.None_, permission_ruleset=rules),
            *(
                factory(each, mode.SignAndEncrypt, identity.certificate, identity.key, rules)
                for each in OFFERED
            ),
        ]

    def check(self, asked: Buffer, present: SecurityPolicy | None, where: str) -> None:
        """Return if the header of an OpenSecureChannel is acceptable; raise with a status if not.

        `present` is the policy of the channel that is to be renewed, if it is open. Nothing has
        been decrypted yet: who isn't trusted is not worth the work.
        """
        header = struct_from_binary(ua.AsymmetricAlgorithmHeader, asked)
        uri, sent = header.SecurityPolicyURI, header.SenderCertificate or b""
        if present is not None and uri != present.URI:
            raise refused(StatusCodes.BadSecurityPolicyRejected)
        if uri == NO_SECURITY:
            return
        if uri not in [policy.URI for policy in OFFERED]:
            raise refused(StatusCodes.BadSecurityPolicyRejected)
        if present is not None and not sent.startswith(present.peer_certificate or b"-"):
            raise refused(StatusCodes.BadSecurityChecksFailed)
        ours = present.host_certificate if present else self.own.identity.der
        if header.ReceiverCertificateThumbPrint != hashlib.sha1(ours or b"").digest():
            raise refused(StatusCodes.BadCertificateInvalid)
        self._check_certificate(sent, where)

    def _check_certificate(self, sent: bytes, where: str) -> None:
        """Check who it is, and tell him nothing but that he isn't trusted (Part 4, 6.1.3)."""
        name, mark = "unknown", ""
        try:
            if len(sent) > LARGEST:
                raise Untrusted(f"{len(sent)} bytes, allowed {LARGEST}")
            certificate = x509_from_der(sent)  # type: ignore[no-untyped-call]
            if certificate is None:
                raise Untrusted("no certificate")
            name, mark = common_name(certificate) or name, thumbprint(certificate)
            try:
                self._trust.check(certificate)
            except Untrusted:
                self._trust.keep(certificate)
                raise
        except (Untrusted, ValueError, IndexError) as error:
            reason = str(error) if isinstance(error, Untrusted) else "no certificate"
            self._record(name, where, f"certificate {mark[:16]}", reason)
            raise refused(StatusCodes.BadSecurityChecksFailed) from None

    def _record(self, who: str, where: str, what: str, reason: str) -> None:
        self._refusals.record(
            Refused(Source.OPCUA, who, None, where, "open a channel", what, reason)
        )


def refused(status: int) -> UaStatusCodeError:
    """What ends a connection with a status."""
    return UaStatusCodeError(status)  # type: ignore[no-untyped-call]


def check_request(asked: Any, policy: SecurityPolicy) -> None:
    """Check the parameters of an OpenSecureChannel, and bound what it asks for."""
    length = policy.secure_channel_nonce_length
    if len(asked.ClientNonce or b"") < length or asked.SecurityMode != policy.Mode:
        raise refused(StatusCodes.BadSecurityChecksFailed)
    asked.RequestedLifetime = min(max(asked.RequestedLifetime, SHORTEST), LONGEST)
