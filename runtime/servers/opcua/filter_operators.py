"""Operators of event filters (Part 4, 7.7.3), and how values are compared.

What can't be compared is neither true nor false, but null; so is what an operator makes of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from asyncua import ua

from runtime.servers.opcua.event import Event

MOST_OPERANDS = 500  # of one element: the values of a list

Operand = Callable[[Event], Any]
_Op = ua.FilterOperator


def plain(variant: ua.Variant | None) -> Any:
    """A value as it is compared: text without its locale, ids without their kinds."""
    value = variant.Value if variant is not None else None
    match value:
        case ua.LocalizedText():
            return value.Text
        case ua.QualifiedName():
            return value.Name
        case ua.NodeId():
            return (value.NamespaceIndex, value.Identifier)
    return value


def like(text: object, pattern: object) -> bool | None:
    """Whether text is like a pattern: % any characters, _ one, [..] one of some, \\ as it is."""
    if not isinstance(text, str) or not isinstance(pattern, str):
        return None
    parts, rest = [], pattern
    while rest:
        found = _LIKE.match(rest)
        assert found is not None  # the last alternative takes anything
        rest = rest[found.end() :]
        any_number, one, escaped, excluded, listed, literal = found.groups()
        if listed is not None:
            inside = re.sub(r"([\\\]\[^&~|])", r"\\\1", listed)
            parts.append(f"[{'^' if excluded else ''}{inside}]")
        else:
            parts.append(".*" if any_number else "." if one else re.escape(escaped or literal))
    try:
        return re.fullmatch("".join(parts), text, re.DOTALL) is not None
    except re.error:  # as a range from z to a
        return False


_LIKE = re.compile(r"(%)|(_)|\\(.)|\[(\^?)([^\]]+)\]|(.)", re.DOTALL)


def _compared(compare: Callable[[Any, Any], bool]) -> Callable[[Operand, Operand], Operand]:
    def made(left: Operand, right: Operand) -> Operand:
        def judge(event: Event) -> bool | None:
            one, other = left(event), right(event)
            if one is None or other is None:
                return None
            try:
                return bool(compare(one, other))
            except TypeError:
                return None

        return judge

    return made


def _between(value: Operand, low: Operand, high: Operand) -> Operand:
    at_least = _compared(lambda one, other: one >= other)(value, low)
    at_most = _compared(lambda one, other: one <= other)(value, high)
    return _and(at_least, at_most)


def _in_list(value: Operand, *listed: Operand) -> Operand:
    return lambda event: value(event) in [one(event) for one in listed]


def _and(left: Operand, right: Operand) -> Operand:
    def judge(event: Event) -> bool | None:
        found = (_truth(left(event)), _truth(right(event)))
        return False if False in found else None if None in found else True

    return judge


def _or(left: Operand, right: Operand) -> Operand:
    def judge(event: Event) -> bool | None:
        found = (_truth(left(event)), _truth(right(event)))
        return True if True in found else None if None in found else False

    return judge


def _not(operand: Operand) -> Operand:
    def judge(event: Event) -> bool | None:
        found = _truth(operand(event))
        return None if found is None else not found

    return judge


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _bitwise(combine: Callable[[int, int], int]) -> Callable[[Operand, Operand], Operand]:
    def made(left: Operand, right: Operand) -> Operand:
        def judge(event: Event) -> int | None:
            one, other = left(event), right(event)
            whole = isinstance(one, int) and isinstance(other, int)
            return combine(one, other) if whole else None

        return judge

    return made


OPERATORS: dict[ua.FilterOperator, Callable[..., Operand]] = {
    _Op.Equals: _compared(lambda one, other: one == other),
    _Op.IsNull: lambda operand: lambda event: operand(event) is None,
    _Op.GreaterThan: _compared(lambda one, other: one > other),
    _Op.LessThan: _compared(lambda one, other: one < other),
    _Op.GreaterThanOrEqual: _compared(lambda one, other: one >= other),
    _Op.LessThanOrEqual: _compared(lambda one, other: one <= other),
    _Op.Like: lambda text, pattern: lambda event: like(text(event), pattern(event)),
    _Op.Not: _not,
    _Op.Between: _between,
    _Op.InList: _in_list,
    _Op.And: _and,
    _Op.Or: _or,
    _Op.BitwiseAnd: _bitwise(lambda one, other: one & other),
    _Op.BitwiseOr: _bitwise(lambda one, other: one | other),
}
COUNTS: dict[ua.FilterOperator, tuple[int, int]] = dict.fromkeys(OPERATORS, (2, 2)) | {
    _Op.IsNull: (1, 1),
    _Op.Not: (1, 1),
    _Op.OfType: (1, 1),
    _Op.Between: (3, 3),
    _Op.InList: (2, MOST_OPERANDS),
}
