"""Accounts: who may sign in, with what, from where, and as what.

They lie in one file of the state directory, which `calejo users` writes and the servers read again
whenever it has changed. Of a password only its Argon2id is kept.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from runtime.requests import Role
from runtime.security import passwords

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
FIRST = "operator"  # the account that there is at first, with the token as password
Word = Literal["viewer", "operator", "engineer", "administrator"]
Thumbprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class AccountsError(Exception):
    """The accounts can't be used, or a change of them makes no sense; the message says why."""


class Account(BaseModel):
    """An account.

    `initial` says that somebody else chose its password: over HTTP it serves only to choose
    another. `locked` keeps it out for a time, `retired` for good: its name is never given again.
    `password` is its Argon2id; empty, there is none to sign in with. `certificates` are the SHA-256
    thumbprints of the user certificates that sign in as this account. `pinned` are those of the
    application certificates from which it may be used; empty, from all that are trusted.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Word
    password: str = ""
    initial: bool = False
    locked: bool = False
    retired: bool = False
    certificates: tuple[Thumbprint, ...] = ()
    pinned: tuple[Thumbprint, ...] = ()

    @property
    def rank(self) -> Role:
        return Role[self.role.upper()]

    @property
    def open(self) -> bool:
        """Whether anybody may sign in with it."""
        return not (self.locked or self.retired)


_FILE = TypeAdapter(dict[str, Account])


class Accounts:
    """The accounts of a file, by name."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._known: dict[str, Account] = {}
        self.problem = ""  # why the file can't be read; what was known before stays in force

    def __iter__(self) -> Iterator[tuple[str, Account]]:
        self._renew()
        return iter(sorted(self._known.items()))

    def get(self, name: str) -> Account | None:
        self._renew()
        return self._known.get(name)

    def of_certificate(self, thumbprint: str) -> tuple[str, Account] | None:
        """The account that a user certificate signs in as."""
        return next(((n, a) for n, a in self if thumbprint in a.certificates), None)

    def begin(self, password: str) -> None:
        """Make the first account, with this password, if there is no file yet."""
        if not self._path.exists():
            self._save({FIRST: Account(role="operator", password=passwords.hashed(password))})

    def put(self, name: str, account: Account) -> None:
        if not NAME.fullmatch(name):
            raise AccountsError(
                f"user name: found {name!r}, allowed up to 64 letters, digits and . _ @ -, the"
                " first a letter or digit"
            )
        with self._alone():
            self._save(self._with(name, account))

    def add(self, name: str, account: Account) -> None:
        """A new account; the name of none that there is or has been, in whatever case."""
        if name.casefold() in {known.casefold() for known in self._all()}:
            raise AccountsError(f"user {name!r}: exists or has existed; choose another name")
        self.put(name, account)

    def change(self, name: str, **changes: object) -> Account:
        """The account after a change of some of its fields."""
        with self._alone():
            known = self._all()
            if name not in known:
                raise AccountsError(f"user {name!r}: found none of that name")
            if known[name].retired:
                raise AccountsError(f"user {name!r}: is retired, and nothing changes that")
            account = Account.model_validate(known[name].model_dump() | changes)
            self._save(self._with(name, account))
        return account

    def remove(self, name: str) -> None:
        with self._alone():
            known = self._all()
            if known.pop(name, None) is None:
                raise AccountsError(f"user {name!r}: found none of that name")
            self._save(known)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Alone among all processes that change the file."""
        with self._path.with_suffix(".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _with(self, name: str, account: Account) -> dict[str, Account]:
        """All accounts once this one is as given."""
        for thumbprint in account.certificates:
            holder = self.of_certificate(thumbprint)
            if holder is not None and holder[0] != name:
                raise AccountsError(f"certificate {thumbprint}: already signs in as {holder[0]}")
        return self._all() | {name: account}

    def _all(self) -> dict[str, Account]:
        """All accounts, for a change: of a file that can't be read nothing may be lost."""
        self._renew()
        if self.problem:
            raise AccountsError(self.problem)
        return dict(self._known)

    def _save(self, accounts: dict[str, Account]) -> None:
        partial = self._path.with_suffix(f".{os.getpid()}")
        partial.touch(mode=0o600)
        partial.write_bytes(_FILE.dump_json(accounts, indent=2))
        partial.replace(self._path)

    def _renew(self) -> None:
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_ino)
            if stamp == self._stamp:
                return
            self._stamp = stamp
            if found.st_mode & 0o022:
                raise AccountsError(
                    f"{self._path}: found that others may write it, allowed mode 0600"
                )
            self._known, self.problem = _FILE.validate_json(self._path.read_bytes()), ""
        except FileNotFoundError:
            self._known, self._stamp, self.problem = {}, None, ""
        except ValidationError as error:
            where = "; ".join(
                f"{'.'.join(map(str, fault['loc'])) or 'the file'}: {fault['msg']}"
                for fault in error.errors(include_input=False, include_url=False)
            )
            self.problem = f"{self._path}: {where}"
        except (OSError, AccountsError) as error:
            self.problem = str(error)
