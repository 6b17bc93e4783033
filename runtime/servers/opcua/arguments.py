"""Arguments of methods: their types, what of a type may be given, and how a call is refused.

too few                BadArgumentsMissing
too many               BadTooManyArguments
of another type        BadInvalidArgument, with BadTypeMismatch for each that is
not possible           BadInvalidArgument, with BadOutOfRange for each that is not
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from asyncua import ua
from asyncua.ua.status_codes import StatusCodes

from runtime.servers.opcua.values import VARIANTS
from runtime.tag import Tag

LONGEST_REASON = 1000  # characters


class Refusal(Exception):
    """A call is refused: the status of the call, and of its arguments if they are the reason."""

    def __init__(self, status: int, *arguments: int) -> None:
        super().__init__(status)
        self.result = ua.CallMethodResult(
            StatusCode=ua.StatusCode(ua.UInt32(status)),
            InputArgumentResults=[ua.StatusCode(ua.UInt32(code)) for code in arguments],
        )


@dataclass(frozen=True)
class Argument:
    """One argument. `possible` tells whether a value of the right type can be meant."""

    name: str
    kind: ua.VariantType
    doc: str
    possible: Callable[[Any], bool] = lambda value: True

    def fault(self, given: ua.Variant) -> int:
        """Good, or what is wrong with a given value."""
        if given.VariantType is not self.kind or given.is_array:
            return StatusCodes.BadTypeMismatch
        return StatusCodes.Good if self.possible(given.Value) else StatusCodes.BadOutOfRange


def checked(given: Sequence[ua.Variant], declared: Sequence[Argument]) -> list[Any]:
    """The values of arguments; raises Refusal if they are not as declared."""
    if len(given) < len(declared):
        raise Refusal(StatusCodes.BadArgumentsMissing)
    if len(given) > len(declared):
        raise Refusal(StatusCodes.BadTooManyArguments)
    faults = [one.fault(value) for one, value in zip(declared, given, strict=True)]
    if any(faults):
        raise Refusal(StatusCodes.BadInvalidArgument, *faults)
    return [value.Value for value in given]


def reason(required: bool = False) -> Argument:
    """Why, for the audit trail."""

    def possible(value: str | None) -> bool:
        words = (value or "").strip()
        missing = required and not words
        return not missing and len(words) <= LONGEST_REASON and is_text(words)

    doc = "Why, for the audit trail." + (" Required." if required else "")
    return Argument("Reason", ua.VariantType.String, doc, possible)


def value_of(tag: Tag) -> Argument:
    """A value that a tag is to have. What only the scan can judge, it does."""

    def possible(value: float) -> bool:
        return math.isfinite(value) and tag.low <= value <= tag.high

    doc = tag.doc
    if tag.states:
        doc = ", ".join(f"{number}: {word}" for number, word in tag.states.items())
    elif tag.unit.symbol:
        doc = f"In {tag.unit.symbol}. {tag.doc}"
    return Argument(tag.name, VARIANTS[tag.dtype], doc, possible)


def one_of(name: str, doc: str, words: Iterable[str]) -> Argument:
    """One of a few words."""
    known = frozenset(words)
    return Argument(name, ua.VariantType.String, doc, lambda value: value in known)


def is_text(words: str) -> bool:
    """Whether JSON and PostgreSQL can hold it: no lone surrogates, no zero bytes."""
    try:
        return b"\0" not in words.encode()
    except UnicodeEncodeError:
        return False
