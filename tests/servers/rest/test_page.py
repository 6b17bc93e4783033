"""The operator page in a real browser: signing in on the way to a stop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runtime.places import Places
from runtime.security import passwords
from runtime.security.accounts import Account, Accounts
from tests.conftest import Database
from tests.processes import until
from tests.servers.modbus.station import Plant
from tests.servers.rest.browser import CHROMIUM, Browser
from tests.servers.rest.site import Site

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
PASSWORD, OWN = "correct horse battery", "staple on a grey lamp"
FILL = """(() => {{
    const form = document.querySelector("#ask form");
    for (const [name, value] of Object.entries({0})) form.elements[name].value = value;
    form.elements.go.click();
}})()"""


@pytest.fixture
def browser() -> Iterator[Browser]:
    browser = Browser()
    try:
        yield browser
    finally:
        browser.close()


@pytest.fixture
def site(places: Places, plant: Plant, database: Database) -> Iterator[Site]:
    account = Account(role="operator", password=passwords.hashed(PASSWORD), initial=True)
    Accounts(places.accounts).put("anna", account)
    site = Site(places, lambda: database.runtime)
    try:
        yield site
    finally:
        site.end()


def test_a_user_signs_in_chooses_a_password_stops_clears_and_signs_out(
    browser: Browser, site: Site, plant: Plant
) -> None:
    def text(selector: str) -> str:
        return str(browser.run(f"document.querySelector({selector!r})?.innerText ?? ''"))

    def shown(selector: str) -> bool:
        return bool(browser.run(f"document.querySelector({selector!r})?.checkVisibility()"))

    browser.open(f"http://127.0.0.1:{site.port}/")
    until(lambda: "North" in text("main"))
    hold = "document.querySelector('#system .hold')"
    browser.run(f"{hold}.dispatchEvent(new PointerEvent('pointerdown'))")
    until(lambda: shown("#ask [name=password]"))
    browser.run(FILL.format(f'{{user: "anna", password: "{PASSWORD}"}}'))
    until(lambda: "choose another" in text("#ask p"))
    assert shown("#ask [name=fresh]")
    browser.run(FILL.format(f'{{fresh: "{OWN}", reason: "drill"}}'))
    until(lambda: not shown("#ask"))
    assert "anna (operator)" in text("#who")
    until(lambda: shown("#system .clear"))
    browser.run("document.querySelector('#system .clear').click()")
    assert not shown("#ask [name=password]")
    browser.run(FILL.format('{reason: "over"}'))
    until(lambda: not shown("#ask") and not shown("#system .stopped"))
    browser.run("document.querySelector('#who button').click()")
    until(lambda: "anna" not in text("#who"))
    assert "calejo" not in str(browser.run("document.cookie"))
    assert [c for c in browser.complaints if "Security Policy" in c] == []
