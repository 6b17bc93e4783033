"""Where a runtime keeps its things: the state directory on disk and the shared memory on tmpfs."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

FORMAT = 1
TMPFS = Path("/dev/shm")


class StateError(Exception):
    """The state directory can't be used; the message says why and what helps."""


class Places:
    """The files of one runtime. Everything durable lies under `root` (`./var`, or CALEJO_STATE)."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        mark = hashlib.sha256(str(self.root).encode()).hexdigest()[:10]
        self.shared = TMPFS / f"calejo-{os.getuid()}-{mark}"
        self.version = self.root / "version"
        self.lock = self.root / "lock"
        self.token_file = self.root / "token"
        self.accounts = self.root / "accounts.json"
        self.certificates = self.root / "certificates"
        self.equipment = self.root / "equipment.json"
        self.registers = self.root / "registers.json"
        self.one_shots = self.root / "one-shots.json"
        self.retained = (self.root / "retained.a", self.root / "retained.b")
        self.installation = self.root / "installation"
        self.spool = self.root / "spool"
        self.spools = self.root / "spools.json"
        self.outbox = self.spool / "alerts.db"
        self.audit = self.root / "audit"
        self.postgres = self.root / "postgres"
        self.inputs = self.shared / "inputs"
        self.image = self.shared / "image"
        self.events = self.shared / "events"
        self.requests = self.shared / "requests"
        self.retained_mark = self.shared / "retained"
        self.leader = self.shared / "scan.lock"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Places:
        return cls(Path(environ.get("CALEJO_STATE", "var")))

    def progress(self, process: str) -> Path:
        return self.shared / f"progress-{process}"

    def log_level(self, process: str) -> Path:
        """Where the level of a process's log stands while it is not the configured one."""
        return self.shared / f"log-level-{process}"

    def prepare(self) -> None:
        """Make the directories; refuse a state directory that is unusable or of a newer version."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            probe = self.root / ".probe"
            probe.write_bytes(b"\0" * 4096)
            probe.unlink(missing_ok=True)  # of another start at the same time
            if self.version.exists() and self.version.stat().st_size:
                self._check_version()
            else:
                self.version.write_text(f"{FORMAT}\n")
            for directory in (self.spool, self.shared):
                directory.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise StateError(
                f"state directory {self.root}: {error.strerror or error} ({error.filename});"
                " it must be a writable directory with free space: mend it, or set CALEJO_STATE"
                " to another"
            ) from None

    def _check_version(self) -> None:
        found = self.version.read_text(errors="replace").strip()
        if not found.isdecimal() or int(found) > FORMAT:
            raise StateError(
                f"state directory {self.root}: its version file says {found!r}, this program knows"
                f" versions up to {FORMAT}; run the newer program, or set CALEJO_STATE to another"
            )

    def token(self) -> str:
        """The token that changing requests need, made on first use: 32 hexadecimal digits, 0600."""
        with suppress(FileNotFoundError):
            if found := self.token_file.read_text().strip():  # a power cut may leave an empty file
                return found
        token = secrets.token_hex(16)
        partial = self.token_file.with_suffix(f".{os.getpid()}")
        partial.touch(mode=0o600)
        partial.write_text(token + "\n")
        partial.replace(self.token_file)
        return token
