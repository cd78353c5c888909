"""Scores in CRMs over whatever happens here and there: each figure once, and nothing left of the erased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from typing_extensions import override

from services.scoring.connectors.hubspot import HubSpot
from services.scoring.connectors.salesforce import Salesforce
from services.scoring.domain.crm import CONTACT_FIGURES, Crm, Kind, Update
from services.scoring.domain.health import WEIGHTS
from services.scoring.handlers import TOUCHING_SUBSCRIPTIONS
from services.scoring.store import crm as crm_rows
from services.scoring.worker.crm import HOLD, Office, planning, writing
from shared.contracts.directory import ContactChanged, ContactErased
from shared.contracts.forms import QuestionType
from shared.contracts.model import Family, Payload, Person, Persona
from shared.contracts.responses import ResponseAmended
from shared.db.database import Database
from shared.partners.api import Api
from shared.runtime.clock import FakeMachine, FixedClock
from shared.runtime.ids import derive
from shared.security.sealing import Sealer
from tests.support.crm import CrmDesk, HubSpotCrm, SalesforceCrm
from tests.support.customers import account, account_id, contact, ticket
from tests.support.scoring import Scoring, answer, snapshot, withdrawn

pytestmark = pytest.mark.requirement("R71")
ANA = derive("contact", 1)
ACME = UUID(account_id(1))
SETTLE = timedelta(seconds=30)
CSAT = QuestionType.CSAT


@dataclass
class Ties:
    """Scoring beside a CRM: what comes in, time that passes, and rounds of its loops."""

    scoring: Scoring
    office: Office
    crm: Crm
    desk: CrmDesk
    machine: FakeMachine
    clock: FixedClock

    async def hears(self, *payloads: Payload) -> None:
        assert await self.scoring.take(*payloads) == 0

    async def writes(self, after: timedelta = SETTLE) -> int:
        """Rounds until there is nothing to do; returns how many records were written to."""
        before = self.desk.writes
        await self.plans()
        self.machine.advance(after.total_seconds())
        for kind in Kind:
            while await writing(self.office, self.crm, kind)():
                pass
        return self.desk.writes - before

    async def plans(self) -> None:
        while await planning(self.office, [self.crm])():
            pass

    async def told(self, version: int = 1, email: str = "ana@acme.test", **changes: object) -> ContactChanged:
        who = UUID(str(changes.get("contact_id", ANA)))
        async with self.office.db.begin() as tx:
            (sealed,) = await self.office.sealer.seal(tx.conn, [(who, Person(name="Ana", email=email))])
        known = contact(1, 1, Persona.USER, version)
        return known.model_copy(update={"person": sealed, **changes})

    async def erases(self) -> None:
        async with self.office.db.begin() as tx:
            await self.office.sealer.destroy(tx.conn, [ANA])
        await self.hears(ContactErased(contact_id=str(ANA), version=9, erased_at=self.clock.now()))

    async def rows(self, columns: str = "kind, state, reason") -> Sequence[Any]:
        return await self.scoring.rows(f"select {columns} from crm_records order by target, kind, id")


def ties_of(db: Database, sealer: Sealer, clock: FixedClock, name: str) -> Ties:
    assert isinstance(db.machine, FakeMachine)
    desk: CrmDesk = HubSpotCrm() if name == "hubspot" else SalesforceCrm(CONTACT_FIGURES)
    headers = {"authorization": "Bearer secret"}
    client = httpx.AsyncClient(
        base_url="https://crm.test", transport=httpx.MockTransport(desk), headers=headers
    )
    api = Api(client, db.machine)
    crm: Crm = HubSpot(api) if name == "hubspot" else Salesforce(api)
    return Ties(
        Scoring(db, TOUCHING_SUBSCRIPTIONS), Office(db, sealer, WEIGHTS, SETTLE), crm, desk, db.machine, clock
    )


@pytest.fixture
async def ties(db: Database, sealer: Sealer, clock: FixedClock) -> Ties:
    """HubSpot with Ana's record and her company's, and the directory that told of both."""
    made = ties_of(db, sealer, clock, "hubspot")
    made.desk.add(Kind.CONTACT, "ana@acme.test", 7)
    made.desk.add(Kind.ACCOUNT, "Northwind", 8)
    await made.hears(account(1), await made.told())
    return made


def said(number: int, value: int, clock: FixedClock, days: int = 0, **changes: Any) -> Any:
    """Ana's answer of so many days ago."""
    at = clock.now() - timedelta(days=days)
    snap = snapshot(family=changes.pop("family", Family.TRANSACTIONAL))
    return answer(number, value, at=at, snapshot=snap, **changes)


