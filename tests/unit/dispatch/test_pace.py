"""Limits: no minute sees more than they say, nobody passes one who came before; settings are strict."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.domain.address import Address
from services.dispatch.domain.pace import (
    CREDIT,
    Candidate,
    Limit,
    Limits,
    Line,
    admit,
    after,
    gap,
    read_limits,
    room,
)
from services.dispatch.domain.phone import Phone
from shared.contracts.model import Channel

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
MAIL = Limit("channel:email", 60, "limit: 60 a minute by email")
HOUSE = Limit("domain:gmail.com", 6, "limit: 6 a minute to gmail.com")


def candidate(number: int, *limits: Limit, arrived: float = 0.0) -> Candidate:
    return Candidate(UUID(int=number), NOW + timedelta(seconds=arrived), limits)


@given(
    st.integers(1, 2000),
    st.lists(st.integers(0, 20_000_000), min_size=1, max_size=300),
    st.data(),
)
def test_no_minute_sees_more_than_the_limit(per_minute: int, waits: list[int], data: st.DataObject) -> None:
    """Two instances in any turn, looking whenever they like and taking as much as they get."""
    next_at: datetime | None = None
    now, begun = NOW, []
    for wait in waits:
        now += timedelta(microseconds=wait)
        for _ in range(data.draw(st.integers(0, room(per_minute, next_at, now)))):
            next_at = after(per_minute, next_at, now)
            begun.append(now)
    for start in begun:
        assert sum(start <= one < start + timedelta(minutes=1) for one in begun) <= per_minute


def test_a_place_is_free_from_its_instant_on_and_not_before() -> None:
    place = after(60, None, NOW)
    assert place == NOW - CREDIT + gap(60)
    last = after(60, after(60, place, NOW), NOW)
    assert room(60, last, last - timedelta(microseconds=1)) == 0
    assert room(60, last, last) == 1
    assert room(60, last, last + gap(60) - timedelta(microseconds=1)) == 1
    assert room(60, last, last + gap(60)) == 2
    assert room(60, last, last + timedelta(days=1)) == room(60, None, NOW) == 2


def test_a_limit_of_one_a_minute_lets_one_through_a_minute() -> None:
    assert room(1, None, NOW) == 1
    place = after(1, None, NOW)
    assert room(1, place, NOW + timedelta(seconds=59.9)) == 0
    assert room(1, place, NOW + timedelta(seconds=60)) == 1


def test_who_came_first_goes_first_and_the_others_stand_in_line() -> None:
    slow = Limit("domain:slow.example", 6, "slow")
    found = admit([candidate(1, slow, arrived=2), candidate(2, slow, arrived=1)], {slow.key: Line()}, NOW)
    assert found.waiting == {UUID(int=1): slow}
    assert found.next_at == {slow.key: after(6, None, NOW)}


@pytest.mark.parametrize(("head", "through"), [(-1.0, False), (0.0, False), (1.0, True)])
def test_nobody_passes_one_who_came_before_and_stands_in_line(head: float, *, through: bool) -> None:
    lines = {MAIL.key: Line(None, NOW + timedelta(seconds=head))}
    assert (admit([candidate(1, MAIL)], lines, NOW).waiting == {}) is through


def test_who_waits_at_one_limit_takes_no_place_at_another() -> None:
    full = Line(NOW + timedelta(seconds=1))
    found = admit([candidate(1, HOUSE, MAIL)], {HOUSE.key: full, MAIL.key: Line()}, NOW)
    assert (found.waiting, found.next_at) == ({UUID(int=1): HOUSE}, {})
    found = admit([candidate(1, HOUSE, MAIL)], {HOUSE.key: Line(), MAIL.key: full}, NOW)
    assert (found.waiting, found.next_at) == ({UUID(int=1): MAIL}, {})


def test_a_full_domain_holds_up_no_other() -> None:
    other = Limit("domain:other.example", 6, "other")
    lines = {HOUSE.key: Line(NOW + timedelta(seconds=1)), MAIL.key: Line(), other.key: Line()}
    found = admit([candidate(1, HOUSE, MAIL), candidate(2, other, MAIL)], lines, NOW)
    assert found.waiting == {UUID(int=1): HOUSE}


def test_each_message_stands_in_the_lines_that_settings_name() -> None:
    limits = read_limits(" email=600/min , SMS = 60", "Gmail.com=60/min,bücher.example=5", 30)
    assert limits == Limits(
        {Channel.EMAIL: 600, Channel.SMS: 60}, {"gmail.com": 60, "xn--bcher-kva.example": 5}, 30
    )
    named = limits.of(Channel.EMAIL, Address("a", "gmail.com"), "mark")
    assert [(one.key, one.per_minute) for one in named] == [("domain:gmail.com", 60), ("channel:email", 600)]
    other = limits.of(Channel.EMAIL, Address("a", "small.example"), "mark")
    assert [(one.key, one.per_minute) for one in other] == [("domain:mark", 30), ("channel:email", 600)]
    assert "small.example" not in str(other)
    assert [one.key for one in limits.of(Channel.SMS, Phone("+46701740605"), "")] == ["channel:sms"]
    assert limits.of(Channel.WEBHOOK, Address("a", "x"), "") != ()
    assert limits.any
    assert not read_limits("", "", 0).any
    assert read_limits("", "", 0).of(Channel.EMAIL, Address("a", "gmail.com"), "") == ()


@pytest.mark.parametrize(
    ("channels", "domains", "words"),
    [
        ("fax=1", "", "fax: not one of email, sms, webhook"),
        ("email", "", "email: not a name and a number a minute"),
        ("email=0", "", "email=0: not a name"),
        ("email=100001", "", "email=100001: not a name"),
        ("email=-1", "", "email=-1: not a name"),
        ("email=60/hour", "", "email=60/hour: not a name"),
        ("", "gmail=60", "gmail: not a domain"),
        ("", "=60", ": not a domain"),
        ("", "a@gmail.com=60", "a@gmail.com: not a domain"),
    ],
)
def test_what_is_no_limit_is_named(channels: str, domains: str, words: str) -> None:
    with pytest.raises(ValueError, match="^" + words.replace("(", r"\(")):
        read_limits(channels, domains, 0)
