"""Health, readiness, metrics."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from runtime.layout import BUCKETS
from runtime.places import Places
from runtime.progress import Progress, State
from runtime.security.certificates import OwnCertificate, thumbprint
from runtime.servers.rest import models
from runtime.tags import Block, Bucket, Pump, System
from tests.servers.rest.site import Image, Site, configuration


def test_health_is_good_while_the_image_is_live(places: Places, image: Image, site: Site) -> None:
    Progress(places.progress("scan")).say(State.GOOD, "scanning")
    reply = site.get("/healthz")
    assert reply.status == 200
    health = models.Health.model_validate_json(reply.body)
    states = {process.process: process.state for process in health.processes}
    assert states["scan"] == "good"
    assert states["opcua"] == "absent"
    assert (health.status, health.scan) == ("live", 1)


def test_health_is_bad_before_and_after_the_scan_runs(places: Places, site: Site) -> None:
    before = site.get("/healthz")
    assert (before.status, before.json["image_age_s"]) == (503, None)
    Image(places).stand_still()
    after = site.get("/healthz")
    assert after.status == 503
    assert after.json["status"] == "no live data"
    assert after.json["image_age_s"] > 4


def test_readiness_waits_for_the_first_setpoint_that_follows_a_plan(
    image: Image, site: Site
) -> None:
    waiting = site.get("/readyz")
    assert waiting.status == 503
    assert models.Readiness.model_validate_json(waiting.body).equipment_loaded
    image[Pump.Authority][0] = 1
    image.publish()
    assert site.get("/readyz").status == 200
    image[Pump.Authority][0] = 3  # failsafe later: operators need the page all the more
    image.publish()
    assert site.get("/readyz").status == 200


def test_a_retired_pump_makes_nobody_ready(image: Image, site: Site) -> None:
    image[Pump.Authority][1] = 1
    image.publish()
    assert site.get("/readyz").json["plan_driven"] is False


def families(site: Site) -> dict[str, Metric]:
    text = site.get("/metrics").body.decode()
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_metrics_show_values_of_equipment_in_use(image: Image, site: Site) -> None:
    image[Pump.Setpoint][:5] = [41.0, 1.0, 2.0, 43.0, 44.0]
    image[System.Overruns][0] = 3
    image.publish()
    found = families(site)
    setpoints = {
        (sample.labels["station"], sample.labels["pump"]): sample.value
        for sample in found["calejo_pump_setpoint"].samples
    }
    assert setpoints == {("North", "11"): 41.0, ("North", "13"): 43.0, ("South", "21"): 44.0}
    assert found["calejo_system_overruns"].type == "counter"
    assert found["calejo_system_overruns"].samples[0].value == 3
    assert found["calejo_image_live"].samples[0].value == 1


def test_metrics_leave_out_parameters_and_identities(image: Image, site: Site) -> None:
    names = set(families(site))
    assert "calejo_pump_hard_max_speed" not in names
    assert not any(name.endswith("emergency_stop_id") for name in names)


def test_histograms_double_from_a_microsecond(image: Image, site: Site) -> None:
    image[Bucket.Lateness][:3] = [5, 2, 1]
    image[Bucket.Lateness][BUCKETS - 1] = 1
    image[System.Samples][0] = 9
    image[System.LatenessMean][0] = 2e-6
    image.publish()
    samples = families(site)["calejo_scan_lateness_seconds"].samples
    bounds = {
        sample.labels["le"]: sample.value for sample in samples if sample.name.endswith("_bucket")
    }
    assert [bounds[bound] for bound in ("1e-06", "2e-06", "4e-06", "8e-06")] == [5, 7, 8, 8]
    assert bounds["+Inf"] == 9
    assert len(bounds) == BUCKETS
    totals = {sample.name.rpartition("_")[2]: sample.value for sample in samples}
    assert totals["sum"] == pytest.approx(18e-6)
    assert totals["count"] == 9


def test_blocks_are_named_in_the_order_of_the_program(image: Image, site: Site) -> None:
    order = configuration().program.order
    image[Block.ExecutionMax][: len(order)] = range(len(order))
    image.publish()
    samples = families(site)["calejo_block_execution_max_seconds"].samples
    assert [(sample.labels["block"], sample.value) for sample in samples] == [
        (block, float(place)) for place, block in enumerate(order)
    ]


def test_values_end_when_the_scan_stands_still(places: Places, image: Image, site: Site) -> None:
    Progress(places.progress("scan")).say(State.DEGRADED, "stuck")
    image.stand_still()
    found = families(site)
    assert found["calejo_image_live"].samples[0].value == 0
    assert found["calejo_image_age_seconds"].samples[0].value > 4
    assert found["calejo_process_state"].samples[0].value == State.DEGRADED
    assert not any(name.startswith(("calejo_pump", "calejo_scan")) for name in found)


def test_metrics_say_when_certificates_end_while_the_scan_stands_still(
    places: Places, image: Image, site: Site
) -> None:
    own = OwnCertificate(places.certificates / "opcua" / "own.pem", "server", "urn:server", ())
    image.stand_still()
    sample = families(site)["calejo_certificate_not_after_timestamp_seconds"].samples[0]
    assert sample.value == own.expires.timestamp()
    assert sample.labels == {
        "protocol": "opcua",
        "use": "own",
        "name": "server",
        "thumbprint": thumbprint(own.identity.certificate)[:16],
    }


def test_requests_are_counted(image: Image, site: Site) -> None:
    site.api("stations")
    site.api("nothing")
    samples = families(site)["calejo_http_requests"].samples
    counted = {
        (sample.labels["method"], sample.labels["status"]): sample.value
        for sample in samples
        if sample.name.endswith("_total")
    }
    assert counted == {("GET", "200"): 1, ("GET", "404"): 1}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_finds_nothing_wrong(image: Image, site: Site) -> None:
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=site.get("/metrics").body, capture_output=True
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
