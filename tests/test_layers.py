"""The layers of the design: who may import what, and what must stay out of whose reach."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("runtime", "blocks", "config", "tools", "tests")


@dataclass(frozen=True)
class Rule:
    """What the modules in `of` (but not in `but`) may import, or must not import or `reach`."""

    why: str
    of: tuple[str, ...]
    only: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    reach: bool = False


RULES = (
    Rule(
        "a block is a pure function of the image: no clock, no files, no machinery",
        of=("blocks",),
        only=(
            *("blocks", "runtime", "runtime.alarm", "runtime.tag", "runtime.tags"),
            *("runtime.layout", "runtime.compiled", "numpy", "__future__", "abc", "collections"),
            *(
                "dataclasses",
                "enum",
                "functools",
                "inspect",
                "itertools",
                "math",
                "operator",
                "typing",
            ),
        ),
    ),
    Rule(
        "a server mirrors snapshots and posts requests: the scan is out of its reach",
        of=("runtime.servers",),
        never=("runtime.scan", "runtime.program", "blocks"),
        reach=True,
    ),
    Rule(
        "the scan waits for no database, network or log",
        of=("runtime.scan", "runtime.program"),
        never=(
            *("psycopg", "psycopg_pool", "sqlite3", "socket", "ssl", "asyncio", "subprocess"),
            *("pymodbus", "asyncua", "falcon", "waitress", "logging", "structlog"),
        ),
        reach=True,
    ),
    Rule(
        "one place talks to PostgreSQL, and one more asks it for reports",
        of=PACKAGES,
        but=("runtime.database", "runtime.servers.rest.queries", "tools", "tests"),
        never=("psycopg", "psycopg_pool"),
    ),
    Rule(
        "servers read what is kept; what feeds the scan and stores its records is out of reach",
        of=("runtime.servers",),
        never=tuple(
            f"runtime.database.{part}"
            for part in ("inputs", "uploads", "plans", "feedback", "discovery", "migrations")
        ),
    ),
    Rule("what runs needs no tools", of=("runtime", "blocks", "config"), never=("tools",)),
    Rule("nothing needs tests", of=("runtime", "blocks", "config", "tools"), never=("tests",)),
    Rule(
        "the configuration knows nothing of what it configures",
        of=("config",),
        never=("runtime", "blocks", "tools"),
        reach=True,
    ),
)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def exactly_or_below(name: str, allowed: tuple[str, ...]) -> bool:
    """As `within`, but the bare package `runtime` does not open all that is below it."""
    return name in allowed or within(name, tuple(entry for entry in allowed if entry != "runtime"))


class Imports:
    """Which module imports which, for all Python files of some packages below a folder."""

    def __init__(self, root: Path, packages: tuple[str, ...] = PACKAGES) -> None:
        files = {
            _module_name(file.relative_to(root)): file
            for package in packages
            for file in sorted((root / package).rglob("*.py"))
        }
        self.modules = frozenset(files)
        self.of = {name: frozenset(self._imports(name, file)) for name, file in files.items()}

    def _imports(self, module: str, file: Path) -> Iterator[str]:
        package = module if file.name == "__init__.py" else module.rpartition(".")[0]
        for node in ast.walk(ast.parse(file.read_bytes(), file.name)):
            for name in _named(node, package):
                found = name
                while found not in self.modules and "." in found and within(found, PACKAGES):
                    found = found.rpartition(".")[0]  # a name inside a module: the module
                yield found
                while found in self.modules and "." in found:
                    found = found.rpartition(".")[0]  # importing a module runs its packages
                    yield found

    def chains(self, module: str, far: bool) -> Iterator[tuple[str, ...]]:
        """A chain of imports for everything that the module imports, or also reaches by others."""
        seen = {module}
        waiting: list[tuple[str, ...]] = [(module,)]
        while waiting:
            chain = waiting.pop(0)
            for name in sorted(self.of.get(chain[-1], frozenset()) - seen):
                seen.add(name)
                yield (*chain, name)
                if far:
                    waiting.append((*chain, name))


def _module_name(file: Path) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _named(node: ast.AST, package: str) -> Iterator[str]:
    """The full names that a statement imports; an import hidden in a call is one too."""
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            above = package.split(".")[: len(package.split(".")) + 1 - level] if level else []
            base = ".".join([*above, module] if module else above)
            inside = within(base, PACKAGES)
            yield from (f"{base}.{alias.name}" if inside else base for alias in names)
        case ast.Call(
            func=ast.Name(id="__import__" | "import_module") | ast.Attribute(attr="import_module"),
            args=[ast.Constant(value=str(name)), *_],
        ):
            yield name


def violations(imports: Imports, rules: tuple[Rule, ...] = RULES) -> list[str]:
    """Each import that breaks a rule, with its chain and the reason for the rule."""
    found = []
    for rule in rules:
        for module in sorted(imports.modules):
            if not within(module, rule.of) or within(module, rule.but):
                continue
            for chain in imports.chains(module, far=rule.reach):
                name = chain[-1]
                outside = rule.only and not exactly_or_below(name, rule.only)
                if outside or within(name, rule.never):
                    found.append(f"{' -> '.join(chain)}: {rule.why}")
    return found


def test_every_module_keeps_to_its_layer() -> None:
    assert violations(Imports(ROOT)) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.why)
def test_rules_speak_of_modules_that_exist(rule: Rule) -> None:
    modules = Imports(ROOT).modules
    named = {*rule.of, *rule.but, *(name for name in rule.never if within(name, PACKAGES))}
    assert named <= modules | set(PACKAGES)


@pytest.mark.parametrize(
    ("module", "source", "chain"),
    [
        ("blocks.pump", "import time", "blocks.pump -> time"),
        ("blocks.pump", "from runtime.scan import Scan", "blocks.pump -> runtime.scan"),
        ("blocks.pump", "import runtime.database", "blocks.pump -> runtime.database"),
        ("blocks.pump", "def f():\n    import os", "blocks.pump -> os"),
        ("runtime.servers.modbus", "from .. import scan", "runtime.servers.modbus -> runtime.scan"),
        ("runtime.servers.opcua.tree", "import blocks", "runtime.servers.opcua.tree -> blocks"),
        (
            "runtime.servers.modbus",
            "from runtime import between",
            "runtime.servers.modbus -> runtime.between -> runtime.scan",
        ),
        ("runtime.scan", "import runtime.speaks", "runtime.scan -> runtime.speaks -> socket"),
        ("runtime.alerts", "from psycopg.rows import x", "runtime.alerts -> psycopg.rows"),
        ("runtime.servers.rest.pages", "import psycopg", "runtime.servers.rest.pages -> psycopg"),
        ("runtime.cli", "from tools import bench", "runtime.cli -> tools.bench"),
        ("runtime.cli", "import importlib as i; i.import_module('tools')", "runtime.cli -> tools"),
        ("tools.replay", "from tests import plant", "tools.replay -> tests"),
        ("config.load", "from runtime.tags import Pump", "config.load -> runtime.tags"),
    ],
)
def test_a_broken_layer_is_told_with_its_chain(
    tmp_path: Path, module: str, source: str, chain: str
) -> None:
    written = {
        "runtime.tags": "",
        "runtime.scan": "",
        "runtime.between": "import runtime.scan",
        "runtime.speaks": "import socket",
        "runtime.database": "import psycopg",
        "tools.bench": "import runtime.database, psycopg",
        module: source,
    }
    assert chain in [line.partition(":")[0] for line in violations(_tree(tmp_path, written))]


def test_what_the_layers_allow_is_not_reported(tmp_path: Path) -> None:
    written = {
        "blocks.pump": "import numpy as np\nfrom runtime.tags import Pump\nfrom . import block",
        "blocks.block": "from collections.abc import Iterator",
        "runtime.tags": "",
        "runtime.scan": "import blocks.pump, time, mmap",
        "runtime.servers.rest.queries": "import psycopg_pool",
        "runtime.database.inputs": "from psycopg import sql",
        "tools.bench": "import psycopg\nfrom runtime import scan",
        "config.load": "import yaml",
    }
    assert violations(_tree(tmp_path, written)) == []


def _tree(root: Path, written: dict[str, str]) -> Imports:
    for module, source in written.items():
        file = root / (module.replace(".", "/") + ".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source)
    return Imports(root)
