"""The application: which resource answers at which path."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import falcon
import orjson
from falcon.media import JSONHandler
from prometheus_client import CollectorRegistry

from config import Config
from runtime.database.sign_ins import SignIns
from runtime.places import Places
from runtime.security.accounts import Accounts
from runtime.security.sessions import Sessions
from runtime.servers.rest import (
    about,
    alarm_wishes,
    alarms,
    alerts,
    audit,
    health,
    openapi,
    plant,
    problems,
    safety,
    sign_in,
    stops,
    users,
)
from runtime.servers.rest.asking import Asking
from runtime.servers.rest.certificate_metrics import CertificateCollector
from runtime.servers.rest.doors import Doors
from runtime.servers.rest.gate import Gate
from runtime.servers.rest.identity import Identities
from runtime.servers.rest.metrics import ImageCollector, Metrics, Traffic
from runtime.servers.rest.needs import ANYBODY, Application, needing
from runtime.servers.rest.queries import Queries
from runtime.servers.rest.snapshots import Snapshots
from runtime.tags import System

API = "/api/v1"
PAGE = Path(__file__).parent / "page"
FILES = {
    "/": "index.html",
    "/docs": "docs.html",
    "/page/style.css": "style.css",
    **{
        f"/page/{name}.js": f"{name}.js"
        for name in ("dom", "sign", "ask", "alarms", "show", "operate", "docs")
    },
}
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}


anybodys = partial(needing, ANYBODY)


class StaticFile:
    """A file of the operator page, held in memory."""

    def __init__(self, path: Path) -> None:
        self._data = path.read_bytes()
        self._type = TYPES[path.suffix]

    @anybodys
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = self._type
        resp.data = self._data


def _database_lost(snapshots: Snapshots) -> bool:
    """Whether the scan says so; nobody else is asked while somebody waits."""
    snapshot = snapshots.newest()
    return snapshot is None or bool(snapshot.columns.value(System.DatabaseLost))


def application(
    config: Config, places: Places, snapshots: Snapshots, asking: Asking, queries: Queries
) -> Application:
    """The WSGI application."""
    registry = CollectorRegistry()
    registry.register(ImageCollector(snapshots, places, config.program.order))
    registry.register(CertificateCollector(places))
    accounts = Accounts(places.accounts)
    sessions = Sessions(SignIns(queries.sign_in, queries.later))
    identities = Identities(
        places.token(), accounts, sessions, asking.notes, lambda: _database_lost(snapshots)
    )
    gate = Gate(identities, Traffic(registry), asking.refusals)
    doors = Doors(accounts, sessions, identities, asking.refusals, asking.notes)
    app = Application(middleware=[gate])
    json = JSONHandler(dumps=orjson.dumps, loads=orjson.loads)  # NaN and the like are refused
    app.req_options.media_handlers = falcon.media.Handlers({falcon.MEDIA_JSON: json})
    problems.install(app)

    all_stops = stops.StopsResource(snapshots, asking, queries)
    app.add_route(f"{API}/stations", plant.StationsResource(snapshots))
    app.add_route(f"{API}/stations/{{station}}", plant.StationResource(snapshots))
    app.add_route(f"{API}/stations/{{station}}/pumps/{{pump}}", plant.PumpResource(snapshots))
    app.add_route(f"{API}/safety", safety.SafetyResource(snapshots))
    app.add_route(f"{API}/safety/violations", safety.ViolationsResource(snapshots, queries))
    app.add_route(f"{API}/emergency-stops", all_stops)
    app.add_route(f"{API}/emergency-stops/{{stop}}", all_stops, suffix="one")
    app.add_route(
        f"{API}/emergency-stops/{{stop}}/clear", stops.ClearingResource(snapshots, asking)
    )
    app.add_route(f"{API}/alarms", alarms.AlarmsResource(snapshots))
    wishes = alarm_wishes.AlarmWishesResource(snapshots, asking)
    for wish in ("acknowledge", "shelve", "unshelve", "return", "reset"):
        app.add_route(f"{API}/alarms/{wish}", wishes, suffix=wish)
    app.add_route(f"{API}/alarms/out-of-service", wishes, suffix="take_out")
    acknowledge_all = alarm_wishes.AcknowledgeAllResource(snapshots, asking)
    app.add_route(f"{API}/alarms/acknowledge-all", acknowledge_all)
    app.add_route(f"{API}/alerts", alerts.AlertsResource(snapshots, queries))
    app.add_route(f"{API}/audit", audit.AuditResource(queries))
    app.add_route(f"{API}/trace/{{identity}}", audit.TraceResource(places, queries))
    app.add_route(f"{API}/config", about.ConfigResource(config))
    app.add_route(f"{API}/sessions", sign_in.SessionsResource(doors))
    own = sign_in.OwnResource(doors)
    app.add_route(f"{API}/sessions/own", own, suffix="one")
    for act in ("renew", "end", "password"):
        app.add_route(f"{API}/sessions/own/{act}", own, suffix=act)
    everybody = users.UsersResource(doors)
    app.add_route(f"{API}/users", everybody)
    app.add_route(f"{API}/users/{{user}}/change", everybody, suffix="change")
    app.add_route("/healthz", health.HealthResource(snapshots, places))
    app.add_route("/readyz", health.ReadinessResource(snapshots))
    app.add_route("/metrics", about.MetricsResource(Metrics(registry, snapshots)))
    document = about.DocumentResource()
    app.add_route(f"{API}/openapi.json", document)
    for path, name in FILES.items():
        app.add_route(path, StaticFile(PAGE / name))
    gate.learn(app.needs)
    document.publish(openapi.document(app))
    return app
