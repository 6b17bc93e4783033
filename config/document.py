"""A YAML file as plain text values, each with the line that it stands on.

Every scalar stays the text that was written: what it means is for the model to say. YAML's own
guesses (20:00 is 1200, no is false, 1e3 is a text) would reach the engineer as riddles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import yaml

from config.problem import Origin, Problem, shown

Tree: TypeAlias = "dict[str, Tree] | list[Tree] | str"

_LARGEST = 1_000_000
_PLAIN = ("str", "seq", "map")


@dataclass
class Document:
    """What a file holds, where each part of it stands, and what is wrong with its form.

    Without a `tree` nothing of it could be read.
    """

    name: str
    tree: dict[str, Tree] | None = None
    lines: dict[tuple[str, ...], int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, line: int, path: tuple[str, ...], found: str, allowed: str) -> None:
        self.problems.append(Problem(Origin(self.name, line), path, found, allowed))

    def origin(self, path: tuple[str, ...]) -> Origin:
        """File and line of a path, or of the nearest part of it that is there."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return Origin(self.name, self.lines[path[:length]])
        return Origin(self.name)


def read(path: Path) -> Document:
    """The document at `path`; whatever keeps it from being read stands in its problems."""
    document = Document(str(path))
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        document.refuse(0, (), f"no file to read ({error.strerror})", "a YAML file")
        return document
    if len(content) > _LARGEST:
        document.refuse(0, (), "more than 1 MB", "a YAML file of at most 1 MB")
        return document
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        document.refuse(line, (), f"byte 0x{content[error.start]:02x}", "text in UTF-8")
        return document
    _parse(text, document)
    return document


def _parse(text: str, document: Document) -> None:
    try:
        root = yaml.compose(text, Loader=yaml.BaseLoader)
        if root is None:
            document.refuse(1, (), "nothing", "a mapping of settings, such as 'period: 100 ms'")
            return
        tree = _Walk(document).value(root, ())
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        document.refuse(line, (), f"the character U+{int(error.character):04X}", "printable text")
    except yaml.MarkedYAMLError as error:
        # Neither message nor excerpt of the library: they quote the line, which may be a secret.
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        tab = "\\t" in str(error.problem)
        found = "a tab" if tab else "text that is not YAML"
        allowed = "spaces for indentation" if tab else "'key: value' and '- item'"
        document.refuse(line, (), f"{found}{_reason(error)}", allowed)
    except RecursionError:
        document.refuse(0, (), "mappings or lists nested too deeply", "settings")
    else:
        if isinstance(tree, dict):
            document.tree = tree
        else:
            document.refuse(1, (), shown(tree), "a mapping of settings, such as 'period: 100 ms'")


def _reason(error: yaml.MarkedYAMLError) -> str:
    """The library's reason as far as it quotes nothing of the file."""
    problem = str(error.problem or "")
    return f" ({problem})" if problem and "'" not in problem and '"' not in problem else ""


class _Walk:
    """From YAML's nodes to plain values. An item of a list is known by its name, not its place."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.visited: set[int] = set()

    def value(self, node: yaml.Node, path: tuple[str, ...]) -> Tree:
        line = node.start_mark.line + 1
        self.document.lines.setdefault(path, line)
        if id(node) in self.visited:
            # An alias could make a small file expand without end.
            self.document.refuse(line, path, "an alias (*)", "the value itself")
            return ""
        self.visited.add(id(node))
        if node.tag.removeprefix("tag:yaml.org,2002:") not in _PLAIN:
            self.document.refuse(line, path, f"the tag {shown(node.tag)}", "a value without a tag")
        if isinstance(node, yaml.MappingNode):
            return dict(self._entries(node, path))
        if isinstance(node, yaml.SequenceNode):
            return [self._item(item, path) for item in node.value]
        return str(node.value)

    def _item(self, node: yaml.Node, path: tuple[str, ...]) -> Tree:
        named = isinstance(node, yaml.ScalarNode)
        return self.value(node, (*path, str(node.value)) if named else path)

    def _entries(self, node: yaml.MappingNode, path: tuple[str, ...]) -> Iterator[tuple[str, Tree]]:
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self.document.refuse(line, path, "a list or mapping as key", "a name as key")
                continue
            key = str(key_node.value)
            if key in first:
                found = f"this key a second time (first in line {first[key]})"
                self.document.refuse(line, (*path, key), found, "each key once")
                continue
            first[key] = line
            self.document.lines[(*path, key)] = line
            yield key, self.value(value_node, (*path, key))
