"""Keeps what is secret in an Apprise URL out of logs, errors and histories."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus, unquote_plus

HIDDEN = "****"
SHORTEST = 4  # characters; shorter parts would hide half of a text, and are no secrets
PUBLIC = re.compile(
    r"(?i)https?|localhost|\d{1,3}(\.\d{1,3}){3}|true|false|starttls|insecure|text|html"
)


def mask(text: str, url: str) -> str:
    """A text without any part of a URL behind its scheme, however the part is quoted."""
    found = sorted(set(_parts(url)), key=len, reverse=True)
    for part in found:
        text = text.replace(part, HIDDEN)
    return text


def _parts(url: str) -> Iterator[str]:
    """What may be secret: user, password, path, parameters. Only the host stays."""
    rest = url.partition("://")[2]
    yield rest
    authority = re.split(r"[/?]", rest, maxsplit=1)[0]
    user, at, _ = authority.rpartition("@")
    pieces = [*user.split(":")] if at else []
    pieces += re.split(r"[/?&=]", rest[len(authority) :])
    for piece in pieces:
        plain = unquote_plus(piece)
        for form in {piece, plain, quote(plain), quote_plus(plain), quote(plain, safe="")}:
            if len(form) >= SHORTEST and not PUBLIC.fullmatch(form):
                yield form


def scheme(url: str) -> str:
    """What of a URL may be told: by which way it leads."""
    return url.partition("://")[0]
