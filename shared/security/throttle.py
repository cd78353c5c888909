"""How long somebody who keeps guessing has to wait. Pure: attempts and time in, a wait out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import AddressValueError, IPv6Address

WINDOW = timedelta(minutes=15)
PAIR_LIMIT = 5
ACCOUNT_LIMIT = 25  # from all addresses: a stranger can slow an owner down, not lock them out for long
ADDRESS_LIMIT = 50  # an office behind one address mistypes now and then
MAX_ATTEMPTS_READ = 500


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to sign in; `at` is machine time, `account` a hash."""

    account: bytes
    address: str
    at: datetime
    succeeded: bool


def wait_before_next(
    attempts: Sequence[Attempt], account: bytes, address: str, now: datetime
) -> timedelta | None:
    """How long this account at this address must wait; None when it may try now.

    A success of the same account from the same address wipes out what failed there before it.
    """
    recent = [attempt for attempt in attempts if now - attempt.at < WINDOW]
    pair = [attempt for attempt in recent if attempt.account == account and attempt.address == address]
    last_success = max((attempt.at for attempt in pair if attempt.succeeded), default=None)
    waits = (
        _wait((a for a in pair if last_success is None or a.at > last_success), PAIR_LIMIT, now),
        _wait((a for a in recent if a.account == account), ACCOUNT_LIMIT, now),
        _wait((a for a in recent if a.address == address), ADDRESS_LIMIT, now),
    )
    return max((wait for wait in waits if wait is not None), default=None)


def _wait(attempts: Iterable[Attempt], limit: int, now: datetime) -> timedelta | None:
    """Until the failures that are still in the window are fewer than the limit."""
    failures = sorted((attempt.at for attempt in attempts if not attempt.succeeded), reverse=True)
    return None if len(failures) < limit else failures[limit - 1] + WINDOW - now


def address_group(host: str | None) -> str:
    """The address that attempts are counted by: an IPv6 network of 64 bits is one household."""
    if host is None:
        return "unknown"
    try:
        address = IPv6Address(host.partition("%")[0])
    except AddressValueError:
        return host[:64]
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"
