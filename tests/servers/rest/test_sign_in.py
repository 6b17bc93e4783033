"""Signing in over HTTP: sessions in a real database, roles, forgery, throttling, passwords."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from typing import Any

import psycopg
import pytest

from runtime.places import Places
from runtime.security import passwords
from runtime.security.accounts import Account, Accounts
from runtime.security.throttle import FREE
from runtime.servers.rest import doors
from runtime.spoolfile import Kind, SpoolReader
from tests.conftest import Database, fresh
from tests.processes import until
from tests.servers.modbus.conftest import scanning
from tests.servers.rest.site import JSON, Reply, Site
from tests.servers.state import refusals, state

PASSWORD = "correct horse battery"
KEPT = passwords.hashed(PASSWORD)
ROLES = ("viewer", "operator", "engineer", "administrator")


@pytest.fixture(scope="module")
def database(postgres: Any) -> Iterator[Database]:
    with fresh(postgres) as database:
        yield database


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    with state(tmp_path_factory.mktemp("sign-in")) as places, scanning(places):
        accounts = Accounts(places.accounts)
        for role in ROLES:
            accounts.put(role[:3], Account.model_validate({"role": role, "password": KEPT}))
        yield places


@pytest.fixture(scope="module")
def site(places: Places, database: Database) -> Iterator[Site]:
    """One server for all: each test has users of its own."""
    site = Site(places, lambda: database.runtime)
    try:
        yield site
    finally:
        site.end()


class Browser:
    """A browser that has signed in."""

    def __init__(self, site: Site, user: str, password: str = PASSWORD) -> None:
        self.site, self.cookie = site, ""
        self.told: dict[str, Any] = {"csrf": ""}
        self.reply = self.post("sessions", {"user": user, "password": password})
        if self.reply.status == 201:
            self.told = self.reply.json

    def post(self, path: str, body: object) -> Reply:
        sent = JSON | {"Cookie": self.cookie, "X_CSRF": self.told["csrf"]}
        named = {name: value for name, value in sent.items() if value}
        data = json.dumps(body).encode()
        return self._taken(self.site.ask("POST", f"/api/v1/{path}", data, **named))

    def get(self, path: str) -> Reply:
        return self._taken(self.site.api(path, Cookie=self.cookie))

    def _taken(self, reply: Reply) -> Reply:
        if found := reply.headers.get("Set-Cookie"):
            (morsel,) = SimpleCookie(found).values()
            self.cookie = f"{morsel.key}={morsel.value}"
        return reply


def user(places: Places, name: str, role: str = "operator", **more: object) -> str:
    """A user for one test."""
    given = {"role": role, "password": KEPT, **more}
    Accounts(places.accounts).put(name, Account.model_validate(given))
    return name


def noted(places: Places, action: str) -> list[dict[str, Any]]:
    reader = SpoolReader(places.spool / "rest.db")
    try:
        found = [r.body for r in reader.batch(10_000) if r.kind == Kind.NOTE]
    finally:
        reader.close()
    return [body for body in found if body["action"] == action]


def test_who_signs_in_stops_under_his_own_name(site: Site, places: Places) -> None:
    otto = Browser(site, user(places, "otto"))
    assert (otto.told["user"], otto.told["role"]) == ("otto", "operator")
    stopped = otto.post("emergency-stops", {"scope": "pump", "pump": 11, "reason": "drill"})
    assert stopped.status == 201, stopped.body
    reader = SpoolReader(places.spool / "rest.db")
    asked = [r.body for r in reader.batch(10_000) if r.kind == Kind.REQUEST]
    reader.close()
    assert (asked[-1]["who"], asked[-1]["role"]) == ("otto", "OPERATOR")
    cleared = otto.post(f"emergency-stops/{stopped.json['id']}/clear", {"reason": "over"})
    assert cleared.status == 200


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(site: Site) -> None:
    cookie = Browser(site, "ope").reply.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_only_hashes_of_tokens_are_kept(site: Site, database: Database) -> None:
    token = Browser(site, "ope").cookie.partition("=")[2]
    with psycopg.connect(database.owner) as connection:
        rows = connection.execute("SELECT * FROM sessions, session_tokens").fetchall()
    assert rows
    assert token not in str(rows)
    assert token.encode() not in b"".join(bytes(r) for row in rows for r in row if type(r) is bytes)


@pytest.mark.parametrize("csrf", ["", "0" * 64], ids=["none", "another"])
def test_a_change_without_the_token_against_forgery_is_refused(site: Site, csrf: str) -> None:
    browser = Browser(site, "ope")
    browser.told = {"csrf": csrf}
    refused = browser.post("emergency-stops", {"scope": "pump", "pump": 12})
    assert refused.status == 403
    assert refused.problem["errors"][0]["where"] == "header.X-CSRF"


@pytest.mark.parametrize("role", ["vie", "adm"])
def test_who_may_not_command_is_refused_by_name_and_recorded(
    site: Site, places: Places, role: str
) -> None:
    refused = Browser(site, role).post("emergency-stops", {"scope": "system"})
    assert refused.status == 403
    assert "operator or engineer" in refused.problem["detail"]
    until(lambda: role in {found["who"] for found in refusals(places.spool / "rest.db", 1)})


def test_nobody_reads_the_audit_log_without_the_right(site: Site) -> None:
    assert Browser(site, "vie").get("audit").status == 403
    assert Browser(site, "adm").get("audit").status == 200
    assert site.api("audit").status == 401


def test_unknown_users_wrong_passwords_and_locked_accounts_look_alike(
    site: Site, places: Places
) -> None:
    told = set()
    for name, password in (
        ("nobody-at-all", PASSWORD),
        ("ope", "wrong horse battery"),
        (user(places, "locked", locked=True), PASSWORD),
        (user(places, "retired", retired=True), PASSWORD),
        (user(places, "by-certificate", password=""), PASSWORD),
    ):
        refused = Browser(site, name, password).reply
        assert refused.status == 401
        told.add((refused.problem["detail"], str(refused.problem["errors"])))
    assert len(told) == 1


def test_who_guesses_waits_and_keeps_nobody_else_out(site: Site, places: Places) -> None:
    guessed = user(places, "guessed")
    for _ in range(FREE):
        assert Browser(site, guessed, "x").reply.status == 401
    waits = Browser(site, guessed)
    assert waits.reply.status == 429
    assert int(waits.reply.headers["Retry-After"]) >= 1
    assert Browser(site, "ope").reply.status == 201


def test_a_lock_or_another_role_is_felt_at_once(site: Site, places: Places) -> None:
    browser, accounts = Browser(site, user(places, "moved")), Accounts(places.accounts)
    accounts.change("moved", role="viewer")
    assert browser.post("emergency-stops", {"scope": "system"}).status == 403
    accounts.change("moved", role="operator", locked=True)
    assert browser.post("sessions/own/renew", {}).status == 401
    accounts.change("moved", locked=False)
    assert browser.post("sessions/own/renew", {}).status == 401, "it has ended for good"


def test_who_signs_out_is_out_everywhere(site: Site, places: Places, database: Database) -> None:
    browser = Browser(site, user(places, "leaver"))
    cookie = browser.cookie
    assert browser.get("sessions/own").json["user"] == "leaver"
    assert browser.post("sessions/own/end", {}).status == 204
    browser.cookie = cookie
    assert browser.get("sessions/own").status == 401

    def kept() -> str:
        with psycopg.connect(database.owner) as connection:
            why = "SELECT revoked_why FROM sessions WHERE username = 'leaver'"
            return str(connection.execute(why).fetchone())

    until(lambda: "signed out" in kept())
    assert noted(places, "sign out")[-1]["who"] == "leaver"


def test_a_session_outlives_the_server_and_an_old_token_ends_it(
    site: Site, places: Places, database: Database
) -> None:
    browser = Browser(site, user(places, "keeper"))
    first = browser.cookie
    assert browser.post("sessions/own/renew", {}).status == 200
    assert browser.cookie != first
    assert browser.get("sessions/own").status == 200
    with psycopg.connect(database.owner) as connection:
        connection.execute("UPDATE session_tokens SET superseded_at = now() - interval '1 h'"
            " WHERE session_id = (SELECT session_id FROM sessions WHERE username = 'keeper')"
            " AND issued_at = (SELECT min(issued_at) FROM session_tokens JOIN sessions"
            " USING (session_id) WHERE username = 'keeper')")  # fmt: skip
    again = Site(places, lambda: database.runtime)
    try:
        browser.site = again
        assert browser.get("sessions/own").json["user"] == "keeper"
        newest, browser.cookie = browser.cookie, first
        assert browser.get("sessions/own").status == 401
        browser.cookie = newest
        assert browser.get("sessions/own").status == 401, "thief and owner look alike"
    finally:
        again.end()


def test_an_initial_password_serves_only_to_choose_another(site: Site, places: Places) -> None:
    browser = Browser(site, user(places, "fresh", initial=True))
    assert browser.told["initial"] is True
    refused = browser.post("emergency-stops", {"scope": "system"})
    assert refused.status == 403
    assert "password of your own" in refused.problem["detail"]
    change = {"password": PASSWORD, "new": "fresh fresh fresh 2026"}
    weak = browser.post("sessions/own/password", change)
    assert weak.status == 422
    assert "tried first" in weak.problem["detail"]
    assert change["new"] not in weak.body.decode()
    change["new"] = "staple on a grey lamp"
    assert browser.post("sessions/own/password", change).status == 200
    assert browser.get("sessions/own").json["initial"] is False
    assert Browser(site, "fresh").reply.status == 401
    assert Browser(site, "fresh", change["new"]).reply.status == 201


def test_a_change_of_password_ends_the_other_sessions(site: Site, places: Places) -> None:
    one, other = (Browser(site, user(places, "twice")) for _ in range(2))
    change = {"password": PASSWORD, "new": "staple on a grey lamp"}
    assert one.post("sessions/own/password", change).status == 200
    assert one.get("sessions/own").status == 200
    assert other.get("sessions/own").status == 401


def test_administrators_see_all_sessions_and_others_their_own(site: Site) -> None:
    admin, viewer = Browser(site, "adm"), Browser(site, "vie")
    everybody = {session["user"] for session in admin.get("sessions").json["sessions"]}
    assert {"adm", "vie"} <= everybody
    own = viewer.get("sessions").json["sessions"]
    assert {session["user"] for session in own} == {"vie"}
    assert sum(session["own"] for session in own) == 1


def test_the_emergency_account_works_and_is_told_while_the_database_is_away(
    places: Places, site: Site
) -> None:
    away = Site(places)
    try:
        refused = Browser(away, "ope").reply
        assert refused.status == 503
        assert "token of the state directory" in refused.problem["detail"]
        assert away.post("emergency-stops", {"scope": "pump", "pump": 11}).status in (200, 201)
        until(lambda: noted(places, "use emergency account"))
        assert noted(places, "use emergency account")[-1]["who"] == "operator"
    finally:
        away.end()


def test_more_sign_ins_than_there_is_room_for_are_asked_to_come_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, refused = threading.Event(), threading.Semaphore(0)

    def check(kept: str, password: str) -> bool:
        return go_on.wait(60)

    def sign_in() -> Reply:
        reply = Browser(site, "ope").reply
        if reply.status == 503:
            refused.release()
        return reply

    monkeypatch.setattr(passwords, "matches", check)
    with ThreadPoolExecutor(doors.MOST_WAITING + 1) as people:
        asked = [people.submit(sign_in) for _ in range(doors.MOST_WAITING + 1)]
        assert refused.acquire(timeout=60)
        go_on.set()
        replies = [each.result() for each in asked]
    assert sorted(reply.status for reply in replies) == [201] * doors.MOST_WAITING + [503]
    assert {r.headers.get("Retry-After") for r in replies} == {None, "1"}


def test_a_password_is_in_no_record(site: Site, places: Places) -> None:
    body = b'{"user": "ope", "password": "hunter2-hunter2-%s"}' % (b"x" * 200)
    refused = site.ask("POST", "/api/v1/sessions", body, **JSON)
    assert refused.status == 422
    assert b"hunter2-hunter2" not in refused.body
    assert "hunter2-hunter2" not in str(refusals(places.spool / "rest.db", 1))
