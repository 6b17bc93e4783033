"""SMS by a gateway on site, a server that speaks the gateway's own JSON-RPC over HTTP and TLS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runtime.alerts import commands, courier
from runtime.places import Places
from runtime.progress import State
from runtime.tags import Station, System
from tests.processes import until
from tests.runtime.alerts.certificates import certified
from tests.runtime.alerts.plant import Watched, attempts, configured, rows, serving, stepped
from tests.runtime.alerts.receivers import Gateway, gateway

TOKEN, PHONE = "0005gOjCOlMH8F2BP8", "491701234567"

pytestmark = pytest.mark.usefixtures("soon")


def leading_to(box: Gateway, way: str = "smseagle", token: str = TOKEN, phones: str = PHONE) -> str:
    return f"{way}://{token}@127.0.0.1:{box.port}/{phones}"


def sms(timeout: str = "15 s") -> dict[str, Any]:
    return {"channels": {"sms": {"timeout": timeout}}}


def test_an_sms_goes_over_tls_to_a_phone_is_short_and_names_its_key(
    tmp_path: Path, places: Places, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, authority = certified(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
    with (
        gateway(TOKEN, context=context) as box,
        serving(tmp_path, places, sms(), sms=leading_to(box, "smseagles")) as alerts,
    ):
        watched.raise_alarm(System.EmergencyStop)
        alerts.step()
        until(lambda: attempts(places))
        assert attempts(places) == [("delivered", None)]
        ((phone, text),) = box.sent
    (message,) = rows(places, "select * from message")
    assert phone == PHONE
    assert "P1 Emergency stop: the whole system" in text
    assert text.endswith(f"[{message['key']}]")
    assert len(text) <= courier.SHORT


def test_a_gateway_that_refuses_the_token_is_named_and_the_token_is_not(
    tmp_path: Path, places: Places, watched: Watched, capfd: Any
) -> None:
    with (
        gateway(TOKEN) as box,
        serving(tmp_path, places, sms(), sms=leading_to(box, token="wr0ngt0ken")) as alerts,
    ):
        watched.raise_alarm(Station.Failsafe, 2)
        stepped(alerts, lambda: alerts.health[0] is State.DEGRADED and attempts(places))
        said = alerts.health[1] + str(attempts(places)) + "".join(capfd.readouterr())
        assert box.sent == []
    assert "Invalid Access token" in said
    assert "wr0ng" not in said


def test_what_a_gateway_refuses_in_any_way_is_sent_again_until_it_is_taken_once(
    tmp_path: Path, places: Places, watched: Watched
) -> None:
    with (
        gateway(TOKEN, "error", "busy", "page") as box,
        serving(tmp_path, places, sms(), sms=leading_to(box)) as alerts,
    ):
        watched.raise_alarm(Station.Failsafe, 2)
        alerts.step()
        until(lambda: box.sent and len(attempts(places)) == 4)
        assert [outcome for outcome, _ in attempts(places)] == [*["failed"] * 3, "delivered"]
        assert "Modem is not ready" in str(attempts(places)[0][1])
        assert (len(box.sent), box.asked) == (1, 4)


def test_a_gateway_that_hangs_is_given_up_in_time_and_tried_again(
    tmp_path: Path, places: Places, watched: Watched
) -> None:
    with (
        gateway(TOKEN, "hang") as box,
        serving(tmp_path, places, sms("1 s"), sms=leading_to(box)) as alerts,
    ):
        watched.raise_alarm(Station.Failsafe, 2)
        alerts.step()
        until(lambda: len(attempts(places)) == 2)
        (first, reason), second = attempts(places)
        assert (first, second) == ("failed", ("delivered", None))
        assert "within 1" in str(reason)
        assert [phone for phone, _ in box.sent] == [PHONE]


def test_several_phones_of_a_channel_do_not_wait_for_each_other(
    tmp_path: Path, places: Places, watched: Watched
) -> None:
    """Apprise would pause 5.5 s between them, and the attempt end as one that hangs."""
    phones = [f"49170123456{n}" for n in range(4)]
    with (
        gateway(TOKEN) as box,
        serving(
            tmp_path, places, sms("5 s"), sms=leading_to(box, phones="/".join(phones))
        ) as alerts,
    ):
        watched.raise_alarm(Station.Failsafe, 2)
        alerts.step()
        until(lambda: attempts(places))
        assert attempts(places) == [("delivered", None)]
        assert [phone for phone, _ in box.sent] == phones


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # Apprise looks for it
def test_check_warns_of_a_channel_with_several_phones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"smseagle://{TOKEN}@10.0.0.9/{PHONE}/491701234568"
    monkeypatch.setenv("CALEJO_ALERTS_CHANNELS_SMS_URL", url)
    said = "\n".join(commands.ways(configured(tmp_path, sms()).alerts))
    assert "warning   channel sms: its URL has 2 receivers" in said
    assert TOKEN not in said
