"""The application: which resource answers at which path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import falcon
import orjson
from falcon.media import JSONHandler
from prometheus_client import CollectorRegistry

from config import Config
from runtime.places import Places
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
    stops,
)
from runtime.servers.rest.asking import Asking
from runtime.servers.rest.certificate_metrics import CertificateCollector
from runtime.servers.rest.gate import Gate
from runtime.servers.rest.metrics import ImageCollector, Metrics, Traffic
from runtime.servers.rest.queries import Queries
from runtime.servers.rest.snapshots import Snapshots

API = "/api/v1"
PAGE = Path(__file__).parent / "page"
FILES = {
    "/": "index.html",
    "/docs": "docs.html",
    "/page/style.css": "style.css",
    **{
        f"/page/{name}.js": f"{name}.js"
        for name in ("dom", "ask", "alarms", "show", "operate", "docs")
    },
}
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}


class StaticFile:
    """A file of the operator page, held in memory."""

    def __init__(self, path: Path) -> None:
        self._data = path.read_bytes()
        self._type = TYPES[path.suffix]

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = self._type
        resp.data = self._data


def application(
    config: Config, places: Places, snapshots: Snapshots, asking: Asking, queries: Queries
) -> falcon.App[Any, Any]:
    """The WSGI application."""
    registry = CollectorRegistry()
    registry.register(ImageCollector(snapshots, places, config.program.order))
    registry.register(CertificateCollector(places))
    app = falcon.App(middleware=[Gate(places.token(), Traffic(registry), asking.refusals)])
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
    app.add_route(f"{API}/sessions", about.SessionsResource(places))
    app.add_route("/healthz", health.HealthResource(snapshots, places))
    app.add_route("/readyz", health.ReadinessResource(snapshots))
    app.add_route("/metrics", about.MetricsResource(Metrics(registry, snapshots)))
    document = about.DocumentResource()
    app.add_route(f"{API}/openapi.json", document)
    for path, name in FILES.items():
        app.add_route(path, StaticFile(PAGE / name))
    document.publish(openapi.document(app))
    return app