def shown(ties: Ties, kind: Kind = Kind.CONTACT) -> dict[str, Any]:
    (record,) = ties.desk.records[kind]
    return ties.desk.shown(kind, record)


async def test_a_contact_has_its_last_answer_its_day_and_where_it_went(ties: Ties, clock: FixedClock) -> None:
    await ties.hears(said(1, 6, clock, 9), said(2, 9, clock, 2), said(3, 4, clock, 1, type_=CSAT))
    await ties.writes()
    assert shown(ties) == {
        "nps": "9", "nps_date": "2026-03-01", "nps_trend": "up", "csat": "4", "csat_date": "2026-03-02",
    }  # fmt: skip


async def test_answers_of_two_families_are_not_set_against_each_other(ties: Ties, clock: FixedClock) -> None:
    await ties.hears(
        said(1, 9, clock, 9), said(2, 3, clock, 5, family=Family.RELATIONSHIP), said(3, 9, clock, 1)
    )
    await ties.writes()
    assert shown(ties) == {"nps": "9", "nps_date": "2026-03-02", "nps_trend": "same"}


async def test_an_account_has_scores_with_answers_and_interval_and_health(
    ties: Ties, clock: FixedClock
) -> None:
    await ties.hears(*[said(n, 9 if n % 3 else 3, clock, n) for n in range(1, 7)])
    await ties.writes()
    seen = shown(ties, Kind.ACCOUNT)
    assert (seen["nps_transactional"], seen["nps_transactional_n"]) == ("33.3", "6")
    assert float(seen["nps_transactional_low"]) < 33.3 < float(seen["nps_transactional_high"])
    assert seen["nps_transactional_date"] == "2026-03-02"
    assert 0 < int(seen["health"]) < 100
    assert "nps_transactional_trend" not in seen


async def test_an_accounts_score_of_a_few_answers_stands_as_their_number_alone(
    ties: Ties, clock: FixedClock
) -> None:
    await ties.hears(*[said(n, 9, clock, n) for n in range(1, 5)])
    await ties.writes()
    seen = {name: v for name, v in shown(ties, Kind.ACCOUNT).items() if name.startswith("nps")}
    assert seen == {"nps_transactional_n": "4", "nps_transactional_date": "2026-03-02"}


async def test_a_score_that_is_certainly_lower_than_a_year_ago_went_down(
    ties: Ties, clock: FixedClock
) -> None:
    await ties.hears(*[said(n, 10, clock, 400 + n) for n in range(20)])
    await ties.hears(*[said(50 + n, 1, clock, n) for n in range(20)])
    await ties.writes()
    assert shown(ties, Kind.ACCOUNT)["nps_transactional_trend"] == "down"


async def test_health_that_fell_within_ninety_days_went_down(ties: Ties, clock: FixedClock) -> None:
    await ties.hears(*[said(n, 10, clock, 100 + n) for n in range(5)])
    await ties.hears(*[ticket(n, 1, clock.now() - timedelta(days=3)) for n in range(4)])
    await ties.writes()
    assert shown(ties, Kind.ACCOUNT)["health_trend"] == "down"


