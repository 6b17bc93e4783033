"""No part of a URL that may be secret is told."""

from __future__ import annotations

from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.alerts.secrecy import mask, scheme

PASSWORDS = (
    st.text("abcXYZ019!$ä%&+/?=@: ", min_size=4, max_size=20)
    .map(str.strip)
    .filter(lambda text: len(text) >= 4)
)


@given(password=PASSWORDS)
def test_a_password_is_hidden_however_it_is_quoted(password: str) -> None:
    url = f"mailtos://user:{quote(password, safe='')}@mail.example.org?to=a@b.org"
    for form in (password, quote(password), quote(password, safe=""), quote_plus(password)):
        assert mask(f"refused: {form}, no", url) == "refused: ****, no"


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("twilio://AC00112233:d4e5f6a7b8@15551234567/15557654321", "d4e5f6a7b8"),
        ("twilio://AC00112233:d4e5f6a7b8@15551234567/15557654321", "15557654321"),
        ("smseagle://tok-en-1234@10.0.0.9/491701234567", "tok-en-1234"),
        ("jsons://hook.example.org/path/T0KEN?+X-Api-Key=abcd1234", "T0KEN"),
        ("jsons://hook.example.org/path/T0KEN?+X-Api-Key=abcd1234", "abcd1234"),
    ],
)
def test_tokens_numbers_and_paths_are_hidden(url: str, secret: str) -> None:
    assert secret not in mask(f"could not send to {url}: {secret} refused", url)


def test_the_host_stays_so_that_an_error_helps() -> None:
    url = "jsons://user:pass1@hook.example.org/secret"
    text = "connection to hook.example.org refused"
    assert mask(text, url) == text
    assert scheme(url) == "jsons"
