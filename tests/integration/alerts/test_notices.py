"""Who is told, once each, also when mail servers fail and workers vanish."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from typing_extensions import override

from services.alerts.channels.port import Delivery
from services.alerts.domain.retry import TRIES
from services.alerts.handlers.actions import Action, Wish, act
from services.alerts.worker import HOLD, hand_over, refresh_gauges
from shared.contracts.directory import Brand, ContactErased, OrganisationChanged, Sender
from shared.errors import SendError
from shared.runtime import failpoints
from shared.runtime.failpoints import FailpointHit
from shared.runtime.ids import derive
from tests.integration.alerts.conftest import Office
from tests.support.alerts import HOUR, T0, event
from tests.support.made_notices import SITE, Postbox


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    failpoints.disarm()
    yield
    failpoints.disarm()


async def opened(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0))


async def states(office: Office, channel: str = "email") -> list[str]:
    return [
        r[0]
        for r in await office.rows("select state from notices where channel = $1 order by state", channel)
    ]


@pytest.mark.requirement("R72")
async def test_each_recipient_is_told_once_in_clear_words(office: Office) -> None:
    await opened(office)
    box = Postbox()
    assert await hand_over(office.desk, office.db, box, SITE) == 2
    assert await hand_over(office.desk, office.db, box, SITE) == 0
    assert {delivery.to for delivery in box.taken} == {"mia@afterword.test", "ada@afterword.test"}
    text = box.taken[0].text
    assert text.subject == "Ana (Acme) gave 2 of 10 (24 h left)"
    assert text.quote == "Nobody called back."
    assert ("Phone", "+46701234567") in text.facts
    assert text.link.startswith(f"{SITE}/tickets/")
    kinds = await office.rows("select kind, count(*) from timeline group by 1 order by 1")
    assert ("told", 2) in kinds
    assert await states(office) == ["sent", "sent"]


async def test_a_dead_room_does_not_delay_the_mail(office: Office) -> None:
    await opened(office)
    dead = Postbox("slack", 1, SendError("webhook: HTTP 503", permanent=False))
    box = Postbox()
    await hand_over(office.desk, office.db, dead, SITE)
    await hand_over(office.desk, office.db, box, SITE)
    assert len(box.taken) == 2
    assert await states(office, "slack") == ["pending"]


async def test_a_failure_is_tried_again_later_and_later(office: Office) -> None:
    await opened(office)
    room = Postbox(
        "slack", 1, SendError("webhook: HTTP 429", permanent=False, retry_after=timedelta(seconds=90))
    )
    assert await hand_over(office.desk, office.db, room, SITE) == 1
    office.machine.advance(89)
    assert await hand_over(office.desk, office.db, room, SITE) == 0
    office.machine.advance(1)
    room.fails = None
    assert await hand_over(office.desk, office.db, room, SITE) == 1
    assert await office.rows("select attempt, outcome, detail from notice_attempts order by attempt") == [
        (1, "failed", "webhook: HTTP 429"),
        (2, "sent", ""),
    ]


@pytest.mark.requirement("R72")
async def test_when_the_owner_cannot_be_told_the_managers_are(office: Office) -> None:
    await office.hears(await office.says.answered("r1", 2, T0))
    async with office.db.begin() as tx:
        (row,) = await tx.conn.fetch("select id from tickets")
        await act(
            office.desk,
            tx,
            row["id"],
            Wish(Action.ASSIGN, office.team.ids["mia"], to=office.team.ids["rita"]),
        )
        await tx.conn.execute("delete from notices where occasion <> 'assigned'")
    refusing = Postbox(fails=SendError("SMTP 550: recipient refused", permanent=True))
    await hand_over(office.desk, office.db, refusing, SITE)
    assert await office.rows(
        "select occasion, channel, state from notices order by occasion, channel, recipient"
    ) == [
        ("assigned", "email", "failed"),
        ("unreachable", "email", "pending"),
        ("unreachable", "email", "pending"),
        ("unreachable", "slack", "pending"),
    ]
    assert ("not_told",) in await office.rows("select kind from timeline")


async def test_giving_up_takes_about_an_hour(office: Office) -> None:
    await opened(office)
    room = Postbox("slack", 1, SendError("webhook: HTTP 500", permanent=False))
    start, tried = office.machine.monotonic(), 0
    while await states(office, "slack") == ["pending"]:
        tried += await hand_over(office.desk, office.db, room, SITE)
        office.machine.advance(5)
    assert tried == TRIES
    assert 1800 < office.machine.monotonic() - start < 5400


@pytest.mark.parametrize(
    "name", ["alerts.notice_claimed_before_send", "alerts.notice_accepted_before_record"]
)
async def test_an_alarm_in_doubt_is_repeated_with_the_same_id(office: Office, name: str) -> None:
    await opened(office)
    box = Postbox("slack", 1)
    failpoints.arm(f"{name}:1:raise")
    with pytest.raises(FailpointHit):
        await hand_over(office.desk, office.db, box, SITE)
    assert await hand_over(office.desk, office.db, box, SITE) == 0
    office.machine.advance(HOLD.total_seconds())
    assert await hand_over(office.desk, office.db, box, SITE) == 1
    assert len({delivery.id for delivery in box.taken}) == 1
    assert await states(office, "slack") == ["sent"]


async def test_one_who_comes_back_after_the_lease_writes_nothing(office: Office) -> None:
    await opened(office)

    class Slow(Postbox):
        @override
        async def send(self, delivery: Delivery) -> None:
            await super().send(delivery)
            office.machine.advance(HOLD.total_seconds())
            await hand_over(office.desk, office.db, fast, SITE)
            raise SendError("webhook: HTTP 500", permanent=True)

    fast = Postbox("slack", 1)
    await hand_over(office.desk, office.db, Slow("slack", 1), SITE)
    assert await states(office, "slack") == ["sent"]
    assert await office.rows("select count(*) from timeline where kind in ('told', 'not_told')") == [(1,)]


async def test_nobody_is_woken_for_a_case_that_is_over(office: Office) -> None:
    await opened(office)
    await office.hears(office.says.withdrawn("r1", T0 + HOUR, version=2))
    box = Postbox()
    assert await hand_over(office.desk, office.db, box, SITE) == 0
    assert box.taken == []
    assert await states(office) == ["dropped", "dropped"]


async def test_of_an_erased_contact_a_notice_says_nothing(office: Office) -> None:
    await opened(office)
    async with office.db.begin() as tx:
        await office.desk.sealer.destroy(tx.conn, [derive("contact", "ana")])
    erased = ContactErased(contact_id=str(derive("contact", "ana")), version=2, erased_at=T0)
    await office.hears(event(erased, T0))
    box = Postbox()
    await hand_over(office.desk, office.db, box, SITE)
    assert "Ana" not in repr(box.taken[0].text)
    assert box.taken[0].text.quote == ""


async def test_a_broken_seal_does_not_hold_the_alarm_back(office: Office) -> None:
    await opened(office)
    async with office.db.begin() as tx:
        await tx.conn.execute("update answers set person = 'garbage', words = 'garbage'")
    box = Postbox()
    assert await hand_over(office.desk, office.db, box, SITE) == 2


async def test_links_lead_to_the_organisations_own_address(office: Office) -> None:
    settings = OrganisationChanged(
        version=1,
        name="Nordlys",
        zone="Europe/Oslo",
        brand=Brand(name="Nordlys"),
        sender=Sender(name="Kari", email="kari@nordlys.test"),
        public_url="https://ask.nordlys.test",
    )
    await office.hears(event(settings, T0))
    await opened(office)
    box = Postbox()
    await hand_over(office.desk, office.db, box, SITE)
    assert box.taken[0].text.link.startswith("https://ask.nordlys.test/tickets/")
    assert ("Contact by", "Wed 4 Mar, 10:00 CET") in box.taken[0].text.facts


async def test_the_gauges_count_tickets_by_state(office: Office) -> None:
    await opened(office)
    assert await refresh_gauges(office.db) == 0


async def test_after_an_outage_of_the_mail_server_only_the_gravest_alarm_is_sent(office: Office) -> None:
    await opened(office)
    for hour in (12, 24, 48):
        office.clock.set(T0 + hour * HOUR)
        await office.rings()
    room = Postbox("slack", 4)
    await hand_over(office.desk, office.db, room, SITE)
    assert [delivery.text.subject for delivery in room.taken] == [
        "LATE, hard limit: Ana (Acme) gave 2 of 10 (24 h late)"
    ]
    assert await states(office, "slack") == ["dropped", "dropped", "dropped", "sent"]
