"""Replies that mirror the image: the head that every one has, entity tags, no stale reuse."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import falcon
import orjson

from runtime.servers.rest.problems import Problem
from runtime.servers.rest.snapshots import Snapshot, Snapshots
from runtime.tags import System

WORTH_ZIPPING = 4096  # bytes


def encoded(value: object) -> bytes:
    """JSON; times end in Z."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


def send(resp: falcon.Response, value: object) -> None:
    """Reply with a value."""
    resp.content_type = falcon.MEDIA_JSON
    resp.data = encoded(value)


def utc(seconds: float) -> datetime | None:
    """A UTC tag as a time; None for 0, which says never."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def newest(snapshots: Snapshots) -> Snapshot:
    """The newest snapshot. Refuses the request while there is none."""
    if (snapshot := snapshots.newest()) is None:
        raise Problem(
            503,
            "There is no image yet: the scan has not published one. `calejo status` says why.",
            headers={"Retry-After": "1"},
        )
    return snapshot


def head(snapshot: Snapshot) -> dict[str, Any]:
    """Which scan a reply shows, and how old that is now."""
    return {
        "scan": snapshot.scan,
        "time": snapshot.time,
        "age_s": round(snapshot.age, 3),
        "period_s": snapshot.columns.value(System.Period),
        "live": snapshot.live,
    }


def mirror(
    req: falcon.Request,
    resp: falcon.Response,
    snapshot: Snapshot,
    render: Callable[[], dict[str, Any]],
    key: str = "",
) -> None:
    """Reply with the head and what `render` makes of the snapshot, or with 304.

    Whoever asks for the same `key`, which is the path unless given, shares what is made.

    The tag is weak: the age in the head is none of what it stands for. A 304 is no proof of a
    running scan, but the tag changes with each scan and when it stops.
    """
    resp.set_header("ETag", f'W/"{snapshot.tag}"')
    if snapshot.tag in (req.if_none_match or ()):
        resp.status = falcon.HTTP_304
        return
    made = snapshot.rendered(key or req.path, lambda: encoded({**head(snapshot), **render()}))
    resp.content_type = falcon.MEDIA_JSON
    if takes_zipped(req, resp, made.plain):
        resp.data = made.zipped
    else:
        resp.data = made.plain


def takes_zipped(req: falcon.Request, resp: falcon.Response, plain: bytes) -> bool:
    """Whether the reply shall be compressed; if so, says so in its header."""
    resp.append_header("Vary", "Accept-Encoding")
    if len(plain) < WORTH_ZIPPING or "gzip" not in (req.get_header("Accept-Encoding") or ""):
        return False
    resp.set_header("Content-Encoding", "gzip")
    return True
