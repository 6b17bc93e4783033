"""Mail to a server with TLS and sign-in; SMS by a cloud service."""

from __future__ import annotations

from email.header import decode_header, make_header
from pathlib import Path
from typing import Any

import pytest

from runtime.alerts import courier
from runtime.places import Places
from runtime.progress import State
from runtime.tags import Station
from tests.calejo import free_ports
from tests.processes import until
from tests.runtime.alerts.certificates import certified
from tests.runtime.alerts.plant import Watched, attempts, serving, stepped
from tests.runtime.alerts.receivers import PASSWORD, USER, smtp

ONE: dict[str, Any] = {"channels": {"hook": {}}}


pytestmark = pytest.mark.usefixtures("soon")


def test_mail_goes_over_tls_to_a_server_that_wants_a_password(
    tmp_path: Path, places: Places, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    (port,) = free_ports(1)
    context, authority = certified(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    url = f"mailtos://{USER}:{PASSWORD}@127.0.0.1:{port}?from=plant@a.org&to=duty@b.org"
    with (
        smtp(port, context) as mailbox,
        serving(tmp_path, places, {"channels": {"mail": {}}}, mail=url) as alerts,
    ):
        watched.raise_alarm(Station.Failsafe, 2)
        alerts.step()
        until(lambda: attempts(places))
        assert attempts(places) == [("delivered", None)]
        mail = mailbox.next()
    assert str(make_header(decode_header(mail["Subject"]))) == "[P2] Failsafe: West"
    assert mail["To"] == "duty@b.org"
    assert mail["Idempotency-Key"]


def test_a_wrong_password_is_told_and_no_secret_is(
    tmp_path: Path, places: Places, watched: Watched, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    (port,) = free_ports(1)
    context, authority = certified(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    url = f"mailtos://{USER}:wr0ng-passw0rd@127.0.0.1:{port}?from=plant@a.org&to=duty@b.org"
    with (
        smtp(port, context),
        serving(tmp_path, places, {"channels": {"mail": {}}}, mail=url) as alerts,
    ):
        watched.raise_alarm(Station.Failsafe, 2)
        stepped(alerts, lambda: alerts.health[0] is State.DEGRADED and attempts(places))
        said = alerts.health[1] + str(attempts(places)) + "".join(capfd.readouterr())
    assert attempts(places)[0][0] == "failed"
    assert "wr0ng" not in said
    for file in (places.outbox, places.outbox.with_name("alerts.db-wal")):
        assert not file.exists() or b"wr0ng" not in file.read_bytes()


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # Apprise looks for it
def test_an_sms_by_a_cloud_service_is_one_part_with_its_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The host of Twilio is fixed, so its service is stood in for where the request leaves."""
    sent: list[dict[str, Any]] = []

    class Response:
        status_code = 201
        content = b"{}"

    def post(url: str, data: dict[str, Any], **more: Any) -> Response:
        sent.append(data | {"url": url})
        return Response()

    monkeypatch.setattr("requests.post", post)
    account, token = "AC" + "0" * 32, "1" * 32
    job = {
        "url": f"twilio://{account}:{token}@15551234567/15557654321",
        "patience": 5.0,
        "key": "0123456789ab",
        "priority": 1,
        "title": "title",
        "text": "text",
        "short": "P1 North: EmergencyStop " + "x" * 300,
        "fields": {},
    }
    assert courier.deliver(job) is None
    assert sent[0]["url"].startswith("https://api.twilio.com/")
    assert sent[0]["Body"].startswith("P1 North: EmergencyStop")
    assert sent[0]["Body"].endswith("… [0123456789ab]")
    assert len(sent[0]["Body"]) <= 160