async def test_what_is_written_again_is_not_written_again(ties: Ties, clock: FixedClock) -> None:
    first = said(1, 6, clock, 3)
    await ties.hears(first)
    assert await ties.writes() == 2
    asked = len(ties.desk.asked)
    await ties.hears(first, await ties.told(2), account(1, 2))
    assert await ties.writes() == 0
    assert len(ties.desk.asked) == asked
    await ties.hears(said(2, 6, clock, 2))
    assert await ties.writes() == 2
    (update,) = [one for one in ties.desk.asked[asked:] if one.url.path.endswith("contacts/batch/update")]
    assert set(httpx.Response(200, content=update.content).json()["inputs"][0]["properties"]) == {
        "afterword_nps_date", "afterword_nps_trend"
    }  # fmt: skip


async def test_many_changes_are_gathered_and_written_once(ties: Ties, clock: FixedClock) -> None:
    for number in range(1, 6):
        await ties.hears(said(number, number, clock, 9 - number))
        await ties.plans()
        assert await writing(ties.office, ties.crm, Kind.CONTACT)() == 0
    assert await ties.writes() == 2
    assert shown(ties)["nps"] == "5"


async def test_an_answer_taken_back_takes_its_figure_with_it(ties: Ties, clock: FixedClock) -> None:
    await ties.hears(said(1, 6, clock, 3), said(2, 9, clock, 2))
    await ties.writes()
    await ties.hears(withdrawn(2, 2))
    await ties.writes()
    assert shown(ties) == {"nps": "6", "nps_date": "2026-02-28"}
    await ties.hears(withdrawn(1, 2))
    await ties.writes()
    assert shown(ties) == {}
    assert shown(ties, Kind.ACCOUNT) == {}


async def test_an_amendment_replaces_the_figure(ties: Ties, clock: FixedClock) -> None:
    await ties.hears(said(1, 6, clock, 3))
    await ties.writes()
    await ties.hears(said(1, 8, clock, 3, version=2, kind=ResponseAmended))
    await ties.writes()
    assert shown(ties) == {"nps": "8", "nps_date": "2026-02-28"}


async def test_nobody_is_made_there_and_whoever_is_missing_can_be_found_here(
    ties: Ties, clock: FixedClock
) -> None:
    ties.desk.records[Kind.CONTACT].clear()
    ties.desk.records[Kind.ACCOUNT].clear()
    await ties.hears(said(1, 6, clock, 3))
    assert await ties.writes() == 0
    unknown = "there is no such record"
    assert await ties.rows() == [("account", "refused", unknown), ("contact", "refused", unknown)]
    ties.desk.add(Kind.CONTACT, "ana@acme.test", 70)
    assert await ties.writes(timedelta(minutes=59)) == 0
    assert await ties.writes(timedelta(minutes=1)) == 1
    assert await ties.rows() == [("account", "refused", unknown), ("contact", "written", "")]


async def test_whose_address_becomes_known_is_written_at_once(ties: Ties, clock: FixedClock) -> None:
    await ties.hears(await ties.told(2, person=""), said(1, 6, clock, 3))
    await ties.writes()
    assert ("contact", "refused", "no e-mail address of the contact is known") in await ties.rows()
    await ties.hears(await ties.told(3))
    assert await ties.writes() == 1
    assert shown(ties)["nps"] == "6"


async def test_a_busy_partner_is_left_alone_for_as_long_as_it_wishes(ties: Ties, clock: FixedClock) -> None:
    await ties.hears(said(1, 6, clock, 3))
    ties.desk.fails = [httpx.Response(429, headers={"retry-after": "120"}, json={"category": "RATE_LIMITS"})]
    await ties.writes()
    asked = len(ties.desk.asked)
    assert asked == 1
    assert await ties.scoring.rows("select kind, failures, trouble from crm_troubles order by kind") == [
        ("account", 1, "HTTP 429 RATE_LIMITS"), ("contact", 1, "HTTP 429 RATE_LIMITS")
    ]  # fmt: skip
    assert await ties.writes(timedelta(seconds=119)) == 0
    assert len(ties.desk.asked) == asked
    assert await ties.writes(timedelta(seconds=1)) == 2
    assert await ties.scoring.rows("select * from crm_troubles") == []


