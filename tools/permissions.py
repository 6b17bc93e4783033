"""Write docs/permissions.md: what every route of HTTP and every tag that can be asked for takes.

python -m tools.permissions
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from shutil import rmtree

import config
from runtime.layout import Capacity
from runtime.places import Places
from runtime.requests import Role
from runtime.security.permissions import RIGHTS, Permission, about
from runtime.servers.mirror import Mirror
from runtime.servers.rest.application import application
from runtime.servers.rest.asking import Asking
from runtime.servers.rest.needs import Needed
from runtime.servers.rest.queries import Queries
from runtime.servers.rest.snapshots import Snapshots
from runtime.tags import TAGS

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "permissions.md"
HEAD = """\
# Who may what

Written by `python -m tools.permissions` from what the program itself decides by. What is in no
table nobody may.

"""
Needs = Mapping[str, Mapping[str, Needed | None]]


def needs() -> Needs:
    """What the routes need, of an application that serves nobody."""
    settings = config.load(ROOT / "scan.yaml", {})
    capacity = Capacity.of(settings.capacity)
    with tempfile.TemporaryDirectory() as directory:
        places = Places(Path(directory))
        places.prepare()
        try:
            with (
                closing(Asking(Mirror(places, capacity, "rest"))) as asking,
                closing(Queries(str)) as queries,
            ):
                snapshots = Snapshots(places, capacity)
                return application(settings, places, snapshots, asking, queries).needs
        finally:
            rmtree(places.shared)


def page(needed: Needs) -> str:
    """The page."""
    return HEAD + "\n".join([*_rights(), "", *_routes(needed), "", *_tags()]) + "\n"


def _rights() -> Iterator[str]:
    yield "| permission | " + " | ".join(role.name.lower() for role in Role) + " |"
    yield "|---|" + "---|" * len(Role)
    for permission in Permission:
        marks = " | ".join("yes" if permission in RIGHTS[role] else "" for role in Role)
        yield f"| {permission.value} | {marks} |"


def _routes(needed: Needs) -> Iterator[str]:
    yield "| HTTP | path | is |"
    yield "|---|---|---|"
    for path, methods in sorted(needed.items()):
        for method, need in sorted(methods.items()):
            yield f"| {method} | `{path}` | {_words(need)} |"


def _tags() -> Iterator[str]:
    yield "| tag, in OPC UA, Modbus and HTTP | needs, by the value |"
    yield "|---|---|"
    for tag in TAGS:
        if wanted := about(tag):
            yield f"| `{tag!r}` | {'; '.join(sorted(need.value for need in wanted))} |"


def _words(need: Needed | None) -> str:
    if need is None:
        return "nobody's"
    return f"to {need.value}" if isinstance(need, Permission) else need.value


if __name__ == "__main__":
    PAGE.write_text(page(needs()))
