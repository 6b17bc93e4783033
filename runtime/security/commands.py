"""`calejo users` and `calejo certs`: who may sign in, and which applications are trusted."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from runtime.places import Places
from runtime.security import passwords, policy
from runtime.security.accounts import Account, Accounts, AccountsError, Word
from runtime.security.certificates import common_name, self_signed, thumbprint
from runtime.security.trust import Trust, certificates

_RETIRED = {"retired": True, "password": "", "certificates": ()}
SHORTEST_PREFIX = 6  # digits of a thumbprint
_USERS = "list the accounts that sign in; add, change, lock and retire them"
_KEEP = "the password need not be changed: its user has typed it, or is a machine"
_CERTS = "list the certificates of OPC UA applications; trust and reject them"


def add_to(commands: Any) -> None:
    """Add the commands to those of `calejo`."""
    parser = commands.add_parser("users", help=_USERS, description=_USERS.capitalize() + ".")
    parser.set_defaults(command=_list_users)
    users = parser.add_subparsers(title="commands", metavar="COMMAND")
    added = users.add_parser("add", help="add an account; its password is asked for")
    added.add_argument("name")
    added.add_argument("--role", choices=get_args(Word), required=True)
    added.add_argument("--keep", action="store_true", help=_KEEP)
    added.set_defaults(command=_add)
    changed = users.add_parser("password", help="change a password")
    changed.add_argument("name")
    changed.add_argument("--keep", action="store_true", help=_KEEP)
    changed.set_defaults(command=_password)
    moved = users.add_parser("role", help="give an account another role")
    moved.add_argument("name")
    moved.add_argument("role", choices=get_args(Word))
    moved.set_defaults(command=_move)
    for name, words, changes in (
        ("lock", "keep an account out until it is unlocked", {"locked": True}),
        ("unlock", "let an account sign in again", {"locked": False}),
        ("retire", "close an account for good; its name is not given again", _RETIRED),
    ):
        parsed = users.add_parser(name, help=words)
        parsed.add_argument("name")
        parsed.set_defaults(command=_set, changes=changes)
    pinned = users.add_parser("pin", help="let it sign in from these applications only")
    pinned.add_argument("name")
    pinned.add_argument("certificate", nargs="*", help="thumbprints; none: from all trusted ones")
    pinned.set_defaults(command=_pin)
    bound = users.add_parser("certificate", help="let a user certificate sign in as an account")
    bound.add_argument("name")
    bound.add_argument("file", type=Path, nargs="*", help="certificates (PEM or DER); none: no one")
    bound.set_defaults(command=_bind)

    parser = commands.add_parser("certs", help=_CERTS, description=_CERTS.capitalize() + ".")
    parser.set_defaults(command=_list_certificates)
    certs = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, command, words in (
        ("trust", _trust, "let an application connect that was rejected"),
        ("reject", _reject, "let an application connect no longer"),
    ):
        parsed = certs.add_parser(name, help=words, description=words.capitalize() + ".")
        parsed.add_argument("thumbprint", help="the first digits of it")
        parsed.set_defaults(command=command)
    words = "make a key and certificate for a client, and trust it"
    made = certs.add_parser("client", help=words, description=words.capitalize() + ".")
    made.add_argument("file", type=Path, help="where to write: FILE.key.pem and FILE.pem, .der")
    made.add_argument("--uri", help="its application URI (default: urn:calejo:client:FILE)")
    made.set_defaults(command=_client)


def _places() -> Places:
    places = Places.from_environment(os.environ)
    places.prepare()
    return places


def _accounts() -> Accounts:
    return Accounts(_places().accounts)


def _list_users(given: argparse.Namespace) -> None:
    accounts = _accounts()
    for name, account in accounts:
        ways = [
            *(["password"] if account.password else []),
            *(["certificate"] * bool(account.certificates)),
        ]
        state = "retired" if account.retired else "locked" if account.locked else ""
        state = f", {state}" if state else ", initial password" * account.initial
        pins = f", only from {', '.join(p[:16] for p in account.pinned)}" if account.pinned else ""
        _say(
            f"{name:<20} {account.role:<14} {' or '.join(ways) or 'no way to sign in'}{state}{pins}"
        )
    if accounts.problem:
        raise AccountsError(accounts.problem)


def _add(given: argparse.Namespace) -> None:
    account = Account(role=given.role, password=_asked(given.name), initial=not given.keep)
    _accounts().add(given.name, account)


def _password(given: argparse.Namespace) -> None:
    _accounts().change(given.name, password=_asked(given.name), initial=not given.keep)


def _move(given: argparse.Namespace) -> None:
    _accounts().change(given.name, role=given.role)


def _set(given: argparse.Namespace) -> None:
    _accounts().change(given.name, **given.changes)


def _pin(given: argparse.Namespace) -> None:
    folder = Trust(_places().certificates / "opcua").trusted
    pinned = tuple(thumbprint(_one(folder, start)[1]) for start in given.certificate)
    _accounts().change(given.name, pinned=pinned)


def _bind(given: argparse.Namespace) -> None:
    marks = tuple(thumbprint(_read(file)) for file in given.file)
    _accounts().change(given.name, certificates=marks)


def _asked(name: str) -> str:
    """The Argon2id of a password that is typed twice, or is one line of standard input."""
    if sys.stdin.isatty():
        typed = getpass.getpass("password: ")
        if typed != getpass.getpass("again: "):
            raise AccountsError("the two passwords differ")
    else:
        typed = sys.stdin.readline().rstrip("\n")
    try:
        policy.check(typed, name)
    except policy.PasswordError as error:
        raise AccountsError(str(error)) from None
    return passwords.hashed(typed)


def _list_certificates(given: argparse.Namespace) -> None:
    places = _places()
    folder = places.certificates / "opcua"
    trust = Trust(folder)
    for title, found in (
        ("this server", certificates(folder)),
        ("trusted", certificates(trust.trusted)),
        ("trusted to vouch for others", certificates(trust.authorities)),
        ("rejected: trust with `calejo certs trust`", certificates(trust.rejected)),
        ("Modbus over TLS: this server", certificates(places.certificates / "modbus")),
        ("to vouch for Modbus clients", certificates(places.certificates / "modbus/authorities")),
    ):
        lines = [_line(certificate) for _, certificate in found]
        _say(f"{title}:", *(lines or ["  none"]))


def _line(certificate: x509.Certificate) -> str:
    left = (certificate.not_valid_after_utc - datetime.now(UTC)).days
    ends = f"{certificate.not_valid_after_utc:%Y-%m-%d}"
    when = f"valid until {ends}" if left >= 0 else f"EXPIRED on {ends}"
    return f"  {thumbprint(certificate)[:16]}  {when}  {common_name(certificate) or 'unnamed'}"


def _trust(given: argparse.Namespace) -> None:
    trust = Trust(_places().certificates / "opcua")
    path, certificate = _one(trust.rejected, given.thumbprint)
    path.replace(trust.trusted / path.name)
    _say(f"trusted:{_line(certificate)}")


def _reject(given: argparse.Namespace) -> None:
    trust = Trust(_places().certificates / "opcua")
    path, certificate = _one(trust.trusted, given.thumbprint)
    path.replace(trust.rejected / path.name)
    _say(f"rejected:{_line(certificate)}", "a connection that is open stays until it ends")


def _client(given: argparse.Namespace) -> None:
    trust = Trust(_places().certificates / "opcua")
    name = given.file.name
    uri = given.uri or f"urn:calejo:client:{name}"
    made = self_signed(name, uri, (), datetime.now(UTC))
    key, certificate = given.file.with_name(f"{name}.key.pem"), given.file.with_name(f"{name}.pem")
    key.touch(mode=0o600)
    key.write_bytes(made.key_pem)
    certificate.write_bytes(made.certificate.public_bytes(Encoding.PEM))
    given.file.with_name(f"{name}.der").write_bytes(made.der)
    trust.add(made.certificate)
    _say(f"key {key}, certificate {certificate}, application URI {uri}: trusted")


def _one(folder: Path, start: str) -> tuple[Path, x509.Certificate]:
    """The certificate in a folder whose thumbprint starts so."""
    wanted = start.lower().replace(":", "")
    found = [entry for entry in certificates(folder) if thumbprint(entry[1]).startswith(wanted)]
    if len(found) != 1 or len(wanted) < SHORTEST_PREFIX:
        raise AccountsError(
            f"thumbprint {start!r}: found {len(found)} such certificates in {folder}, allowed the"
            f" first digits ({SHORTEST_PREFIX} or more) of one"
        )
    return found[0]


def _read(file: Path) -> x509.Certificate:
    data = file.read_bytes()
    try:
        if b"-----BEGIN" in data:
            return x509.load_pem_x509_certificate(data)
        return x509.load_der_x509_certificate(data)
    except ValueError:
        raise AccountsError(f"{file}: found no certificate, allowed one in PEM or DER") from None


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
