import pytest
from argon2 import PasswordHasher

from shared.security.passwords import Passwords, check_password
from shared.security.people import AccessRefusedError

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.mark.parametrize(
    ("password", "says"),
    [
        pytest.param("elevenchars", "at least 12", id="short"),
        pytest.param("x" * 257, "at most 256", id="endless"),
        pytest.param("ana.lopez2026", "e-mail", id="own address"),
        pytest.param("aaaaaaaaaaaaaaaa", "first guesses", id="one letter"),
        pytest.param("password1234", "first guesses", id="common"),
        pytest.param("Afterword2026!", "first guesses", id="our name"),
    ],
)
def test_what_is_guessed_first_is_refused(password: str, says: str) -> None:
    with pytest.raises(AccessRefusedError, match=says) as caught:
        check_password(password, "ana.lopez@example.com")
    assert caught.value.field == "password"


@pytest.mark.parametrize(
    "password", ["correct horse battery", "ana.lopez likes long walks", "öåä ñandú çédille"]
)
def test_a_sentence_is_fine(password: str) -> None:
    check_password(password, "ana.lopez@example.com")


async def test_only_the_right_password_verifies() -> None:
    passwords = Passwords(CHEAP)
    stored = await passwords.hash("correct horse battery")
    assert await passwords.verify(stored, "correct horse battery")
    assert not await passwords.verify(stored, "correct horse batterY")
    assert not await passwords.verify("no hash at all", "correct horse battery")


async def test_without_an_account_nothing_verifies_not_even_the_stand_in() -> None:
    assert not await Passwords(CHEAP).verify(None, "the account that nobody has")


async def test_a_hash_of_another_cost_is_outdated() -> None:
    stored = await Passwords(CHEAP).hash("correct horse battery")
    assert Passwords().outdated(stored)
    assert not Passwords(CHEAP).outdated(stored)