async def test_one_that_is_down_is_tried_ever_more_slowly_and_nothing_is_lost(
    ties: Ties, clock: FixedClock
) -> None:
    await ties.hears(said(1, 6, clock, 3))
    ties.desk.fails = [httpx.ConnectError("down") for _ in range(4)]
    await ties.writes()
    waits = []
    while ties.desk.fails:
        waits.append(0)
        while ties.desk.fails and not await writing(ties.office, ties.crm, Kind.CONTACT)():
            ties.machine.advance(5)
            waits[-1] += 5
    assert waits == [5, 10, 20]
    assert await ties.writes(timedelta(minutes=1)) == 2


async def test_a_kind_that_is_refused_does_not_hold_up_the_other(ties: Ties, clock: FixedClock) -> None:
    ties.desk.add(Kind.ACCOUNT, "Contoso", 9)
    await ties.hears(said(1, 6, clock, 3))
    await ties.plans()
    ties.machine.advance(SETTLE.total_seconds())
    ties.desk.fails = [httpx.Response(403, json={"category": "MISSING_SCOPES"})]
    await writing(ties.office, ties.crm, Kind.ACCOUNT)()
    assert await writing(ties.office, ties.crm, Kind.CONTACT)() == 1
    assert shown(ties)["nps"] == "6"
    assert await ties.scoring.rows("select kind, trouble from crm_troubles") == [
        ("account", "HTTP 403 MISSING_SCOPES")
    ]


async def test_after_a_lost_answer_or_a_death_the_same_is_written_again(
    ties: Ties, clock: FixedClock
) -> None:
    await ties.hears(said(1, 6, clock, 3))
    await ties.plans()
    ties.machine.advance(SETTLE.total_seconds())
    ties.desk.lose_answer = True
    write = writing(ties.office, ties.crm, Kind.CONTACT)
    await write()
    ties.machine.advance(5)
    ties.desk.fails_writing = [KeyError("the process dies here")]
    with pytest.raises(KeyError):
        await write()
    assert await write() == 0
    ties.machine.advance(HOLD.total_seconds())
    assert await write() == 1
    assert shown(ties) == {"nps": "6", "nps_date": "2026-02-28"}
    assert await write() == 0


async def test_what_comes_in_while_it_is_written_is_written_next(ties: Ties, clock: FixedClock) -> None:
    await ties.hears(said(1, 6, clock, 3))
    await ties.plans()
    ties.machine.advance(SETTLE.total_seconds())

    class Slow(HubSpot):
        @override
        async def write(self, kind: Kind, updates: Sequence[Update]) -> Any:
            done = await super().write(kind, updates)
            await ties.hears(said(2, 9, clock, 1))
            await ties.plans()
            return done

    assert isinstance(ties.crm, HubSpot)
    await writing(ties.office, Slow(ties.crm._api), Kind.CONTACT)()
    assert shown(ties)["nps"] == "6"
    await writing(ties.office, ties.crm, Kind.CONTACT)()
    assert shown(ties)["nps"] == "9"


async def test_who_comes_back_after_the_lease_notes_nothing(ties: Ties, clock: FixedClock) -> None:
    await ties.hears(said(1, 6, clock, 3))
    await ties.plans()
    ties.machine.advance(SETTLE.total_seconds())
    quick = writing(ties.office, ties.crm, Kind.CONTACT)

    class Slow(HubSpot):
        @override
        async def write(self, kind: Kind, updates: Sequence[Update]) -> Any:
            done = await super().write(kind, updates)
            ties.machine.advance(HOLD.total_seconds())
            await ties.hears(said(2, 9, clock, 1))
            await quick()
            return done

    assert isinstance(ties.crm, HubSpot)
    await writing(ties.office, Slow(ties.crm._api), Kind.CONTACT)()
    assert shown(ties)["nps"] == "9"
    assert await ties.rows("kind, written ->> 'nps'") == [("account", None), ("contact", "9")]


