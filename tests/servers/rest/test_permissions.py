"""What each route takes: said for all of them, in the documentation too, and nothing by default."""

from __future__ import annotations

import falcon

from runtime.requests import Role
from runtime.security.permissions import Permission, may
from runtime.servers.rest.application import FILES
from runtime.servers.rest.needs import ANYBODY, SIGNED_IN, Application
from tests.servers.rest.site import Image, Site
from tools.permissions import PAGE, needs, page

NEEDS = needs()
CHANGES = [(path, methods["POST"]) for path, methods in sorted(NEEDS.items()) if "POST" in methods]


def test_the_documentation_has_the_table_that_is_in_force() -> None:
    assert PAGE.read_text() == page(NEEDS)


def test_every_route_says_what_it_takes() -> None:
    assert all(need is not None for methods in NEEDS.values() for need in methods.values())


def test_without_signing_in_one_only_gets_the_page_and_the_way_in() -> None:
    free = {
        (path, method)
        for path, methods in NEEDS.items()
        for method, need in methods.items()
        if need is ANYBODY
    }
    assert free == {(path, "GET") for path in FILES} | {("/api/v1/sessions", "POST")}


def test_no_change_takes_only_the_right_to_look_and_none_is_a_viewers_or_administrators() -> None:
    for path, need in CHANGES:
        if need in (ANYBODY, SIGNED_IN):
            assert path.startswith("/api/v1/sessions"), path
            continue
        assert isinstance(need, Permission), path
        assert not may(Role.VIEWER, need), path
        assert need is Permission.ADMINISTER or not may(Role.ADMINISTRATOR, need), path


def test_what_says_nothing_is_nobodys() -> None:
    class Careless:
        def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
            """Says nothing."""

    app = Application()
    app.add_route("/careless", Careless())
    assert app.needs["/careless"] == {"POST": None}


def test_every_change_is_refused_to_who_shows_nothing(image: Image, site: Site) -> None:
    for path, need in CHANGES:
        if need is not ANYBODY:
            refused = site.ask("POST", path.replace("{stop}", "1"), b"{}")
            assert refused.status == 401, path
