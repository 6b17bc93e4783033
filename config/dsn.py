"""Which database: the embedded one, or a connection string of libpq."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

from pydantic import SecretStr

from config.notation import Notation

EMBEDDED: Literal["embedded"] = "embedded"


@dataclass(frozen=True)
class DatabaseChoice(Notation[Literal["embedded"] | SecretStr]):
    """`embedded` or a connection string, which is kept out of sight: it may hold a password."""

    @property
    def allowed(self) -> str:
        return "embedded, or a DSN such as 'postgresql://calejo_runtime@host/calejo'"

    def read(self, written: object) -> Literal["embedded"] | SecretStr:
        if isinstance(written, SecretStr):
            return written
        if written == EMBEDDED:
            return EMBEDDED
        if not isinstance(written, str) or not is_dsn(written):
            raise ValueError("")
        return SecretStr(written)

    def write(self, value: Literal["embedded"] | SecretStr) -> str:
        return "a DSN, not shown" if isinstance(value, SecretStr) else value

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^(embedded|postgres(ql)?://.*|\w+\s*=.*)$"}


def is_dsn(text: str) -> bool:
    """Whether libpq would take the text for a connection string, not merely for a name."""
    if re.match(r"postgres(ql)?://", text):
        try:
            urlsplit(text)
        except ValueError:
            return False
        return True
    return re.match(r"\s*\w+\s*=", text) is not None


def holds_password(text: str) -> bool:
    """Whether a connection string holds a password; one that can't be read counts as if it did."""
    if not re.match(r"postgres(ql)?://", text):
        return re.search(r"\b(ssl)?password\s*=", text, re.IGNORECASE) is not None
    try:
        parts = urlsplit(text)
        names = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
        return parts.password is not None or not names.isdisjoint({"password", "sslpassword"})
    except ValueError:
        return True
