"""Passwords: kept as Argon2id (RFC 9106, its second recommended choice), never in clear."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from runtime.security.policy import LONGEST, normal

_hasher = PasswordHasher()  # 64 MiB, 3 passes, 4 lanes


def hashed(password: str) -> str:
    """What to keep of a password, parameters and salt included."""
    return _hasher.hash(_bytes(password))


def matches(kept: str, password: str) -> bool:
    """Whether a password is the one that was kept; takes as long when nothing was ("")."""
    known = bool(kept) and len(password) <= LONGEST
    try:
        _hasher.verify(kept if known else _nobodys(), _bytes(password[:LONGEST]))
    except (VerificationError, InvalidHashError):
        return False
    return known


@cache
def _nobodys() -> str:
    """A password that nobody has: who is unknown is refused no sooner than who is known."""
    return hashed("")


def _bytes(password: str) -> bytes:
    return normal(password).encode(errors="surrogatepass")
