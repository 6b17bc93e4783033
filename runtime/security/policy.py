"""Which passwords may be chosen (NIST SP 800-63B-4): long ones that nobody guesses first.

No rules of composition and no change by the calendar: they make passwords worse. What counts is
length, and what is left after everything that a guesser tries first: words that everybody uses, the
names of this system and of its user, years, repetitions and runs.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 128  # characters: a longer one costs time and adds nothing
SHORTEST = 15  # characters, where a password is the only factor
OWN = 8  # characters that have to be left when what is guessed first is taken out

_GUESSED = (
    *("password", "passwort", "passwd", "secret", "geheim", "welcome", "willkommen", "letmein"),
    *("qwertyuiop", "qwertzuiop", "qwerty", "qwertz", "asdfghjkl", "asdfgh", "yxcvbnm", "zxcvbnm"),
    *("admin", "administrator", "operator", "engineer", "viewer", "root", "user", "login", "test"),
    *("iloveyou", "football", "fussball", "dragon", "monkey", "princess", "sunshine", "master"),
    *("summer", "winter", "spring", "autumn", "sommer", "herbst", "changeme", "default"),
    *("calejo", "control", "adapter", "scada", "modbus", "opcua", "pump", "pumpe", "station"),
    *("klaerwerk", "klärwerk", "pumpwerk", "wastewater", "abwasser", "sewage", "water", "wasser"),
)
_LOOKALIKES = str.maketrans("013457@$!", "oieastasi")
_YEAR = re.compile(r"(19|20)\d\d")
_REPEATED = re.compile(r"(.+?)\1+")


class PasswordError(Exception):
    """A password may not be chosen; the message says why."""


def normal(password: str) -> str:
    """A password however it was typed: the same characters by another keyboard are the same."""
    return unicodedata.normalize("NFKC", password)


def check(password: str, *context: str) -> None:
    """Whether a password may be chosen by whom `context` names; raises PasswordError."""
    length = len(normal(password))
    if not SHORTEST <= length <= LONGEST:
        raise PasswordError(
            f"password: found {length} characters, allowed {SHORTEST} to {LONGEST};"
            " some words in a row are easy to keep in mind"
        )
    if (left := len(_own(normal(password), context))) < OWN:
        raise PasswordError(
            f"password: found {left} characters that are not words, names, years, repetitions or"
            f" runs which are tried first, allowed {OWN} or more"
        )


def _own(password: str, context: tuple[str, ...]) -> str:
    """What of a password is not guessed first."""
    left = _YEAR.sub("", password.casefold())
    names = [part for name in context for part in re.split(r"\W|_", name.casefold())]
    words = {word for word in (*_GUESSED, *names) if len(word) > 2}
    for word in sorted(words, key=len, reverse=True):
        left = left.replace(word, "")
        plain = left.translate(_LOOKALIKES)
        while (at := plain.find(word)) >= 0:
            left, plain = left[:at] + left[at + len(word) :], plain[:at] + plain[at + len(word) :]
    return _without_runs(_REPEATED.sub(r"\1", left))


def _without_runs(text: str) -> str:
    """Without characters that only go on as the two before them: abc, 321, aaa."""
    kept = [
        character
        for at, character in enumerate(text)
        if at < 2
        or ord(character) - ord(text[at - 1]) != ord(text[at - 1]) - ord(text[at - 2])
        or abs(ord(character) - ord(text[at - 1])) > 1
    ]
    return "".join(kept)
