"""Alerts in scan.yaml, and where the channels lead: read, refused, kept secret."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from config import Alerts, ConfigurationError, channels, load, urls
from config.calendar import Hours, Span, Weekdays
from config.problem import Refused
from config.rota import Priorities, Step, Steps

GOOD = """\
program: [limits: {without_level: stop}]
alerts:
  timezone: Europe/Berlin
  channels:
    duty-sms: {timeout: 10 s}
    boss: {}
  rules:
    night:
      priority: 1-2
      days: fri-mon
      hours: 22:00-06:00
      steps: {5 min: [boss, duty-sms], 0 s: duty-sms}
    rest: {steps: [boss], cleared: no, stations: [North]}
  heartbeat: {channel: boss, every: 1 min}
"""
DUTY, BOSS = "CALEJO_ALERTS_CHANNELS_DUTY_SMS_URL", "CALEJO_ALERTS_CHANNELS_BOSS_URL"
SECRET = "twilio://AC1234:t0p-secret@15551234567/15557654321"


def loaded(folder: Path, text: str = GOOD) -> Alerts:
    path = folder / "scan.yaml"
    path.write_text(text)
    return load(path, {DUTY: "json://a", BOSS: "json://b"}).alerts


def test_channels_rules_and_steps_are_read(tmp_path: Path) -> None:
    alerts = loaded(tmp_path)
    night, rest = alerts.rules["night"], alerts.rules["rest"]
    assert [*alerts.channels] == ["duty-sms", "boss"]
    assert night.steps == (Step(0.0, ("duty-sms",)), Step(300.0, ("boss", "duty-sms")))
    assert (night.priority, night.days) == ((1, 2), (0, 4, 5, 6))
    assert night.hours == Span(time(22), time(6))
    assert (rest.cleared, rest.stations, rest.priority) == (False, ("North",), (1, 2, 3, 4))


def test_what_is_shown_reads_the_same(tmp_path: Path) -> None:
    alerts = loaded(tmp_path)
    assert Alerts.model_validate(alerts.model_dump(mode="json")) == alerts


def test_the_example_of_the_documentation_is_valid(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text()
    example = page.partition("```yaml\n")[2].partition("```")[0]
    alerts = loaded(tmp_path, "program: [limits: {without_level: stop}]\n" + example)
    assert len(alerts.rules) == 3
    for channel in ("duty-sms", "second-sms", "office", "watchman"):
        assert channels.variable(channel) in page


def test_none_is_the_default(tmp_path: Path) -> None:
    alerts = loaded(tmp_path, "program: [limits: {without_level: stop}]\n")
    assert alerts == Alerts()
    assert urls(alerts, {}) == {}


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "0 s: duty-sms",
            "0: duty-sms",
            "12: alerts.rules.night.steps: found '0' as the time of a step, allowed a duration"
            " from 0 s to 1 d",
        ),
        (
            "steps: [boss]",
            "steps: [bos]",
            "2: alerts: found channel 'bos' in rule 'rest', allowed duty-sms, boss"
            " (did you mean 'boss'?)",
        ),
        (
            "22:00-06:00",
            "22:00-24:00",
            "11: alerts.rules.night.hours: found '22:00-24:00', allowed all, or a part of the day"
            " such as '07:00-16:30' or '22:00-06:00'",
        ),
        (
            "priority: 1-2",
            "priority: 5",
            "9: alerts.rules.night.priority: found '5', allowed all, or priorities from 1"
            " (critical) to 4 (low) such as '1', '1-2', '1, 3'",
        ),
        (
            "boss: {}",
            "boss: {timeot: 3 s}",
            "6: alerts.channels.boss.timeot: found an unknown key, allowed timeout"
            " (did you mean 'timeout'?)",
        ),
        (
            "boss: {}",
            "boss: []",
            "6: alerts.channels.boss: found a list, allowed a mapping of settings: timeout",
        ),
        (
            "boss: {}",
            f"boss: {{url: '{SECRET}'}}",
            "6: alerts.channels.boss: found a URL, allowed none in this file;"
            " CALEJO_ALERTS_CHANNELS_<NAME>_URL holds it",
        ),
        (
            "Europe/Berlin",
            "Europe/Berln",
            "3: alerts.timezone: found 'Europe/Berln', allowed a time zone such as"
            " 'Europe/Berlin', or none",
        ),
        (
            "  timezone: Europe/Berlin\n",
            "",
            "2: alerts: found days or hours in rule 'night' without a timezone, allowed timezone"
            " as well",
        ),
        (
            "cleared: no",
            "cleared: maybe",
            "13: alerts.rules.rest.cleared: found 'maybe', allowed yes or no",
        ),
        (
            "boss: {}",
            "Boss: {}",
            "2: alerts: found the name 'Boss', allowed names of a-z, 0-9 and -, such as 'duty-sms'",
        ),
        (
            "{channel: boss,",
            "{channel: chief,",
            "2: alerts: found channel 'chief' in heartbeat, allowed duty-sms, boss",
        ),
        (
            "  heartbeat:",
            "  flood: {begins: 3}\n  heartbeat:",
            "14: alerts.flood: found ends 5, begins 3, allowed ends of at most begins",
        ),
        (
            "{steps: [boss], cleared: no, stations: [North]}",
            "{cleared: no}",
            "13: alerts.rules.rest.steps: found nothing, allowed a channel, a list of channels, or"
            " such by time: {0 s: duty, 5 min: [second, boss]}",
        ),
    ],
)
def test_a_bad_setting_is_told_with_key_found_and_allowed(
    tmp_path: Path, old: str, new: str, line: str
) -> None:
    assert old in GOOD
    with pytest.raises(ConfigurationError) as refused:
        loaded(tmp_path, GOOD.replace(old, new))
    assert str(refused.value) == f"{tmp_path}/scan.yaml:{line}"


def test_urls_come_from_variables_and_files(tmp_path: Path) -> None:
    file = tmp_path / "boss"
    file.write_text("mailtos://a:b@c\n")
    found = urls(loaded(tmp_path), {DUTY: SECRET, BOSS + "_FILE": str(file)})
    assert found["duty-sms"].get_secret_value() == SECRET
    assert found["boss"].get_secret_value() == "mailtos://a:b@c"
    assert SECRET not in repr(found)


def test_everything_that_is_wrong_with_urls_is_told_and_no_secret(tmp_path: Path) -> None:
    environ = {
        DUTY: "t0p-secret",
        BOSS + "_FILE": str(tmp_path / "none"),
        "CALEJO_ALERTS_CHANNELS_BOS_URL": SECRET,
    }
    with pytest.raises(ConfigurationError) as refused:
        urls(loaded(tmp_path), environ)
    lines = str(refused.value).splitlines()
    assert [line.split(": found ")[0] for line in lines] == [
        "CALEJO_ALERTS_CHANNELS_BOS_URL",
        DUTY,
        BOSS + "_FILE",
    ]
    assert "t0p-secret" not in str(refused.value)
    with pytest.raises(ConfigurationError, match=f"{BOSS}: found nothing, allowed an Apprise URL"):
        urls(loaded(tmp_path), {DUTY: SECRET})
    with pytest.raises(ConfigurationError, match="one of the two variables"):
        urls(loaded(tmp_path), {DUTY: SECRET, BOSS: SECRET, BOSS + "_FILE": "x"})


def test_no_other_process_reads_a_url(tmp_path: Path) -> None:
    """A secret file that is gone must not keep the scan from starting again."""
    path = tmp_path / "scan.yaml"
    path.write_text(GOOD)
    config = load(path, {BOSS + "_FILE": "/nowhere", DUTY: SECRET})
    assert SECRET not in str(config.model_dump())


def test_a_name_has_one_variable() -> None:
    assert channels.variable("duty-sms") == DUTY
    assert channels.FORM.fullmatch(DUTY)
    assert channels.FORM.fullmatch(DUTY + "_FILE")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("all", (0, 1, 2, 3, 4, 5, 6)),
        ("mon", (0,)),
        ("mon-fri", (0, 1, 2, 3, 4)),
        ("sat-mon", (0, 5, 6)),
        ("sun, tue-wed", (1, 2, 6)),
        (["mon", "thu-fri"], (0, 3, 4)),
    ],
)
def test_weekdays(written: object, read: tuple[int, ...]) -> None:
    assert Weekdays().read(written) == read
    assert Weekdays().read(Weekdays().write(read)) == read


@pytest.mark.parametrize("written", ["", "mo", "mon-", "mon fri", [], "mon,,tue", 3])
def test_what_is_no_weekday_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        Weekdays().read(written)


@pytest.mark.parametrize("written", ["7:00-8:00", "07:00", "07:00-25:00", "07:60-08:00", "", 7])
def test_what_is_no_part_of_a_day_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        Hours().read(written)


@pytest.mark.parametrize(
    ("written", "read"),
    [("1", (1,)), ("1-3", (1, 2, 3)), ("4, 1", (1, 4)), (["2", "3-4"], (2, 3, 4))],
)
def test_priorities(written: object, read: tuple[int, ...]) -> None:
    assert Priorities().read(written) == read


@pytest.mark.parametrize(
    "written",
    [{}, [], {"0 s": []}, {"0 s": "a", "0 min": "b"}, {"0 s": ["a", "a"]}, {"0 s": {"a": "b"}}, ""],
)
def test_steps_without_sense_are_refused(written: object) -> None:
    with pytest.raises(Refused):
        Steps().read(written)
