"""The database fails in every way that there is, under a runtime at work; nothing is lost.

One runtime and one PostgreSQL for all cases. What takes time on a busy machine is awaited for long,
measured, and shown (`-s`); only what the machine has no part in is required.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tools.database_faults.__main__ import written
from tools.database_faults.case import Case
from tools.database_faults.cases import CASES
from tools.database_faults.page import page
from tools.database_faults.trial import Stand, stand
from tools.rig.site import WATCHDOG

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def standing() -> Iterator[Stand]:
    with stand() as one:
        yield one


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_scan_goes_on_and_every_record_is_stored_once(case: Case, standing: Stand) -> None:
    if case.isolated and not standing.server.isolated:
        pytest.skip(f"NOT TRIED: {case.name}: needs root, for a network and a disk of its own")
    measured = standing.attempt(case)
    print(f"{case.name}: {measured}")  # noqa: T201
    assert measured.faults == []
    assert measured.found.stops > 0, "nothing was recorded"
    assert (measured.seen.lost is None) == case.answers
    assert (measured.seen.full is not None) == case.answers
    assert measured.seen.plan_age is None or measured.seen.plan_age >= WATCHDOG


def test_the_page_says_what_the_cases_require() -> None:
    words, _ = written()
    assert page(CASES).strip() == words.strip(), "run `python -m tools.database_faults --words`"
