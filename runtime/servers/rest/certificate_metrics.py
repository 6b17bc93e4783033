"""When certificates end, as Prometheus reads it: of all protocols, whether the scan runs or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from runtime.places import Places
from runtime.security.expiry import in_use

MOST = 500  # certificates: labels that a folder makes must not become too many
DIGITS = 16  # of a thumbprint


class CertificateCollector(Collector):
    """Reads the folders at each scrape."""

    def __init__(self, places: Places) -> None:
        self._folder = places.certificates

    def describe(self) -> Iterable[Metric]:
        return []  # else registering would collect

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "calejo_certificate_not_after_timestamp_seconds",
            "UTC at which a certificate in use ends, s since 1970.",
            labels=("protocol", "use", "name", "thumbprint"),
        )
        for found in sorted(in_use(self._folder), key=lambda each: each.end)[:MOST]:
            labels = (found.protocol, found.use, found.name, found.thumbprint[:DIGITS])
            family.add_metric(labels, found.end)
        yield family
