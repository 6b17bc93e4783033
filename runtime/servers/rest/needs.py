"""What each route needs of whoever asks: said once, beside its responder; else nobody may."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, TypeAlias, TypeVar

import falcon

from runtime.security.permissions import Permission

F = TypeVar("F", bound=Callable[..., None])


class Anyone(Enum):
    """What needs no right of a role."""

    ANYBODY = "for anybody, signed in or not"
    SIGNED_IN = "for whoever has signed in, about himself"


ANYBODY, SIGNED_IN = Anyone.ANYBODY, Anyone.SIGNED_IN
Needed: TypeAlias = Permission | Anyone


def needing(needed: Needed | None, responder: F) -> F:
    """A responder that says what it needs."""
    responder.needs = needed  # type: ignore[attr-defined]
    return responder


class Application(falcon.App[Any, Any]):
    """An application that knows what each of its routes needs, by path and method."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.needs: dict[str, dict[str, Needed | None]] = {}

    def add_route(self, uri_template: str, resource: object, **named: Any) -> None:
        super().add_route(uri_template, resource, **named)
        suffix = f"_{named['suffix']}" if named.get("suffix") else ""
        self.needs[uri_template] = {
            method: getattr(responder, "needs", None)
            for method in falcon.COMBINED_METHODS
            if (responder := getattr(resource, f"on_{method.lower()}{suffix}", None))
        }
