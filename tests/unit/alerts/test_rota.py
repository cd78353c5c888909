"""Who is on call, and who takes care of a case."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from services.alerts.domain import routing
from services.alerts.domain.layers import Override
from services.alerts.domain.model import Audience, Occasion, Owner, Tell
from services.alerts.domain.rota import Rota, following, on_call
from services.alerts.domain.routing import Member, Rank, Recipient, Staff
from services.alerts.domain.ticket import open_
from shared.runtime.ids import derive
from tests.support.alerts import T0, answer

ANA, BEN, CLEO, MIA, ADA = (derive("user", name) for name in ("ana", "ben", "cleo", "mia", "ada"))
ALL = {ANA, BEN, CLEO}
WEEKLY = Rota((ANA, BEN, CLEO), date(2026, 3, 2), 9, "Europe/Stockholm")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.requirement("R72")
@pytest.mark.parametrize(
    ("when", "who"),
    [
        pytest.param("2026-03-02T09:00:00+01:00", ANA, id="the first hand-over"),
        pytest.param("2026-03-09T08:59:59+01:00", ANA, id="a second before the next"),
        pytest.param("2026-03-09T09:00:00+01:00", BEN, id="the next"),
        pytest.param("2026-03-23T09:00:00+01:00", ANA, id="round again"),
        pytest.param("2026-03-30T08:59:59+02:00", ANA, id="summer time, a second before"),
        pytest.param("2026-03-30T09:00:00+02:00", BEN, id="summer time, the hand-over"),
        pytest.param("2026-03-02T08:59:59+01:00", CLEO, id="before the first: the round goes back too"),
    ],
)
def test_the_week_is_handed_over_in_local_time(when: str, who: object) -> None:
    shift = on_call(WEEKLY.stack, at(when), ALL)
    assert shift is not None
    assert shift.user_id == who
    assert shift.starts_at <= at(when) < shift.ends_at


def test_a_week_of_somebody_who_left_falls_to_the_next() -> None:
    shift = on_call(WEEKLY.stack, at("2026-03-10T12:00:00+01:00"), {ANA, CLEO})
    assert shift is not None
    assert shift.user_id == CLEO


def test_an_override_counts_while_it_lasts() -> None:
    start, end = at("2026-03-04T18:00:00+01:00"), at("2026-03-05T09:00:00+01:00")
    rota = Rota(WEEKLY.members, WEEKLY.starts_on, 9, WEEKLY.zone, (Override(derive("o"), CLEO, start, end),))
    before, during, after = (
        on_call(rota.stack, moment, ALL) for moment in (start - timedelta(seconds=1), start, end)
    )
    assert before is not None
    assert during is not None
    assert after is not None
    assert (before.user_id, before.ends_at) == (ANA, start)
    assert (during.user_id, during.override, during.ends_at) == (CLEO, True, end)
    assert (after.user_id, after.starts_at) == (ANA, end)


def test_an_override_of_somebody_who_left_is_ignored() -> None:
    override = Override(derive("o"), MIA, T0 - timedelta(hours=1), T0 + timedelta(hours=1))
    rota = Rota(WEEKLY.members, WEEKLY.starts_on, 9, WEEKLY.zone, (override,))
    shift = on_call(rota.stack, T0, ALL)
    assert shift is not None
    assert shift.user_id == ANA


def test_the_weekday_of_the_hand_over_is_that_of_the_first() -> None:
    assert WEEKLY.weekday == 0


def test_who_comes_next() -> None:
    shift = on_call(WEEKLY.stack, T0, ALL)
    assert shift is not None
    after = following(WEEKLY.stack, shift, ALL)
    assert after is not None
    assert after.user_id == BEN


def test_nobody_is_on_call_in_an_empty_rota() -> None:
    assert on_call(Rota().stack, T0, ALL) is None
    assert on_call(WEEKLY.stack, T0, set()) is None


def staff(rota: Rota = WEEKLY, leadership: tuple[str, ...] = ()) -> Staff:
    people = [(ANA, "ana", Rank.REP), (BEN, "ben", Rank.REP), (CLEO, "cleo", Rank.VIEWER)]
    people += [(MIA, "mia", Rank.MANAGER), (ADA, "ada", Rank.ADMIN)]
    members = tuple(Member(user_id, f"{name}@x.test", name, rank) for user_id, name, rank in people)
    return Staff(members, rota, leadership)


@pytest.mark.requirement("R72")
@pytest.mark.parametrize(
    ("account_owner", "rota", "who", "why"),
    [
        pytest.param("BEN@x.test ", WEEKLY, BEN, "owns the account", id="the account's owner"),
        pytest.param("gone@x.test", WEEKLY, ANA, "is on call", id="an owner without account here"),
        pytest.param("cleo@x.test", WEEKLY, ANA, "is on call", id="an owner who may only look"),
        pytest.param("", WEEKLY, ANA, "the account has no owner", id="no owner"),
        pytest.param("", Rota(), None, "all managers", id="nobody on call"),
    ],
)
def test_who_takes_care_and_why(account_owner: str, rota: Rota, who: object, why: str) -> None:
    owner = routing.owner(account_owner, staff(rota), T0)
    assert owner.user_id == who
    assert why in owner.reason


@pytest.mark.parametrize(
    ("audiences", "owner", "told"),
    [
        pytest.param({Audience.OWNER}, BEN, {BEN}, id="the owner"),
        pytest.param({Audience.OWNER}, None, {MIA, ADA}, id="no owner: all managers"),
        pytest.param({Audience.OWNER, Audience.MANAGERS}, MIA, {MIA, ADA}, id="each once"),
        pytest.param({Audience.LEADERSHIP}, BEN, {ADA}, id="leadership: the admins unless named"),
    ],
)
def test_who_is_told(audiences: set[Audience], owner: UUID | None, told: set[UUID]) -> None:
    opened = open_(answer(), derive("t"), Owner(owner, ""))
    tell = Tell(Occasion.OPENED, "s", frozenset(audiences))
    found = routing.recipients(tell, opened.ticket, staff(), ("slack",))
    assert {r.to for r in found} == {str(user_id) for user_id in told}
    assert len(found) == len(told)


def test_named_leadership_is_told_instead_of_the_admins() -> None:
    assert staff(leadership=("mia@x.test", "unknown@x.test")).leaders == (MIA,)


def test_the_room_is_told_beside_the_people() -> None:
    opened = open_(answer(), derive("t"), Owner(BEN, "")).ticket
    tell = Tell(Occasion.OPENED, "s", frozenset({Audience.OWNER, Audience.TEAM}))
    assert routing.recipients(tell, opened, staff(), ("slack",)) == (
        Recipient("email", str(BEN)),
        Recipient("slack", "team"),
    )
