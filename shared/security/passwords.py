"""Passwords: hashed with Argon2id off the event loop, and refused when they are easily guessed."""

import asyncio
from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from shared.security.people import AccessRefusedError

MIN_CHARS = 12
MAX_CHARS = 256
MIN_DISTINCT = 5
PARALLEL = 2  # each hash takes 64 MiB for a moment

T = TypeVar("T")

_COMMON = (
    "password",
    "passw0rd",
    "qwertyuiop",
    "123456789",
    "letmein",
    "afterword",
    "contraseña",
    "lösenord",
)


def check_password(password: str, email: str) -> None:
    """Refuse what would be guessed first (NIST SP 800-63B: length over rules of composition).

    Raises:
        AccessRefusedError: With what to do instead.
    """
    if len(password) < MIN_CHARS:
        raise AccessRefusedError(
            "password", f"Use at least {MIN_CHARS} characters; a short sentence is best."
        )
    if len(password) > MAX_CHARS:
        raise AccessRefusedError("password", f"Use at most {MAX_CHARS} characters.")
    low = password.casefold()
    local_part = email.partition("@")[0].casefold()
    if local_part in low and len(low) - len(local_part) < MIN_CHARS:
        raise AccessRefusedError("password", "Do not build the password from your e-mail address.")
    if len(set(low)) < MIN_DISTINCT or any(low.strip("0123456789!?.*") == common for common in _COMMON):
        raise AccessRefusedError("password", "This is one of the first guesses; use a sentence of your own.")


class Passwords:
    """Hashes and verifies; a few at a time, in threads.

    Args:
        hasher: Cost of a hash; the library's default is the second choice of RFC 9106.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._gate = asyncio.Semaphore(PARALLEL)

    async def hash(self, password: str) -> str:
        """The PHC string to store."""
        return await self._in_thread(lambda: self._hasher.hash(_octets(password)))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password is right; takes as long without an account as with one."""
        right = await self._in_thread(lambda: self._verify(stored or self._nobody, password))
        return right and stored is not None

    def outdated(self, stored: str) -> bool:
        """Whether a hash was made with another cost than today's."""
        return self._hasher.check_needs_rehash(stored)

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash("the account that nobody has")

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, _octets(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, work: Callable[[], T]) -> T:
        async with self._gate:
            return await asyncio.to_thread(work)


def _octets(password: str) -> bytes:
    """Any text a form can carry, lone surrogates included, as bytes."""
    return password.encode("utf-8", "surrogatepass")
