"""The audit log, and the story of a request: for those who may read the audit log."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any, Literal

import falcon
import orjson
from pydantic import AwareDatetime, ConfigDict, Field, model_validator

from runtime import equipment
from runtime.audit.report import Report, write_csv
from runtime.audit.wanted import Wanted
from runtime.database.asking import Row
from runtime.database.trace_words import told
from runtime.places import Places
from runtime.security.permissions import Permission
from runtime.servers.rest.asked import PRINTABLE
from runtime.servers.rest.histories import asking, send_unless_known
from runtime.servers.rest.models import MANY, Model
from runtime.servers.rest.openapi import documented
from runtime.servers.rest.problems import Fault, Problem, quoted
from runtime.servers.rest.queries import Queries
from runtime.servers.rest.replies import encoded

CSV = "text/csv; charset=utf-8"
INSTEAD = "a shorter period is answered sooner, and `calejo audit search` waits for any"


def _text(description: str) -> Any:
    return Field(None, max_length=200, pattern=PRINTABLE, description=description)


class AuditWanted(Model):
    """Which entries: all that is given has to fit."""

    since: AwareDatetime | None = Field(None, description="Happened then or later.")
    until: AwareDatetime | None = Field(None, description="Happened before.")
    user: str | None = _text("Who, such as operator, modbus or calejo.")
    action: str | None = _text("What, or a part of it, such as `emergency stop`.")
    object: str | None = _text("On what, or a part of it, such as KW-NORD/1.")
    result: str | None = _text("What became of it: executed, asked, refused, too late, …")
    text: str | None = _text("Any text of an entry: reason, address, details, …")
    correlation: str | None = _text("The id of a request, or the number the scan knows it by.")
    before: int | None = Field(
        None, ge=1, le=2**63 - 1, description="Older than this entry: `next` of the page before."
    )
    limit: int = Field(100, ge=1, le=MANY, description="Most entries, the newest first.")
    format: Literal["json", "csv"] | None = Field(
        None, description="Unless it is given, CSV for those who accept nothing but text/csv."
    )

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> AuditWanted:
        if self.since and self.until and self.since >= self.until:
            raise ValueError("a period that ends after it begins: since < until")
        return self

    @property
    def wanted(self) -> Wanted:
        return Wanted(**self.model_dump(include=set(Wanted.__dataclass_fields__)))


class AuditEntry(Model):
    number: int
    occurred_at: datetime = Field(description="By the clock of the runtime.")
    recorded_at: datetime = Field(description="By the clock of the database.")
    user: str
    role: str | None
    protocol: str | None
    address: str | None
    action: str
    object: str | None
    result: str
    reason: str | None
    correlation_id: str | None
    details: dict[str, Any]
    hash: str = Field(description="SHA-256, in hexadecimal; `calejo audit verify` checks them.")


class AuditPage(Model):
    entries: list[AuditEntry]
    next: int | None = Field(description="What `before` has to be for the next page; null: none.")


class AuditResource:
    """The audit log."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    @documented(
        AuditPage,
        status=(200, 304),
        query=AuditWanted,
        needs=Permission.READ_AUDIT,
        refusals=(401, 403, 503),
        protected=True,
        about="audit",
    )
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Entries of the audit log, the newest first; as JSON, or as CSV."""
        asked: AuditWanted = req.context.query
        with asking(INSTEAD):
            rows = self._queries.audit(asked.wanted, asked.limit + 1, asked.before)
        page = rows[: asked.limit]
        following = page[-1]["number"] if len(rows) > asked.limit else None
        if following is not None:
            rest = {name: value for name, value in req.params.items() if name != "before"}
            query = falcon.to_query_str({**rest, "before": following}, comma_delimited_lists=False)
            resp.append_link(f"{req.path}{query}", "next")
        resp.append_header("Vary", "Accept")
        if (asked.format or _preferred(req)) == "csv":
            send_unless_known(req, resp, _as_csv(page), CSV)
            return
        entries = [row | {"details": orjson.Fragment(row["details"])} for row in page]
        send_unless_known(req, resp, encoded({"entries": entries, "next": following}))


def _preferred(req: falcon.Request) -> str:
    preferred = req.client_prefers((falcon.MEDIA_JSON, "text/csv"))
    return "csv" if preferred == "text/csv" else "json"


def _as_csv(rows: list[Row]) -> bytes:
    file = io.StringIO()
    write_csv(Report({}, True, {}, rows), file)
    return file.getvalue().encode()


class Step(Model):
    """A record; what it holds besides depends on where it was found."""

    model_config = ConfigDict(extra="allow")

    at: datetime
    found_in: str = Field(description="A table, or the spool in which it still waits.")
    words: str


class Story(Model):
    ids: list[str] = Field(description="All that the records go by.")
    history: Literal["available", "unavailable"] = Field(
        description="Unavailable: the database is away, and only what waits in the spools is told."
    )
    steps: list[Step] = Field(description="In order of time.")


class TraceResource:
    """All that became of a request."""

    def __init__(self, places: Places, queries: Queries) -> None:
        self._places = places
        self._queries = queries

    @documented(
        Story,
        status=(200, 304),
        needs=Permission.READ_AUDIT,
        refusals=(401, 403, 404, 503),
        protected=True,
        about="audit",
    )
    def on_get(self, req: falcon.Request, resp: falcon.Response, identity: str) -> None:
        """Who asked for what, which scan executed it, what followed, and who was told of it.

        The id is the X-Correlation-Id of a reply, the id of an emergency stop, or any other that a
        record or a line of the log goes by.
        """
        fault = Fault("id", "unknown id", quoted(identity), "the id of a request")
        if not identity.isprintable():
            raise Problem(404, f"Nothing is known of {quoted(identity)}.", [fault])
        listed = equipment.load(self._places.equipment)
        with asking("`calejo trace` tells what waits in the spools"):
            story, available = self._queries.story(self._places, listed, identity)
        if not story.steps:
            if not available:
                raise Problem(503, "Nothing waits under this id, and the database is away.")
            raise Problem(404, f"Nothing is known of {quoted(identity)}.", [fault])
        steps = [step | {"words": told(step)} for step in story.steps]
        history = "available" if available else "unavailable"
        body = {"ids": story.ids, "history": history, "steps": steps}
        send_unless_known(req, resp, encoded(body))