async def test_an_erased_person_leaves_nothing_there_and_nothing_here(ties: Ties, clock: FixedClock) -> None:
    await ties.hears(said(1, 6, clock, 3), said(2, 5, clock, 2, type_=CSAT))
    await ties.writes()
    await ties.erases()
    assert await ties.scoring.rows("select written::text from crm_records where kind = 'contact'") == [
        ("{}",)
    ]
    await ties.writes()
    assert shown(ties) == {}
    assert await ties.rows("kind") == [("account",)]
    assert shown(ties, Kind.ACCOUNT)["nps_transactional_n"] == "1"
    await ties.hears(await ties.told(10))
    clock.advance(timedelta(days=1))
    await ties.writes()
    assert await ties.rows("kind") == [("account",)]


async def test_one_erased_while_figures_are_on_their_way_is_cleared_after(
    ties: Ties, clock: FixedClock
) -> None:
    await ties.hears(said(1, 6, clock, 3))
    await ties.plans()
    ties.machine.advance(SETTLE.total_seconds())

    class Slow(HubSpot):
        @override
        async def write(self, kind: Kind, updates: Sequence[Update]) -> Any:
            await ties.erases()
            return await super().write(kind, updates)

    assert isinstance(ties.crm, HubSpot)
    await writing(ties.office, Slow(ties.crm._api), Kind.CONTACT)()
    assert shown(ties)["nps"] == "6"
    await writing(ties.office, ties.crm, Kind.CONTACT)()
    assert shown(ties) == {}
    assert await ties.scoring.rows("select * from crm_records where kind = 'contact'") == []


async def test_clearing_goes_on_until_the_partner_takes_it(ties: Ties, clock: FixedClock) -> None:
    await ties.hears(said(1, 6, clock, 3))
    await ties.writes()
    await ties.erases()
    ties.desk.fails = [httpx.Response(401)]
    await ties.writes()
    assert shown(ties)["nps"] == "6"
    await ties.writes(timedelta(hours=1))
    assert shown(ties) == {}


async def test_a_record_that_was_deleted_there_is_looked_for_anew(ties: Ties, clock: FixedClock) -> None:
    await ties.hears(said(1, 6, clock, 3))
    await ties.writes()
    ties.desk.records[Kind.CONTACT].clear()
    ties.desk.add(Kind.CONTACT, "ana@acme.test", 70)
    await ties.hears(said(2, 9, clock, 1))
    await ties.writes()
    await ties.writes()
    assert shown(ties) == {"nps": "9", "nps_date": "2026-03-02", "nps_trend": "up"}


async def test_whoever_was_merged_is_written_under_the_one_who_stays_and_cleared_elsewhere(
    ties: Ties, clock: FixedClock
) -> None:
    other = derive("contact", 2)
    ties.desk.add(Kind.CONTACT, "bo@acme.test", 70)
    snap = snapshot(contact_id=str(other))
    await ties.hears(await ties.told(contact_id=str(other), email="bo@acme.test"))
    await ties.hears(answer(1, 3, at=clock.now() - timedelta(days=3), snapshot=snap), said(2, 9, clock, 1))
    await ties.writes()
    assert ties.desk.shown(Kind.CONTACT, "70") == {"nps": "3", "nps_date": "2026-02-28"}
    merged = contact(2, 1, Persona.USER, 5).model_copy(update={"merged_into": str(ANA)})
    await ties.hears(merged)
    await ties.writes()
    assert ties.desk.shown(Kind.CONTACT, "70") == {}
    await ties.writes()
    last = {"nps": "9", "nps_date": "2026-03-02", "nps_trend": "up"}
    assert ties.desk.shown(Kind.CONTACT, "7") == last
    assert await ties.scoring.rows("select id from crm_records where kind = 'contact'") == [(ANA,)]


async def test_two_who_were_merged_there_too_keep_the_figures_of_the_one_who_stays(
    ties: Ties, clock: FixedClock
) -> None:
    other = derive("contact", 2)
    snap = snapshot(contact_id=str(other))
    await ties.hears(await ties.told(contact_id=str(other)))
    await ties.hears(answer(1, 3, at=clock.now() - timedelta(days=3), snapshot=snap), said(2, 9, clock, 1))
    await ties.writes()
    await ties.hears(contact(2, 1, Persona.USER, 5).model_copy(update={"merged_into": str(ANA)}))
    await ties.writes()
    await ties.writes()
    assert shown(ties) == {"nps": "9", "nps_date": "2026-03-02", "nps_trend": "up"}


