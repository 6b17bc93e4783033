"""Anchors: what the audit log was at a time, signed, and kept where the database can't reach.

The chain alone can't show that its end was cut off, or that all of it was written anew: an anchor
says that entry `number` had this hash. A starting point says the same of the last entry that
retention dropped. Each is a line of JSON; what is signed (Ed25519) is its `message`.

A directory of anchors has two files for each key, named after its fingerprint: `.jsonl`, which is
only appended to, and `.pem`, the public key.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ANCHOR, START = "anchor", "start"
TAIL = 1 << 16  # bytes at the end of a file in which its last line lies


@dataclass(frozen=True)
class Anchor:
    """Entry `number` of the log of `database` (installation_id) has `hash`, says `time` (UTC)."""

    kind: str
    database: str
    number: int
    hash: str
    time: str

    @property
    def message(self) -> bytes:
        """What is signed."""
        parts = ("calejo audit", self.kind, self.database, str(self.number), self.hash, self.time)
        return "\n".join(parts).encode()


def anchor(kind: str, database: str, number: int, digest: bytes) -> Anchor:
    """An anchor of now."""
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    return Anchor(kind, database, number, digest.hex(), time)


class KeyFileError(OSError):
    """A file holds no key of the right kind; the message says what is allowed."""


class Key:
    """The private key that signs, made on first use, readable by its owner only."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            _make_key(path)
        self._private = _private_key(path)
        self.public = self._private.public_key()
        self.fingerprint = fingerprint(self.public)

    def line(self, said: Anchor) -> bytes:
        """An anchor as a line of a file, signed."""
        signature = self._private.sign(said.message).hex()
        return orjson.dumps(asdict(said) | {"signature": signature}) + b"\n"


def _private_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path}: found no private key, allowed an Ed25519 private key as PEM")
    return key


def _make_key(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    encoded = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    _append(partial, encoded, 0o600)
    partial.replace(path)


def fingerprint(key: Ed25519PublicKey) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the raw public key."""
    return sha256(key.public_bytes_raw()).hexdigest()[:16]


class AnchorFile:
    """The file of a directory that one key appends to."""

    def __init__(self, directory: Path, key: Key) -> None:
        self._key = key
        self.path = directory / f"{key.fingerprint}.jsonl"
        self.public = self.path.with_suffix(".pem")
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.public.exists():
            encoded = key.public.public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            _append(self.public, encoded, 0o644)

    def append(self, said: Anchor) -> None:
        """Sign, write, and force it to the disk. What a crash left of a line stays alone."""
        torn = not _tail(self.path).endswith(b"\n")
        _append(self.path, b"\n" * torn + self._key.line(said), 0o644)

    def last(self, database: str) -> Anchor | None:
        """The last anchor of a database."""
        for line in reversed(_tail(self.path).splitlines()):
            found = _parsed(line)
            if found is not None and (found[0].kind, found[0].database) == (ANCHOR, database):
                return found[0]
        return None


def _tail(path: Path) -> bytes:
    """The end of a file; an empty line if there is none."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL))
            return file.read() or b"\n"
    except FileNotFoundError:
        return b"\n"


def _append(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, mode)
    with open(descriptor, "ab") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def mend_copy(original: Path, copy: Path) -> int:
    """Append to `copy` what `original` has more; how many bytes. ValueError: they differ."""
    have, want = (path.stat().st_size if path.exists() else 0 for path in (copy, original))
    if have > want:
        raise ValueError(f"{original} is shorter than its copy {copy}: it was cut off")
    if have and _tail(copy) != _span(original, max(0, have - TAIL), have):
        raise ValueError(f"{original} and its copy {copy} differ: one of them was changed")
    if want > have:
        copy.parent.mkdir(parents=True, exist_ok=True)
        _append(copy, _span(original, have, want), 0o644)
    return want - have


def _span(path: Path, start: int, end: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(end - start)


@dataclass
class Anchors:
    """What the files of directories say: anchors whose signatures are right, and what is wrong."""

    signed: list[Anchor] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def of(self, database: str, kind: str) -> list[Anchor]:
        """Those of a database, by number."""
        found = {a for a in self.signed if (a.database, a.kind) == (database, kind)}
        return sorted(found, key=lambda a: (a.number, a.time, a.hash))


def read(directories: Iterable[Path], trusted: Sequence[Path] = ()) -> Anchors:
    """All anchors of directories. With `trusted` public keys, no others are believed."""
    found = Anchors()
    keys = [_public_key(path) for path in trusted]
    for directory in dict.fromkeys(directories):
        for path in sorted(directory.glob("*.jsonl")):
            beside = path.with_suffix(".pem")
            if not trusted and not beside.exists():
                found.problems.append(f"{path}: its public key {beside.name} is missing")
                continue
            _read_file(path, keys or [_public_key(beside)], found)
    return found


def _public_key(path: Path) -> Ed25519PublicKey:
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyFileError(f"{path}: found no public key, allowed an Ed25519 public key as PEM")
    return key


def _read_file(path: Path, keys: Sequence[Ed25519PublicKey], found: Anchors) -> None:
    for place, line in enumerate(path.read_bytes().splitlines(), 1):
        parsed = _parsed(line)
        if parsed is None:
            if line:
                found.notes.append(f"{path}:{place}: not a whole anchor, as a crash leaves it")
        elif any(_is_signed(key, *parsed) for key in keys):
            found.signed.append(parsed[0])
        else:
            found.problems.append(f"{path}:{place}: not signed by a key that is trusted")


def _parsed(line: bytes) -> tuple[Anchor, bytes] | None:
    try:
        values = orjson.loads(line)
        signature = bytes.fromhex(values.pop("signature"))
        bytes.fromhex(values["hash"])
        return Anchor(**values | {"number": int(values["number"])}), signature
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _is_signed(key: Ed25519PublicKey, said: Anchor, signature: bytes) -> bool:
    try:
        key.verify(signature, said.message)
    except InvalidSignature:
        return False
    return True
