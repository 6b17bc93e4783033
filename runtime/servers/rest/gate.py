"""What every request passes: from here only, not on behalf of another page, by who may ask it.

A page of some other site that a browser on this machine has open can send requests to loopback
addresses too. It can't name us as `Host` (unless it rebinds its own name, which is refused), can't
send JSON without being asked, and says where it comes from.
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Mapping
from typing import Any

import falcon
import structlog
from pydantic import BaseModel

from runtime.requests import Role, Source
from runtime.security.permissions import RIGHTS, Permission, may
from runtime.servers.correlation import of_headers
from runtime.servers.refusals import Refusals, Refused
from runtime.servers.rest.asking import asked
from runtime.servers.rest.identity import Identities, Known, unknown_asker
from runtime.servers.rest.metrics import Traffic
from runtime.servers.rest.needs import ANYBODY, SIGNED_IN, Needed
from runtime.servers.rest.problems import Fault, quoted, refuse

CORRELATION = "X-Correlation-Id"
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+))(?::[0-9]{1,5})?")
READS = ("GET", "HEAD", "OPTIONS")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


class Gate:
    """Falcon middleware. `needs` says by path and method what a route takes: None, it is nobody's.

    On this machine everybody may look; who comes from another one has to sign in for it.
    """

    def __init__(self, identities: Identities, traffic: Traffic, refusals: Refusals) -> None:
        self.needs: Mapping[str, Mapping[str, Needed | None]] = {}
        self.doors: frozenset[str] = frozenset()  # paths where nobody in particular may POST
        self._identities = identities
        self._traffic = traffic
        self._refusals = refusals

    def learn(self, needs: Mapping[str, Mapping[str, Needed | None]]) -> None:
        """Take over what the routes need, once they are all there."""
        self.needs = needs
        self.doors = frozenset(path for path in needs if needs[path].get("POST") is ANYBODY)

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        req.context.began = time.monotonic()
        req.context.known = None
        asked.set(False)
        correlation = of_headers(req.get_header(CORRELATION), req.get_header("traceparent"))
        req.context.correlation = correlation
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(correlation=correlation)
        resp.set_header(CORRELATION, correlation)
        resp.set_headers(HEADERS)
        _require_loopback_name(req)
        if req.method not in READS:
            _require_own_page(req)
        if req.method != "POST" or req.path not in self.doors:
            changes = req.method not in READS
            req.context.known = self._identities.of(req, changes)
            if changes and req.context.known is None:
                raise unknown_asker("nobody")
        if req.method == "POST":
            _require_json(req)

    def process_resource(
        self, req: falcon.Request, resp: falcon.Response, resource: object, params: dict[str, Any]
    ) -> None:
        needs = self.needs.get(req.uri_template or "", {})
        if req.method not in needs:
            return  # Falcon says what is possible there
        needed, known = needs[req.method], req.context.known
        if needed is ANYBODY or (needed is SIGNED_IN and known):
            return
        if known is None:
            local = ipaddress.ip_address(req.remote_addr).is_loopback
            if not (local and needed is Permission.LOOK):
                raise unknown_asker("nobody")
        elif known.initial:
            fault = Fault("user", "password was chosen by somebody else", known.name, "one's own")
            refuse(403, "Choose a password of your own first.", fault)
        elif not isinstance(needed, Permission) or not may(known.role, needed):
            what = needed.value if isinstance(needed, Permission) else "do this"
            fault = Fault("user", "lacks the right", known.role.name.lower(), _who_may(needed))
            refuse(403, f"{known.name} may not {what}; that takes: {_who_may(needed)}.", fault)

    def process_response(
        self, req: falcon.Request, resp: falcon.Response, resource: object, succeeded: bool
    ) -> None:
        self._traffic.count(req.method, resp.status_code, time.monotonic() - req.context.began)
        recorded = asked.get() or req.context.get("recorded", False)
        refused = resp.status_code >= 400 and not recorded
        if refused and (req.method not in READS or resp.status_code in (401, 403)):
            self._record(req, resp)

    def _record(self, req: falcon.Request, resp: falcon.Response) -> None:
        """A change that was refused before the scan was asked for it, or what not all may read."""
        known: Known | None = req.context.known
        body = req.context.get("json")
        wanted = body.model_dump(exclude_none=True) if isinstance(body, BaseModel) else {}
        refused = Refused(
            Source.REST,
            known.name if known else "unknown",
            known.role if known else None,
            req.remote_addr,
            f"{req.method} {req.path}",
            "/".join(str(wanted[name]) for name in ("station", "pump") if name in wanted),
            str(req.context.get("problem", "")),
            str(wanted.get("reason", "")),
        )
        self._refusals.record(refused, status=resp.status_code, asked=wanted)


def _who_may(needed: Needed | None) -> str:
    roles = [role.name.lower() for role in Role if needed in RIGHTS[role]]
    return " or ".join(roles) or "nobody"


def _require_loopback_name(req: falcon.Request) -> None:
    host = req.get_header("Host") or ""
    match = _HOST.fullmatch(host)
    if match is None or not _is_loopback(match[1] or match[2]):
        allowed = "localhost or a loopback address, with any port"
        fault = Fault("header.Host", "another host's name", quoted(host), allowed)
        refuse(421, "This server answers only under a name of this machine's loopback.", fault)


def _is_loopback(name: str) -> bool:
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _require_own_page(req: falcon.Request) -> None:
    site = req.get_header("Sec-Fetch-Site")
    if site not in (None, "same-origin", "none"):
        fault = Fault("header.Sec-Fetch-Site", "sent by another site", quoted(site), "same-origin")
        refuse(403, "A change on behalf of another site is refused.", fault)
    origin = req.get_header("Origin")
    own = f"{req.scheme}://{req.get_header('Host')}"
    if origin not in (None, own):
        fault = Fault("header.Origin", "sent by another site", quoted(origin), own)
        refuse(403, "A change on behalf of another site is refused.", fault)


def _require_json(req: falcon.Request) -> None:
    found = req.content_type or ""
    if found.partition(";")[0].strip().lower() != falcon.MEDIA_JSON:
        fault = Fault("header.Content-Type", "another type", quoted(found), falcon.MEDIA_JSON)
        refuse(415, "A change is asked for with a JSON object.", fault)
