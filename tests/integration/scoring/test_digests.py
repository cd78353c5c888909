"""Weekly digests on a real database and mail server: once a week and person, and never twice."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta

import httpx
import pytest
from structlog.testing import capture_logs

from services.scoring.api import digests as api_of_digests
from services.scoring.domain.digest import TRIES, Day, Schedule
from services.scoring.domain.health import WEIGHTS, Part
from services.scoring.store import digests
from services.scoring.worker.digests import HOLD, Post, digesting
from shared.db.database import Database
from shared.embedded.smtp import Fault, FaultKind
from shared.runtime.clock import FakeMachine, FixedClock
from shared.security.access import Role, Scope
from shared.security.people import NewUser
from shared.smtp import Server
from tests.support.customers import account, account_id, ticket, town
from tests.support.postbox import text_of
from tests.support.score_pages import access_to, application, left_more, quarter, quarter_before, risen
from tests.support.scoring import Scoring, answer, snapshot
from tests.support.smtp_sink import SmtpSink, smtp_sink

pytestmark = pytest.mark.requirement("R83")
Round = Callable[[], Awaitable[int]]


@pytest.fixture
async def sink() -> AsyncIterator[SmtpSink]:
    async with smtp_sink() as running:
        yield running


@pytest.fixture
async def company(db: Database, clock: FixedClock, scoring: Scoring) -> Database:
    """Customers, and people of the house: a leader, an owner, a rep without accounts, a viewer."""
    await quarter(scoring, clock.now())
    await quarter_before(scoring, clock.now())
    await scoring.take(*town(clock.now()))
    access = access_to(db, clock)
    for email, role in (
        ("lead@example.com", Role.MANAGER), ("anna@example.com", Role.REP), ("bo@example.com", Role.REP),
        ("viewer@example.com", Role.VIEWER),
    ):  # fmt: skip
        await access.invite(NewUser(email, email.partition("@")[0].title(), role))
    return db


def rounds(db: Database, sink: SmtpSink, weights: Mapping[Part, float] = WEIGHTS) -> Round:
    server = Server("127.0.0.1", sink.port, "Afterword <scores@example.com>")
    return digesting(db, Post(Schedule(Day.MONDAY, 8), server, "https://ask.example", weights))


async def test_leaders_hear_of_the_house_and_owners_of_their_accounts_once_a_week(
    company: Database, clock: FixedClock, sink: SmtpSink
) -> None:
    run = rounds(company, sink)
    for _ in range(3):
        await run()
    mails = {str(mail["To"]): text_of(mail) for mail in sink.mails()}
    assert sorted(mails) == ["Anna <anna@example.com>", "Lead <lead@example.com>"]
    own, house = (body for _, body in sorted(mails.items()))
    assert "ALL CUSTOMERS" in house
    assert "YOUR ACCOUNTS" not in house
    assert "YOUR ACCOUNTS" in own
    assert "ALL CUSTOMERS" not in own
    assert "Contoso: 1 open ticket" in own
    clock.advance(timedelta(days=7))
    await run()
    assert len(sink.mails()) == 4


async def test_an_owner_hears_of_no_account_of_others_and_a_viewer_of_none_at_all(
    company: Database, clock: FixedClock, sink: SmtpSink, scoring: Scoring
) -> None:
    said = snapshot(account_id=account_id(7), owner="bo@example.com")
    unhappy = [answer(7000 + number, 0, at=clock.now(), snapshot=said) for number in range(6)]
    await scoring.take(
        account(7, name="Wingtip", owner="bo@example.com"), ticket(7, 7, clock.now()),
        account(8, name="Adatum", owner="viewer@example.com"), ticket(8, 8, clock.now()), *unhappy,
    )  # fmt: skip
    await rounds(company, sink)()
    mails = {str(mail["To"]).partition(" ")[0]: text_of(mail) for mail in sink.mails()}
    assert sorted(mails) == ["Anna", "Bo", "Lead"]
    assert "Wingtip: 1 open ticket" in mails["Bo"]
    assert "Contoso" not in mails["Bo"]
    assert "Wingtip" not in mails["Anna"]
    assert all(name in mails["Lead"] for name in ("Wingtip", "Contoso", "Adatum"))


async def test_a_digest_that_cannot_be_written_is_tried_some_times_and_then_said_to_have_failed(
    company: Database, clock: FixedClock, sink: SmtpSink, machine: FakeMachine
) -> None:
    broken = rounds(company, sink, json.loads('{"tickets": "heavy"}'))
    with capture_logs() as logged:
        await broken()
    assert [one["event"] for one in logged].count("digest_unwritten") == 2
    async with company.read() as conn:
        first = await digests.listed(conn, clock.now().date() - timedelta(weeks=1), None, 10)
    assert [(one["state"], one["attempts"]) for one in first] == [("pending", 1), ("pending", 1)]
    assert all("could not be written (TypeError" in one["detail"] for one in first)
    with capture_logs():
        for _ in range(TRIES):
            machine.advance(3600)
            await broken()
    access = access_to(company, clock)
    _, key = await access.create_key("ops", frozenset({Scope.USERS_READ}), None)
    served = application(company, clock, access)
    served.include_router(api_of_digests.routes(company, clock))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(served), base_url="http://test",
        headers={"Authorization": f"Bearer {key}"},
    ) as api:  # fmt: skip
        found = (await api.get("/v1/scores/digests")).json()["digests"]
    assert [(one["state"], one["attempts"]) for one in found] == [("failed", TRIES), ("failed", TRIES)]
    assert all("could not be written" in one["detail"] for one in found)
    await rounds(company, sink)()
    assert not sink.mails()


async def test_the_whole_house_is_told_what_the_overview_shows(
    company: Database, clock: FixedClock, sink: SmtpSink
) -> None:
    await rounds(company, sink)()
    (lead,) = [mail for mail in sink.mails() if "Lead" in str(mail["To"])]
    access = access_to(company, clock)
    _, key = await access.create_key("bi", frozenset({Scope.SCORES_READ}), None)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(application(company, clock, access)), base_url="http://test",
        headers={"Authorization": f"Bearer {key}"},
    ) as api:  # fmt: skip
        changes = (await api.get("/v1/scores/changes")).json()["changes"]
    told = text_of(lead)
    words = {"worse": ", worse by", "better": ", better by", "no_detectable_change": ", no detectable change"}
    for change in changes:
        few = "whether it changed cannot be said" if change["now"]["n"] >= 5 else "nothing can be said yet"
        assert words.get(change["verdict"], few) in told
        assert f"{change['now']['n']} answers" in told


@pytest.mark.requirement("R68", "R70")
async def test_leaders_hear_which_themes_rise_and_owners_of_their_accounts_do_not(
    company: Database, clock: FixedClock, sink: SmtpSink
) -> None:
    await risen(company, clock)
    await rounds(company, sink)()
    own, house = (body for _, body in sorted((str(mail["To"]), text_of(mail)) for mail in sink.mails()))
    said = " ".join(house.split())
    assert (
        "More customers speak of this than before: - Invoices: 50% of the comments of 30 days, where 0% were"
        " to be expected (20 customers) https://ask.example/scores/comments?theme=billing&period=30" in said
    )
    assert "More customers speak" not in own


@pytest.mark.requirement("R68")
async def test_leaders_hear_that_more_customers_leave_and_of_which_tier(
    company: Database, clock: FixedClock, sink: SmtpSink
) -> None:
    await left_more(company, clock)
    await rounds(company, sink)()
    own, house = (body for _, body in sorted((str(mail["To"]), text_of(mail)) for mail in sink.mails()))
    said = " ".join(house.split())
    assert (
        "More customers leave than before: - 6 of about 58 customers left in the 30 days up to 3 Mar 2026,"
        " where 0.2 were to be expected - Small accounts: 6 of about 57 customers left" in said
    )
    assert "More customers leave" not in own


async def test_a_digest_left_while_it_is_written_goes_later_and_one_left_on_its_way_never_again(
    company: Database, clock: FixedClock, sink: SmtpSink, machine: FakeMachine
) -> None:
    sink.faults.rules.append(Fault("lead@*", FaultKind.REFUSE_RECIPIENT, times=1))
    run = rounds(company, sink)
    await run()
    assert [str(mail["To"]) for mail in sink.mails()] == ["Anna <anna@example.com>"]
    await run()
    assert len(sink.mails()) == 1
    machine.advance(30)
    await run()
    assert len(sink.mails()) == 2
    clock.advance(timedelta(days=7))
    week, later = clock.now().date() - timedelta(days=clock.now().weekday()), clock.now()
    async with company.begin() as tx:
        users = [one.user.id for one in await digests.addressees(tx.conn)]
        await digests.plan(tx.conn, [(week, user) for user in users], later, machine.wall())
        taken = await digests.claim(tx.conn, users[0], machine.wall(), later, HOLD)
        assert len(taken) == 2
        assert await digests.begin(tx.conn, taken[0], users[0])
    await run()
    assert len(sink.mails()) == 2
    machine.advance(HOLD.total_seconds())
    await run()
    assert len(sink.mails()) == 3
    async with company.begin() as tx:
        assert not await digests.begin(tx.conn, taken[1], users[0])
    async with company.read() as conn:
        states = [one["state"] for one in await digests.listed(conn, week, None, 10)]
    assert sorted(states) == ["sent", "uncertain"]
