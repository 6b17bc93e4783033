"""Becomes PostgreSQL: gives up root, asks for a signal when the parent dies, executes it.

Run as ``python -I -S launch.py IDENTITY PARENT DIRECTORY PROGRAM [ARGUMENT ...]``. It is a program
of its own and not a ``preexec_fn`` because that may deadlock in a parent with threads, and because
the parent-death signal is forgotten when the identity changes: it has to be asked for last.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000


def become(identity: str) -> None:
    """Take the identity: ``same``, ``user:UID:GID``, or ``namespace:UID`` (where root is UID)."""
    kind, *ids = identity.split(":")
    if kind == "user":
        os.setgroups([])
        os.setgid(int(ids[1]))
        os.setuid(int(ids[0]))
    elif kind == "namespace":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWUSER) != 0:
            raise OSError(ctypes.get_errno(), "no user namespace may be made here")
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{ids[0]} 0 1"),
            ("gid_map", f"{ids[0]} 0 1"),
        ):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as entry:
                entry.write(text)


def main(identity: str, parent: str, directory: str, program: str, *arguments: str) -> None:
    """Become the program; when the parent dies it gets SIGINT, PostgreSQL's fast shutdown."""
    become(identity)
    os.umask(0o077)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)
    if os.getppid() != int(parent):
        raise SystemExit("the parent died before the program began")
    os.chdir(directory)
    os.execv(program, [program, *arguments])


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except OSError as error:
        raise SystemExit(f"{error.strerror or error}: {error.filename or sys.argv[3]}") from None
