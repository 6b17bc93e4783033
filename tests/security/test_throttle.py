"""Who guesses waits; nobody else does."""

from __future__ import annotations

from runtime.security.throttle import FORGOTTEN, FREE, LONGEST, PLACES, Throttle


def test_a_place_that_fails_again_and_again_waits_ever_longer_but_never_for_good() -> None:
    throttle, now, waits = Throttle(), 0.0, []
    for _ in range(FREE + 10):
        throttle.failed("a", now)
        waits.append(throttle.wait("a", now))
        now += waits[-1]
        assert throttle.wait("a", now) == 0
    assert waits[: FREE - 1] == [0.0] * (FREE - 1)
    assert waits[FREE - 1 : FREE + 3] == [1, 2, 4, 8]
    assert max(waits) == LONGEST


def test_other_places_do_not_wait() -> None:
    throttle = Throttle()
    for _ in range(100):
        throttle.failed("a", 0.0)
    assert throttle.wait("b", 0.0) == 0


def test_a_success_or_time_forgets_failures() -> None:
    throttle = Throttle()
    for place in "ab":
        for _ in range(FREE):
            throttle.failed(place, 0.0)
    throttle.succeeded("a")
    assert throttle.wait("a", 0.0) == 0
    assert throttle.wait("b", 0.0) > 0
    throttle.failed("b", FORGOTTEN + 1)
    assert throttle.wait("b", FORGOTTEN + 1) == 0


def test_only_so_many_places_are_remembered() -> None:
    throttle = Throttle()
    for number in range(PLACES * 2):
        for _ in range(FREE):
            throttle.failed(str(number), 0.0)
    assert throttle.wait("0", 0.0) == 0
    assert throttle.wait(str(PLACES * 2 - 1), 0.0) > 0
    assert len(throttle._failed) == PLACES
