"""Settings from the environment: CALEJO_ and the path of the setting, in upper case.

program.watchdog.timeout    CALEJO_PROGRAM_WATCHDOG_TIMEOUT
servers.modbus.listen       CALEJO_SERVERS_MODBUS_LISTEN
program (the order)         CALEJO_PROGRAM, names separated by commas
database                    CALEJO_DATABASE, or CALEJO_DATABASE_FILE: a file that holds it
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import SecretStr

from config import channels
from config.document import Tree
from config.dsn import EMBEDDED, is_dsn
from config.model import Config
from config.problem import ConfigurationError, Origin, Problem, meant, shown
from config.settings import Settings, entries, section

PREFIX = "CALEJO_"
FILE = "_FILE"
DATABASE = "CALEJO_DATABASE"
OWNER = "CALEJO_DATABASE_OWNER"
ORDER = ("program", "order")
SECRETS = (DATABASE, OWNER)
# Not settings of the program: where things lie, and the owner's DSN for migrations.
ELSEWHERE = ("CALEJO_STATE", "CALEJO_CONFIG", "CALEJO_POSTGRES_BIN", OWNER)


def variables() -> dict[str, tuple[str, ...]]:
    """Every variable that sets something, with the path of what it sets."""
    return {_variable(path): path for path in paths(Config)}


def paths(model: type[Settings], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all settings below a model."""
    for name, field in model.model_fields.items():
        if below := section(field):
            yield from paths(below, (*above, name))
        elif not entries(field):  # what is there by names of its own is the file's
            yield (*above, name)


def _variable(path: tuple[str, ...]) -> str:
    shown = path[:-1] if path == ORDER else path
    return PREFIX + "_".join(shown).upper()


def overlay(
    tree: dict[str, Tree], environ: Mapping[str, str], problems: list[Problem]
) -> dict[tuple[str, ...], Origin]:
    """Puts the environment's settings over the file's; tells which path came from which variable.

    `tree` is changed in place: it is the reader's own.
    """
    known = variables()
    origins: dict[tuple[str, ...], Origin] = {}
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in ELSEWHERE or name.removesuffix(FILE) in SECRETS:
            continue
        if channels.FORM.fullmatch(name):  # for who delivers alerts
            continue
        if name in known:
            path = known[name]
            _put(tree, path, _names(environ[name]) if path == ORDER else environ[name])
            origins[path] = Origin(name)
        else:
            allowed = "CALEJO_ and the path of a setting, such as CALEJO_PROGRAM_WATCHDOG_TIMEOUT"
            allowed += meant(name, (*known, *ELSEWHERE))
            problems.append(Problem(Origin(name), (), "a variable that sets nothing", allowed))
    try:
        dsn = secret(DATABASE, environ)
    except ConfigurationError as error:
        problems.extend(error.problems)
        return origins
    if dsn is not None:
        tree["database"] = dsn.get_secret_value()
        origins[("database",)] = Origin(DATABASE if DATABASE in environ else DATABASE + FILE)
    return origins


def _names(value: str) -> Tree:
    return [name.strip() for name in value.split(",")]


def _put(tree: dict[str, Tree], path: tuple[str, ...], value: Tree) -> None:
    for name in path[:-1]:
        below = tree.setdefault(name, {})
        if not isinstance(below, dict):
            return  # the model refuses what stands there
        tree = below
    tree[path[-1]] = value


def secret(name: str, environ: Mapping[str, str]) -> SecretStr | None:
    """The DSN in a variable, or in the file that the variable with _FILE after its name names."""
    file = environ.get(name + FILE)
    if file is None:
        value = environ.get(name)
    elif name in environ:
        raise _refusal(name + FILE, f"{name} as well", "one of the two variables")
    else:
        name += FILE
        try:
            value = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise _refusal(name, f"no file to read ({reason})", "a file with a DSN") from None
    if value is None:
        return None
    if is_dsn(value) or (value == EMBEDDED and not name.startswith(OWNER)):
        return SecretStr(value)
    allowed = "a DSN such as 'postgresql://user:password@host/calejo'"
    raise _refusal(name, shown(value, hidden=True), allowed)


def _refusal(name: str, found: str, allowed: str) -> ConfigurationError:
    return ConfigurationError([Problem(Origin(name), (), found, allowed)])