async def test_a_crm_that_is_connected_later_gets_everybody_who_was_heard(
    db: Database, sealer: Sealer, clock: FixedClock, scoring: Scoring
) -> None:
    late = ties_of(db, sealer, clock, "salesforce")
    assert isinstance(late.desk, SalesforceCrm)
    late.desk.add(Kind.CONTACT, "ana@acme.test", 7)
    late.desk.fields[Kind.ACCOUNT] = {"Afterword_nps_transactional_n__c": True}
    late.desk.add(Kind.ACCOUNT, "Northwind", 8)
    await scoring.take(account(1), account(2), await late.told(), said(1, 6, clock, 3))
    assert await late.writes() == 2
    assert shown(late) == {"nps": 6, "nps_date": "2026-02-28"}
    assert shown(late, Kind.ACCOUNT) == {"nps_transactional_n": 1}
    assert await late.rows("kind, id") == [("account", ACME), ("contact", ANA)]


async def test_everybody_is_looked_at_once_a_day_whenever_they_were_heard(
    db: Database, clock: FixedClock, scoring: Scoring
) -> None:
    """Page by page in the order of ids, from answers of today, of last month and of years ago."""
    people = [derive("contact", number) for number in range(1, 8)]
    days = (0, 1, 31, 32, 33, 400, 1100)
    answers = [
        said(number, 9, clock, ago).model_copy(update={"snapshot": snapshot(contact_id=str(person))})
        for number, (person, ago) in enumerate(zip(people, days, strict=True))
    ]
    again = said(9, 3, clock, 64).model_copy(update={"snapshot": snapshot(contact_id=str(people[0]))})
    await scoring.take(*answers, again)
    of, now = [("hubspot", Kind.CONTACT)], clock.now()
    seen: list[int] = []
    listed: list[set[UUID]] = []
    while not seen or seen[-1]:
        async with db.begin() as tx:
            seen.append(await crm_rows.sweep(tx.conn, of, now.date(), now, 3))
        listed.append({row[0] for row in await scoring.rows("select id from crm_records")})
    assert seen == [3, 3, 1, 0]
    assert listed == [set(sorted(people)[:end]) for end in (3, 6, 7, 7)]


async def test_days_that_pass_are_written_too(ties: Ties, clock: FixedClock) -> None:
    await ties.hears(*[said(n, 9, clock, n) for n in range(1, 7)])
    await ties.writes()
    health = int(shown(ties, Kind.ACCOUNT)["health"])
    clock.advance(timedelta(days=100))
    await ties.writes()
    assert int(shown(ties, Kind.ACCOUNT)["health"]) < health
    clock.advance(timedelta(days=300))
    await ties.writes()
    assert "health" not in shown(ties, Kind.ACCOUNT)


async def test_whom_nobody_heard_of_is_not_asked_for(ties: Ties, clock: FixedClock) -> None:
    await ties.hears(await ties.told(2), account(2), ticket(1, 2, clock.now()))
    await ties.writes()
    assert await ties.rows() == []
    assert ties.desk.asked == []


async def test_answers_of_a_trial_are_written_nowhere(ties: Ties, clock: FixedClock) -> None:
    told = answer(1, 9, at=clock.now(), snapshot=snapshot(test=True))
    await ties.hears(told)
    await ties.writes()
    assert await ties.rows() == []


async def test_weights_of_health_are_those_of_the_house(ties: Ties, clock: FixedClock) -> None:
    await ties.hears(*[said(n, 9, clock, n) for n in range(1, 7)])
    ties.office = replace(ties.office, weights=dict.fromkeys(WEIGHTS, 0.0))
    await ties.writes()
    assert "health" not in shown(ties, Kind.ACCOUNT)
