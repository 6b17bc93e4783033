"""What this installation is: its configuration, its interface, its metrics."""

from __future__ import annotations

from typing import Any

import falcon

from config import Config
from runtime.servers.rest import models
from runtime.servers.rest.metrics import CONTENT_TYPE, Metrics
from runtime.servers.rest.openapi import documented
from runtime.servers.rest.replies import encoded, send, takes_zipped
from runtime.servers.rest.snapshots import zipped


class ConfigResource:
    """The configuration."""

    def __init__(self, config: Config) -> None:
        self._shown = config.model_dump(mode="json")

    @documented(models.Configuration, about="system")
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """The configuration in effect, written as in scan.yaml, without secrets."""
        send(resp, self._shown)


class DocumentResource:
    """The OpenAPI document; complete once `publish` has been called."""

    def __init__(self) -> None:
        self._document = b"{}"

    def publish(self, document: dict[str, Any]) -> None:
        self._document = encoded(document)

    @documented(models.Document, about="system")
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """This interface as an OpenAPI 3.1 document; /docs shows it."""
        resp.content_type = falcon.MEDIA_JSON
        resp.data = self._document


class MetricsResource:
    """Metrics."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    @documented(None, about="health")
    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Metrics in the text format of Prometheus."""
        resp.content_type = CONTENT_TYPE
        page = self._metrics.page()
        resp.data = zipped(page) if takes_zipped(req, resp, page) else page
