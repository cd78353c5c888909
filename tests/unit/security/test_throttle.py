from datetime import UTC, datetime, timedelta

import pytest

from shared.security.throttle import (
    ACCOUNT_LIMIT,
    ADDRESS_LIMIT,
    PAIR_LIMIT,
    WINDOW,
    Attempt,
    address_group,
    wait_before_next,
)

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ME, OTHER = b"me", b"other"
HOME, CAFE = "203.0.113.7", "198.51.100.9"


def tries(
    count: int, account: bytes = ME, address: str = HOME, *, ok: bool = False, ago: int = 60
) -> list[Attempt]:
    """`count` tries, one a second, the last of them `ago` seconds ago."""
    return [Attempt(account, address, NOW - timedelta(seconds=ago + n), ok) for n in range(count)]


@pytest.mark.parametrize(
    ("attempts", "waits"),
    [
        pytest.param([], False, id="first try"),
        pytest.param(tries(PAIR_LIMIT - 1), False, id="one left"),
        pytest.param(tries(PAIR_LIMIT), True, id="used up"),
        pytest.param(tries(PAIR_LIMIT, ago=int(WINDOW.total_seconds())), False, id="long ago"),
        pytest.param(tries(PAIR_LIMIT, account=OTHER), False, id="somebody else here"),
        pytest.param(tries(PAIR_LIMIT, address=CAFE), False, id="this account elsewhere"),
        pytest.param(tries(PAIR_LIMIT, ago=90) + tries(1, ok=True, ago=80), False, id="success since then"),
        pytest.param(tries(PAIR_LIMIT, ago=60) + tries(1, ok=True, ago=80), True, id="success before"),
        pytest.param(tries(ACCOUNT_LIMIT - 1, address=CAFE), False, id="account: one left"),
        pytest.param(tries(ACCOUNT_LIMIT, address=CAFE), True, id="account: used up from anywhere"),
        pytest.param(tries(ADDRESS_LIMIT - 1, account=OTHER), False, id="address: one left"),
        pytest.param(tries(ADDRESS_LIMIT, account=OTHER), True, id="address: used up for anybody"),
    ],
)
def test_who_keeps_guessing_waits(attempts: list[Attempt], *, waits: bool) -> None:
    assert (wait_before_next(attempts, ME, HOME, NOW) is not None) is waits


def test_the_wait_ends_when_enough_failures_are_old() -> None:
    wait = wait_before_next(tries(PAIR_LIMIT), ME, HOME, NOW)
    assert wait == WINDOW - timedelta(seconds=60 + PAIR_LIMIT - 1)
    assert wait_before_next(tries(PAIR_LIMIT), ME, HOME, NOW + wait) is None


@pytest.mark.parametrize(
    ("host", "group"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("x" * 500, "x" * 64),
        (None, "unknown"),
    ],
)
def test_an_ipv6_household_is_one_address(host: str | None, group: str) -> None:
    assert address_group(host) == group
