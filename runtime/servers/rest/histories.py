"""What the replies from PostgreSQL have in common: refusals while it is away, entity tags."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import falcon
import structlog

from runtime.servers.rest.problems import Problem
from runtime.servers.rest.queries import Away, Busy
from runtime.servers.rest.replies import takes_zipped
from runtime.servers.rest.snapshots import zipped

logger = structlog.get_logger()


@contextmanager
def asking(instead: str) -> Iterator[None]:
    """Ask the database inside. While it can't answer, the request is refused, with `instead`."""
    try:
        yield
    except Busy:
        detail = "Too many histories are being read at a time."
    except Away as error:
        logger.warning("history unavailable", reason=str(error))
        detail = f"The database does not answer; {instead}."
    else:
        return
    raise Problem(503, detail, headers={"Retry-After": "2"})


def send_unless_known(
    req: falcon.Request, resp: falcon.Response, data: bytes, kind: str = falcon.MEDIA_JSON
) -> None:
    """Reply with data, or with 304 to whoever has them. Weakly tagged: they may be compressed."""
    tag = hashlib.blake2b(data, digest_size=16).hexdigest()
    resp.set_header("ETag", f'W/"{tag}"')
    if tag in (req.if_none_match or ()):
        resp.status = falcon.HTTP_304
        return
    resp.content_type = kind
    resp.data = zipped(data) if takes_zipped(req, resp, data) else data
