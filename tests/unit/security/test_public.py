"""Signatures for everybody: any library checks them, also after a new key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from shared.security.keyring import KeyRing
from shared.security.public import PublicSigner
from shared.security.tokens import Tokens

AT = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
OLD, NEW = b"o" * 32, b"n" * 32


def _read(token: str, signer: PublicSigner) -> dict[str, object]:
    keys = jwt.PyJWKSet.from_dict(signer.key_set())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    options: jwt.types.Options = {"verify_exp": False}
    claims: dict[str, object] = jwt.decode(token, key, ["EdDSA"], options=options)
    return claims


def _signed(signer: PublicSigner) -> str:
    return signer.sign("https://ask.example", "b1", {"score": 42}, AT, timedelta(hours=24))


@pytest.mark.requirement("R84")
def test_what_is_signed_is_read_with_the_public_key_alone_before_and_after_a_new_one() -> None:
    before, after = PublicSigner(KeyRing(1, {1: OLD})), PublicSigner(KeyRing(2, {1: OLD, 2: NEW}))
    for token in (_signed(before), _signed(after)):
        claims = _read(token, after)
        assert (claims["iss"], claims["sub"], claims["score"]) == ("https://ask.example", "b1", 42)
        assert claims["exp"] == int(AT.timestamp()) + 24 * 3600
    assert [key["kid"] for key in after.key_set()["keys"]] == ["2", "1"]
    with pytest.raises(KeyError):
        _read(_signed(after), before)


def test_the_same_words_have_the_same_signature() -> None:
    signer = Tokens(KeyRing(1, {1: OLD})).public()
    assert _signed(signer) == _signed(signer)


def test_nothing_secret_is_given_away() -> None:
    (key,) = PublicSigner(KeyRing(1, {1: OLD})).key_set()["keys"]
    assert set(key) == {"kty", "crv", "x", "kid", "alg", "use"}
