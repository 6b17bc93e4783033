"""The OpenAPI document, from the resources themselves: spectree collects, this puts it right."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.metadata import version
from typing import Any, TypeVar, cast

import falcon
from pydantic import BaseModel, ValidationError
from spectree import Response, SecurityScheme, SpecTree
from spectree.models import InType, SecureType, SecuritySchemeData

from runtime.security.permissions import Permission
from runtime.servers.rest.models import ProblemDetails
from runtime.servers.rest.needs import ANYBODY, Needed, needing
from runtime.servers.rest.problems import MEDIA, invalid

TOKEN, SESSION = "token", "session"
VALIDATION = 422
NOT_MODIFIED = 304

F = TypeVar("F", bound=Callable[..., None])


def _refuse_invalid(
    req: falcon.Request, resp: falcon.Response, error: object, instance: object, adapter: object
) -> None:
    if isinstance(error, ValidationError):
        raise invalid(error, "query" if req.method == "GET" else "body")


SPEC = SpecTree(
    "falcon",
    title="Calejo Control Adapter",
    version=version("calejo"),
    description="Pump stations as the last scan left them, and emergency stops. Values are in the"
    " units that stand beside them, times in UTC. Errors are problem details (RFC 9457).",
    mode="strict",
    annotations=False,
    page_templates={},
    before=_refuse_invalid,
    validation_error_status=VALIDATION,
    validation_error_model=ProblemDetails,
    naming_strategy=lambda model: model.__name__,
    nested_naming_strategy=lambda _parent, child: child,
    security_schemes=[
        SecurityScheme(
            name=TOKEN,
            data=SecuritySchemeData(
                type=SecureType.HTTP,
                scheme="bearer",
                description="The contents of the file `token` of the state directory: for machines"
                " on this computer, and when the database is away.",
            ),
        ),
        SecurityScheme(
            name=SESSION,
            data=SecuritySchemeData(
                type=SecureType.API_KEY,
                name="__Host-calejo",
                field_in=InType.COOKIE,
                description="Set by POST /api/v1/sessions; `calejo` over plain HTTP. A change also"
                " takes its `csrf` as the header X-CSRF.",
            ),
        ),
    ],
)


def documented(
    reply: type[BaseModel] | None,
    *,
    status: Iterable[int] = (200,),
    refusals: Iterable[int] = (),
    query: type[BaseModel] | None = None,
    body: type[BaseModel] | None = None,
    protected: bool = False,
    needs: Needed | None = None,
    about: str,
) -> Callable[[F], F]:
    """Say what a responder takes and gives. Query and body are validated before it is called.

    `protected` says that reading it takes somebody who has signed in; a change always does.
    `needs` is what that takes: unless it is said, reading takes the right to look, and a change
    is nobody's.
    """
    closed = needs is not ANYBODY and (body is not None or protected)
    has_body = {code: reply for code in status if reply is not None and code != NOT_MODIFIED}
    codes = {f"HTTP_{code}": model for code, model in has_body.items()}
    plain = [f"HTTP_{code}" for code in status if code not in has_body]
    errors = {f"HTTP_{code}": ProblemDetails for code in refusals}
    if needs is None and body is None:
        needs = Permission.LOOK
    validated = cast(
        Callable[[F], F],
        SPEC.validate(
            query=query,
            json=body,
            resp=Response(*plain, **codes, **errors),
            security=[{TOKEN: []}, {SESSION: []}] if closed else [],
            tags=[about],
        ),
    )

    def declared(responder: F) -> F:
        return needing(needs, validated(responder))

    return declared


def document(app: falcon.App[Any, Any]) -> dict[str, Any]:
    """The document of an application whose routes are all there."""
    SPEC.app = app
    spec: dict[str, Any] = SPEC.spec
    paths = {path.replace("\\", ""): told for path, told in spec["paths"].items()}
    for operations in paths.values():
        for operation in operations.values():
            _put_right(operation)
    return {**spec, "paths": paths}


def _put_right(operation: dict[str, Any]) -> None:
    """Errors have a media type of their own; only what takes input can be invalid."""
    responses = operation["responses"]
    takes_input = "requestBody" in operation or any(
        parameter["in"] == "query" for parameter in operation["parameters"]
    )
    if not takes_input:
        responses.pop(str(VALIDATION), None)
    if any(parameter["name"] == "format" for parameter in operation["parameters"]):
        responses["200"]["content"]["text/csv"] = {"schema": {"type": "string"}}
    problem = {"schema": {"$ref": f"#/components/schemas/{ProblemDetails.__name__}"}}
    responses["default"] = {"description": "Any other refusal", "content": {MEDIA: problem}}
    for response in responses.values():
        if problem in response.get("content", {}).values():
            response["content"] = {MEDIA: problem}
