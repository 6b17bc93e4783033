"""The list of blocks as a controls engineer writes it, arranged for the model of the program."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from config.problem import Refused, shown
from config.program import BLOCKS, Program

_LIST = "a list of blocks, each a name or a name with its settings indented under it"


class Arrangement(dict[str, object]):
    """What a list of blocks says: `order`, and the settings by block."""

    @property
    def order(self) -> tuple[str, ...]:
        return tuple(cast("Iterable[str]", self["order"]))


def arranged(written: object) -> Arrangement | Program:
    """The list as it is written, arranged for the model; what is arranged already is left alone."""
    if isinstance(written, Arrangement | Program):
        return written
    if not isinstance(written, list | tuple):
        raise Refused(shown(written), _LIST)
    order: list[str] = []
    # Settings that a block must have are missed at their own key, whether it is there or not.
    settings: dict[str, object] = {name: {} for name in BLOCKS}
    for entry in written:
        if isinstance(entry, dict):
            if len(entry) != 1:
                raise Refused(f"{', '.join(entry) or 'nothing'} in one entry", _LIST)
            ((name, given),) = entry.items()
            settings[name] = given or {}
        elif isinstance(entry, str):
            name = entry
            settings.setdefault(name, {})
        else:
            raise Refused(f"{shown(entry)} as an entry", _LIST)
        order.append(name)
    return Arrangement(settings, order=order)
