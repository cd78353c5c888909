"""Tokens of the widget, and what its script weighs."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import UTC, datetime, timedelta

import jwt
import pytest

from demo.widget import token
from services.collector.domain.widget import Fault, Signed, read, sound
from services.collector.pages.widget import SCRIPT

T = datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
SECRET = "a secret of the widget, long enough for all kinds of HS signatures: sixty-four bytes"  # noqa: S105, RUF100 - of the test


def signed(claims: dict[str, object], secret: str = SECRET, algorithm: str = "HS256") -> str:
    """A token as the usual library makes it."""
    return jwt.encode(claims, secret, algorithm=algorithm)


def until(**span: float) -> int:
    return int((T + timedelta(**span)).timestamp())


def test_a_token_of_the_usual_library_says_who_is_signed_in() -> None:
    assert read(signed({"sub": "C-42", "exp": until(hours=1)}), [SECRET], T) == Signed("C-42")
    assert read(token("C-42", SECRET, T.timestamp()), [SECRET], T) == Signed("C-42")
    assert jwt.decode(
        token("C-42", SECRET, T.timestamp()), SECRET, algorithms=["HS256"], options={"verify_exp": False}
    )["sub"] == "C-42"  # fmt: skip


def test_one_secret_replaces_another() -> None:
    old = signed({"sub": "C-42", "exp": until(hours=1)}, "another secret that is long enough as well")
    assert read(old, [SECRET, "another secret that is long enough as well"], T) == Signed("C-42")
    assert read(old, [SECRET], T) is Fault.FORGED


@pytest.mark.parametrize(
    ("claims", "result"),
    [
        pytest.param({"sub": "C", "exp": until(seconds=-60)}, Signed("C"), id="clocks differ a little"),
        pytest.param({"sub": "C", "exp": until(seconds=-61)}, Fault.EXPIRED, id="expired"),
        pytest.param({"sub": "C", "exp": until(hours=24, seconds=60)}, Signed("C"), id="a day"),
        pytest.param({"sub": "C", "exp": until(hours=24, seconds=61)}, Fault.TOO_LONG, id="more than a day"),
        pytest.param({"sub": "C"}, Fault.NO_EXPIRY, id="for ever"),
        pytest.param({"sub": "C", "exp": "soon"}, Fault.NO_EXPIRY, id="no time"),
        pytest.param({"sub": "C", "exp": True}, Fault.NO_EXPIRY, id="no number"),
        pytest.param({"sub": "C", "exp": 1e300}, Fault.NO_EXPIRY, id="beyond all calendars"),
        pytest.param({"sub": "C", "exp": until(hours=1) + 0.5}, Signed("C"), id="a fraction of a second"),
        pytest.param(
            {"sub": "C", "exp": until(hours=1), "nbf": until(seconds=60), "iat": until(seconds=60)},
            Signed("C"),
            id="made by a clock that is a little ahead",
        ),
        pytest.param(
            {"sub": "C", "exp": until(hours=1), "nbf": until(seconds=61)}, Fault.TOO_EARLY, id="not yet"
        ),
        pytest.param(
            {"sub": "C", "exp": until(hours=1), "iat": until(seconds=61)}, Fault.TOO_EARLY, id="from tomorrow"
        ),
        pytest.param({"sub": "C", "exp": until(hours=1), "aud": "you"}, Signed("C"), id="for whomever"),
        pytest.param({"exp": until(hours=1)}, Fault.NO_SUBJECT, id="nobody"),
        pytest.param({"sub": 7, "exp": until(hours=1)}, Fault.NO_SUBJECT, id="no text"),
        pytest.param({"sub": "x" * 201, "exp": until(hours=1)}, Fault.NO_SUBJECT, id="no id of ours"),
    ],
)
def test_what_a_token_must_say(claims: dict[str, object], result: object) -> None:
    assert read(signed(claims), [SECRET], T) == result


def test_a_token_without_a_signature_or_with_another_kind_is_no_token() -> None:
    claims = {"sub": "C", "exp": until(hours=1)}
    parts = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=") for p in ({"alg": "none"}, claims)]
    for text in (
        "",
        "a.b",
        "a.b.c",
        "é.b.c",
        b".".join([*parts, b""]).decode(),
        signed(claims, algorithm="HS512"),
    ):
        assert read(text, [SECRET], T) is Fault.UNREADABLE


def test_the_script_is_small() -> None:
    assert len(gzip.compress(SCRIPT.body)) < 10_000


def test_a_secret_that_is_too_short_to_sign_with_is_refused() -> None:
    assert sound(["x" * 32, "ö" * 16]) == ["x" * 32, "ö" * 16]
    with pytest.raises(ValueError, match="at least 32 bytes, one has 31"):
        sound(["x" * 32, "y" * 31])
