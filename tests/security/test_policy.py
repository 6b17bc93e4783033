"""Which passwords may be chosen."""

from __future__ import annotations

import pytest

from runtime.security.policy import LONGEST, PasswordError, check


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "grüner Nebel über Elmshorn",
        "7hq2-x9dk-3mfa-p0zt",
        "fünf Katzen jagen Lichter",
        "x7" + "ßäöüqjwv" * 2 + "kd5zrm9t",
        "staple on a grey lamp" * 6,
    ],
)
def test_long_phrases_of_any_characters_may_be_chosen(password: str) -> None:
    check(password[:LONGEST], "anna")


@pytest.mark.parametrize(
    "password",
    [
        "a" * 15,
        "123456789012345",
        "abcdefghijklmnop",
        "ababababababababab",
        "passwordpassword",
        "P@ssw0rd-P4ssw0rd",
        "Klärwerk-Nord-2026",
        "Calejo-Operator-2026!",
        "anna.schmidt-2026-anna",
        "qwertzuiopasdfghjkl",
        "Sommer2026Winter2027",
    ],
)
def test_what_is_guessed_first_may_not_be_chosen(password: str) -> None:
    with pytest.raises(PasswordError, match="tried first"):
        check(password, "anna.schmidt", "Klärwerk Nord")


@pytest.mark.parametrize("length", [0, 14, LONGEST + 1])
def test_length_is_bounded_on_both_sides(length: int) -> None:
    with pytest.raises(PasswordError, match=f"found {length} characters, allowed 15 to 128"):
        check("q7"[: min(length, 1)] * length)
