"""Refusals and failures as problem details (RFC 9457): what, where, found, allowed."""

from __future__ import annotations

import http
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NoReturn

import falcon
import orjson
import structlog
from pydantic import ValidationError
from pydantic_core import ErrorDetails

MEDIA = "application/problem+json"
LISTED = 20  # names told to someone who asked for an unknown one
SECRET = {"password", "new"}  # fields that no answer and no record shows
SHOWN = 80  # characters of a value that is quoted
_SHOULD = re.compile(r"^(Input|String) should (be|have) ")

logger = structlog.get_logger()


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a request."""

    where: str
    what: str
    found: str
    allowed: str


class Problem(Exception):
    """The answer to a request that can't be served."""

    def __init__(
        self,
        status: int,
        detail: str,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.faults = faults
        self.headers = headers or {}


def document(
    status: int,
    detail: str,
    faults: Sequence[Fault] = (),
    instance: str = "",
    correlation: str = "",
) -> bytes:
    """The body of a problem. Its type is `about:blank`: the status and the words say it all."""
    members: dict[str, Any] = {
        "type": "about:blank",
        "title": http.HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": instance,
        "correlation_id": correlation,
        "errors": [asdict(fault) for fault in faults],
    }
    return orjson.dumps(members)


def unknown(
    what: str, where: str, found: object, known: Iterable[object], within: str = ""
) -> Problem:
    """Something was named that does not exist; tells what does."""
    names = [str(name) for name in known]
    allowed = ", ".join(names[:LISTED]) or "none: there is none yet"
    if len(names) > LISTED:
        allowed += f" and {len(names) - LISTED} more"
    fault = Fault(where, f"unknown {what}", quoted(found), allowed)
    return Problem(404, f"There is no {what} {quoted(found)}{within}.", [fault])


def quoted(value: object) -> str:
    """A value as an error message shows it."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def invalid(error: ValidationError, where: str) -> Problem:
    """The problem with input that a model refused. `where` is the part of the request."""
    faults = [_fault(details, where) for details in error.errors(include_url=False)]
    told = "; ".join(f"{f.where}: {f.what}, allowed: {f.allowed}" for f in faults)
    return Problem(422, f"The request is not valid. {told}.", faults)


def _fault(details: ErrorDetails, where: str) -> Fault:
    place = ".".join([where, *(str(part) for part in details["loc"])])
    kind, context = details["type"], details.get("ctx", {})
    found = "not shown" if SECRET & set(details["loc"]) else quoted(details["input"])
    if kind == "extra_forbidden":
        return Fault(place, "unknown field", found, "no such field")
    if kind == "missing":
        return Fault(place, "missing", "nothing", "a value")
    if kind == "model_type":
        return Fault(place, "wrong type", found, "a JSON object")
    if kind == "string_pattern_mismatch":
        return Fault(place, "control characters", found, "printable characters")
    if kind == "value_error":
        return Fault(place, "does not fit", found, str(context["error"]))
    return Fault(place, kind.replace("_", " "), found, _SHOULD.sub("", details["msg"]))


def install(app: falcon.App[Any, Any]) -> None:
    """Make every error of the application a problem."""
    app.add_error_handler(Exception, _on_fault_of_ours)
    app.add_error_handler(falcon.HTTPError, _on_http_error)
    app.add_error_handler(Problem, _on_problem)


def _answer(req: falcon.Request, resp: falcon.Response, problem: Problem) -> None:
    correlation = str(req.context.get("correlation", ""))
    req.context.problem = problem.detail
    resp.status = falcon.code_to_http_status(problem.status)
    resp.content_type = MEDIA
    resp.data = document(problem.status, problem.detail, problem.faults, req.path, correlation)
    resp.set_header("Cache-Control", "no-store")
    resp.set_headers(dict(problem.headers))


def _on_problem(
    req: falcon.Request, resp: falcon.Response, problem: Problem, params: dict[str, Any]
) -> None:
    _answer(req, resp, problem)


def _on_http_error(
    req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError, params: dict[str, Any]
) -> None:
    """What Falcon itself refuses: routes, methods, media, query strings."""
    headers = dict(error.headers or {})
    detail = error.description or error.title or "The request can't be served."
    faults = []
    if isinstance(error, falcon.HTTPRouteNotFound):
        detail = f"There is nothing at {req.path}; /docs describes what there is."
        faults = [Fault("path", "unknown path", quoted(req.path), "a path of /api/v1/openapi.json")]
    elif isinstance(error, falcon.HTTPMethodNotAllowed):
        detail = f"{req.method} is not possible at {req.path}."
        faults = [Fault("method", "not allowed", req.method, headers.get("Allow", ""))]
    elif isinstance(error, falcon.MediaMalformedError):
        faults = [Fault("body", "not JSON", str(error.__cause__ or error), "a JSON object")]
    _answer(req, resp, Problem(error.status_code, detail, faults, headers))


def _on_fault_of_ours(
    req: falcon.Request, resp: falcon.Response, error: Exception, params: dict[str, Any]
) -> None:
    """A defect: the log has the details, the client only what it can tell us."""
    logger.exception("request failed", method=req.method, path=req.path, error=repr(error))
    _answer(req, resp, Problem(500, "The server failed; its log says why, under this correlation."))


def refuse(status: int, detail: str, fault: Fault, **headers: str) -> NoReturn:
    """Refuse a request for one reason. Headers are named with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    raise Problem(status, detail, [fault], named)
