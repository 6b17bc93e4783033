"""Which account PostgreSQL runs under. It refuses root, so root has to hand it to somebody else.

As an ordinary user the server runs as that user. As root, in this order: the owner of the data that
is already there, the user ``postgres`` or ``nobody`` if it can reach the programs and the state
directory as they are, a user namespace in which root is seen as such a user (for checkouts under
/root). No account is made and no parent's mode is changed.
"""

import os
import pwd
import subprocess
import sys
from pathlib import Path

LAUNCH = Path(__file__).with_name("launch.py")
CANDIDATES = ("postgres", "nobody")


class AccountError(RuntimeError):
    """No account that PostgreSQL accepts can work in the state directory."""


class Account:
    """An identity in the words of launch.py, and the user that owns the server's files."""

    def __init__(self, identity: str, uid: int, gid: int) -> None:
        self.identity = identity
        self.uid = uid
        self.gid = gid

    def command(self, directory: Path, program: Path, *arguments: str) -> list[str]:
        """The command that runs a program in a directory, bound to the life of this process."""
        launch = [sys.executable, "-I", "-S", str(LAUNCH), self.identity, str(os.getpid())]
        return [*launch, str(directory), str(program), *arguments]

    def give(self, path: Path) -> None:
        """Make the account the owner of a file or directory."""
        if path.stat().st_uid != self.uid:
            os.chown(path, self.uid, self.gid)

    def trouble(self, directory: Path, program: Path) -> str | None:
        """Why the account can't run the program in the directory; None when it can."""
        command = self.command(directory, program, "--version")
        done = subprocess.run(command, capture_output=True, text=True, start_new_session=True)
        return (
            None
            if done.returncode == 0
            else (done.stderr.strip() or f"exit code {done.returncode}")
        )


def choose_account(directory: Path, data: Path, program: Path) -> Account:
    """The account for a server with files in `directory` and its cluster in `data`."""
    mine = Account("same", os.getuid(), os.getgid())
    owner = data.stat() if data.exists() else None
    if os.getuid() != 0:
        if owner is not None and owner.st_uid != mine.uid:
            raise AccountError(
                f"{data} belongs to {_name(owner.st_uid)}, but this process as {_name(mine.uid)}."
                " Run it as that user or as root, or set CALEJO_STATE to another directory."
            )
        return mine
    troubles = []
    for name, account in _accounts(owner).items():
        trouble = account.trouble(directory, program)
        if trouble is None:
            return account
        troubles.append(f"  as {name}: {trouble}")
    raise AccountError(
        f"PostgreSQL refuses root, and no other account can use {directory} and {program}:\n"
        + "\n".join(troubles or ["  there is neither a user postgres nor nobody"])
        + "\nSet CALEJO_STATE to a directory that such a user can reach, or don't run as root."
    )


def _accounts(owner: os.stat_result | None) -> dict[str, Account]:
    """What root may try, in order; only what fits the owner of existing data."""
    accounts = {}
    if owner is not None and owner.st_uid != 0:
        return {
            _name(owner.st_uid): Account(
                f"user:{owner.st_uid}:{owner.st_gid}", owner.st_uid, owner.st_gid
            )
        }
    users = [user for user in pwd.getpwall() if user.pw_name in CANDIDATES and user.pw_uid != 0]
    users.sort(key=lambda user: CANDIDATES.index(user.pw_name))
    if owner is None:
        for user in users:
            accounts[user.pw_name] = Account(
                f"user:{user.pw_uid}:{user.pw_gid}", user.pw_uid, user.pw_gid
            )
    for user in users[:1]:
        accounts["root in a user namespace"] = Account(f"namespace:{user.pw_uid}", 0, 0)
    return accounts


def _name(uid: int) -> str:
    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"user id {uid}"
