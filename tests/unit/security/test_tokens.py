from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.security.keyring import KeyRing
from shared.security.tokens import Nonce, Tokens, Verified

SUBJECT = UUID("0f8fad5b-d9cb-469f-a165-70867728950e")
OTHER = UUID("7c9e6679-7425-40de-944b-e07fc1f90ae7")
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
OLD, NEW = b"o" * 32, b"n" * 32
tokens = Tokens(KeyRing(1, {1: OLD}))


def test_a_token_says_who_and_what() -> None:
    token = tokens.sign("answer", SUBJECT, b"\x03")
    assert tokens.verify("answer", token) == Verified(SUBJECT, b"\x03")


def test_a_plain_token_is_44_characters_fit_for_a_url() -> None:
    token = tokens.sign("answer", SUBJECT)
    assert len(token) == 44
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


def test_the_same_token_is_made_again() -> None:
    assert tokens.sign("answer", SUBJECT) == tokens.sign("answer", SUBJECT)


def test_a_token_of_one_purpose_is_none_of_another() -> None:
    assert tokens.verify("unsubscribe", tokens.sign("answer", SUBJECT)) is None


def test_purpose_and_extra_cannot_be_shifted_into_each_other() -> None:
    assert tokens.verify("ab", tokens.sign("a", SUBJECT, b"b")) is None


def test_every_flipped_bit_is_refused() -> None:
    token = tokens.sign("answer", SUBJECT, b"\x07\x08")
    for position, character in enumerate(token):
        for bit in range(7):
            altered = chr(ord(character) ^ 1 << bit)
            assert tokens.verify("answer", token[:position] + altered + token[position + 1 :]) is None


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param("", id="empty"),
        pytest.param("a", id="one character"),
        pytest.param("a" * 43, id="just too short"),
        pytest.param("a" * 44, id="right length"),
        pytest.param("a" * 1_000_000, id="a million characters"),
        pytest.param("%00" * 15, id="escaped nul"),
        pytest.param("\x00" * 44, id="nul"),
        pytest.param("../" * 15, id="path"),
        pytest.param("\uff41" * 44, id="full width"),
        pytest.param("\u0430" * 44, id="cyrillic a"),
        pytest.param("\ud800" * 44, id="lone surrogate"),
        pytest.param("=" * 44, id="padding"),
        pytest.param(" " + "a" * 44, id="space"),
    ],
)
def test_garbage_is_no_token(garbage: str) -> None:
    assert tokens.verify("answer", garbage) is None


@given(st.text(max_size=200))
def test_no_text_is_a_token_by_chance(text: str) -> None:
    assert tokens.verify("answer", text) is None


@given(st.uuids(), st.binary(max_size=64), st.text(min_size=1, max_size=40))
def test_whatever_was_signed_verifies(subject: UUID, extra: bytes, purpose: str) -> None:
    assert tokens.verify(purpose, tokens.sign(purpose, subject, extra)) == Verified(subject, extra)


def test_only_the_exact_text_is_the_token() -> None:
    token = tokens.sign("answer", SUBJECT)
    for altered in (token + "=", token + "\n", token[:-1], token + "A", token.swapcase()):
        assert tokens.verify("answer", altered) is None


def test_an_extra_that_does_not_fit_is_refused_when_signing() -> None:
    with pytest.raises(ValueError, match="at most 64"):
        tokens.sign("answer", SUBJECT, b"x" * 65)


def test_while_keys_rotate_both_verify_and_the_dropped_one_does_not() -> None:
    before = Tokens(KeyRing(1, {1: OLD})).sign("answer", SUBJECT)
    both = Tokens(KeyRing(2, {2: NEW, 1: OLD}))
    after = Tokens(KeyRing(2, {2: NEW}))
    assert both.verify("answer", before) == Verified(SUBJECT, b"")
    assert after.verify("answer", both.sign("answer", SUBJECT)) == Verified(SUBJECT, b"")
    assert after.verify("answer", before) is None


def test_a_key_under_anothers_number_verifies_nothing() -> None:
    assert Tokens(KeyRing(1, {1: NEW})).verify("answer", tokens.sign("answer", SUBJECT)) is None


def test_a_nonce_tells_when_and_with_which_salt_its_page_was_rendered() -> None:
    nonce = tokens.sign_nonce(SUBJECT, NOON, b"salt")
    seen = tokens.verify_nonce(SUBJECT, nonce, NOON + timedelta(hours=1), timedelta(hours=1))
    assert seen == Nonce(NOON, b"salt")


@pytest.mark.parametrize(
    ("subject", "after", "valid"),
    [
        pytest.param(SUBJECT, timedelta(hours=1), True, id="just in time"),
        pytest.param(SUBJECT, timedelta(hours=1, milliseconds=1), False, id="just too late"),
        pytest.param(SUBJECT, timedelta(seconds=-5), True, id="by a process whose clock is ahead"),
        pytest.param(OTHER, timedelta(0), False, id="another page's"),
    ],
)
def test_a_nonce_holds_for_its_page_and_a_while(subject: UUID, after: timedelta, *, valid: bool) -> None:
    nonce = tokens.sign_nonce(SUBJECT, NOON, b"salt")
    assert (tokens.verify_nonce(subject, nonce, NOON + after, timedelta(hours=1)) is not None) is valid


def test_a_token_is_no_nonce() -> None:
    assert tokens.verify_nonce(SUBJECT, tokens.sign("nonce", SUBJECT), NOON, timedelta(hours=1)) is None
    assert tokens.verify_nonce(SUBJECT, tokens.sign("answer", SUBJECT, b"8" * 8), NOON, timedelta(1)) is None
