"""The configuration from file and environment, or everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from config import document, environment
from config.arrangement import Arrangement, arranged
from config.dsn import holds_password
from config.environment import ORDER
from config.model import Config
from config.notation import Notation
from config.problem import ConfigurationError, Origin, Problem, Refused, meant, shown
from config.program import BLOCKS
from config.settings import Settings, entries, section

SCAN_YAML = Path("scan.yaml")
SECRET = ("database",)


def load(path: Path | None, environ: Mapping[str, str]) -> Config:
    """The configuration in `path` (else CALEJO_CONFIG, else scan.yaml) under that of `environ`."""
    source = document.read(path or Path(environ.get("CALEJO_CONFIG") or SCAN_YAML))
    problems = source.problems
    if source.tree is None:
        environment.overlay({}, environ, problems)
        raise ConfigurationError(problems)
    tree: dict[str, Any] = source.tree
    if isinstance(tree.get("database"), str) and holds_password(tree["database"]):
        allowed = "a DSN without a password; set CALEJO_DATABASE or CALEJO_DATABASE_FILE"
        problems.append(Problem(source.origin(SECRET), SECRET, "a password", allowed))
    with suppress(Refused):  # what is not a program is refused once more, and told, by the model
        tree["program"] = arranged(tree.get("program") or [])
    origins = environment.overlay(tree, environ, problems)
    config = None
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        problems.extend(
            _problem(details, source, origins)
            for details in error.errors(include_url=False)
            if not _told_by_order(details, tree)
        )
    # Outside of the except clause: pydantic's error in the context would quote what it was given.
    if problems or config is None:
        raise ConfigurationError(problems)
    return config


def _told_by_order(details: ErrorDetails, tree: Mapping[str, Any]) -> bool:
    """An unknown block is refused in the order; its settings need no second word."""
    loc, program = details["loc"], tree.get("program")
    return (
        details["type"] == "extra_forbidden"
        and loc[:-1] == ("program",)
        and isinstance(program, Arrangement)
        and loc[-1] in program.order
    )


def _problem(
    details: ErrorDetails, source: document.Document, origins: Mapping[tuple[str, ...], Origin]
) -> Problem:
    """The words of an error that pydantic found."""
    path = tuple(part for part in details["loc"] if isinstance(part, str))
    found, allowed = _found_and_allowed(details, path)
    if path == ORDER:
        place = ("program", str(details["input"]))
        return Problem(origins.get(ORDER) or source.origin(place), ("program",), found, allowed)
    return Problem(origins.get(path) or source.origin(path), path, found, allowed)


def _found_and_allowed(details: ErrorDetails, path: tuple[str, ...]) -> tuple[str, str]:
    reason = details.get("ctx", {}).get("error")
    if isinstance(reason, Refused):
        return reason.found, reason.allowed
    if details["type"] == "extra_forbidden":
        return "an unknown key", _keys(_model(path[:-1]), path[-1])
    if path == ORDER:
        if details["type"] == "too_short":
            return "no block", "a list of blocks: " + ", ".join(BLOCKS)
        name = str(details["input"])
        return f"the block {shown(name)}", ", ".join(BLOCKS) + meant(name, BLOCKS)
    found = "nothing"
    if details["type"] != "missing":
        found = shown(details["input"], hidden=path == SECRET)
    return found, _allowed_at(path) + (f" ({reason})" if str(reason or "") else "")


def _model(path: tuple[str, ...]) -> type[Settings]:
    model: type[Settings] = Config
    names = iter(path)
    for name in names:
        field = model.model_fields[name]
        if below := entries(field):
            next(names, None)  # the name of the entry
        model = below or section(field) or model
    return model


def _allowed_at(path: tuple[str, ...]) -> str:
    field = _model(path[:-1]).model_fields.get(path[-1])
    if field is None:  # an entry of its own naming
        return "a mapping of settings: " + _keys(_model(path))
    return _allowed(field)


def _keys(model: type[Settings], found: str = "") -> str:
    names = sorted(model.model_fields)
    return (", ".join(names) + meant(found, names)) if names else "no settings"


def _allowed(field: FieldInfo) -> str:
    for notation in field.metadata:
        if isinstance(notation, Notation):
            return notation.allowed + _example(field, notation)
    if below := entries(field):
        return "a mapping of names, each to settings: " + _keys(below)
    if below := section(field):
        return "a mapping of settings: " + _keys(below)
    *most, last = get_args(field.annotation)
    return f"{', '.join(most)} or {last}"


def _example(field: FieldInfo, notation: Notation[Any]) -> str:
    """The default, which also shows how it is written."""
    example = notation.write(field.default) if isinstance(field.default, float) else None
    return f", such as '{example}'" if example else ""
