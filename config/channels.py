"""Where the channels of alerts lead: Apprise URLs, which hold passwords and tokens.

    CALEJO_ALERTS_CHANNELS_DUTY_URL         the URL of the channel `duty`
    CALEJO_ALERTS_CHANNELS_DUTY_URL_FILE    a file that holds it

They are read only by who delivers, when it starts: no other process knows them, and none of the
others needs a secret file to start again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from config.alerts import Alerts
from config.problem import ConfigurationError, Origin, Problem, meant

FILE = "_FILE"
FORM = re.compile(r"CALEJO_ALERTS_CHANNELS_[A-Z0-9_]+_URL(_FILE)?")
_ALLOWED = "an Apprise URL such as 'mailtos://user:password@host?to=address'"


def variable(channel: str) -> str:
    """The variable that holds the URL of a channel."""
    return f"CALEJO_ALERTS_CHANNELS_{channel.upper().replace('-', '_')}_URL"


def urls(alerts: Alerts, environ: Mapping[str, str]) -> dict[str, SecretStr]:
    """The URL of each channel, or a ConfigurationError with everything that is wrong with them."""
    problems: list[Problem] = []
    known = {variable(channel) for channel in alerts.channels}
    for name in sorted(environ):
        if FORM.fullmatch(name) and name.removesuffix(FILE) not in known:
            allowed = ", ".join(sorted(known)) or "no such variable: alerts.channels names none"
            allowed += meant(name.removesuffix(FILE), known)
            problems.append(Problem(Origin(name), (), "the URL of an unknown channel", allowed))
    found = {channel: _url(variable(channel), environ, problems) for channel in alerts.channels}
    if problems:
        raise ConfigurationError(problems)
    return {channel: url for channel, url in found.items() if url is not None}


def _url(name: str, environ: Mapping[str, str], problems: list[Problem]) -> SecretStr | None:
    def refuse(origin: str, found: str, allowed: str) -> None:
        problems.append(Problem(Origin(origin), (), found, allowed))

    file = environ.get(name + FILE)
    value = environ.get(name)
    if file is not None and value is not None:
        refuse(name + FILE, f"{name} as well", "one of the two variables")
        return None
    if file is not None:
        try:
            value = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            refuse(name + FILE, f"no file to read ({reason})", "a file with an Apprise URL")
            return None
    if value is None:
        refuse(name, "nothing", f"{_ALLOWED}, or {name}{FILE}")
    elif not re.fullmatch(r"[a-z][a-z0-9+.-]*://\S+", value):
        refuse(name if file is None else name + FILE, "a text that is no URL, not shown", _ALLOWED)
    else:
        return SecretStr(value)
    return None
