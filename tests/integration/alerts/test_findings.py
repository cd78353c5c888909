"""What scoring found is told by mail to those whom it concerns: once, together, a theme to its team."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from services.alerts.domain.teams import read_roster
from services.alerts.handlers.finding import route, send_findings
from services.alerts.handlers.mailing import HOLD
from shared.contracts.envelope import Event
from shared.contracts.model import Family
from shared.contracts.scores import ChurnRising, ScoreDropped, ThemeRising
from shared.errors import SendError
from shared.runtime.clock import FixedClock
from shared.security.sealing import Sealer
from tests.integration.alerts.conftest import Office
from tests.support.alert_site import Site, site
from tests.support.alerts import T0, Mailer, event
from tests.support.databases import OpenDatabase

BASE = "https://afterword.test"
FELL = ScoreDropped(
    cell="csat/transactional/support-csat", metric="csat", before=82.2, after=60.7, n_before=120, n_after=40,
    programme="support-csat", family=Family.TRANSACTIONAL, low=-35, high=-8, chance=0.002,
    happened=("release: Suite 4.2",), at=T0,
)  # fmt: skip
RISES = ThemeRising(
    theme="billing", n_before=9, n_after=14, names={"en": "Invoices", "sv": "Fakturor"}, team="finance",
    comments_before=150, comments_after=52, negative_before=6, negative_after=12, accounts=11, before=6.2,
    after=26.9, low=9, high=34, chance=0.001, programmes=("support-csat",),
    happened=("release: Suite 4.2", "incident: Outage"), at=T0,
)  # fmt: skip
TEAMS = """
teams:
  finance:
    name: Finance
    zone: Europe/Oslo
    manager: rita@afterword.test
    rota: [{people: [rita@afterword.test], first: 2026-03-02}]
"""


async def found(office: Office, *told: Event[Any]) -> None:
    async with office.db.begin() as tx:
        await route(office.desk).handle(told, tx)


async def sent(office: Office, mail: Mailer) -> int:
    return await send_findings(office.desk, office.db, mail, BASE)


@pytest.mark.requirement("R68", "R80")
async def test_what_is_found_together_is_one_mail_to_each_manager(office: Office) -> None:
    mail = Mailer()
    await found(office, event(FELL, T0), event(RISES, T0))
    await found(office, event(FELL, T0), event(RISES, T0))
    assert await sent(office, mail) == 2
    assert await sent(office, mail) == 0
    assert sorted(to for _, to, _ in mail.sent) == ["ada@afterword.test", "mia@afterword.test"]
    text = mail.sent[0][2]
    assert text.subject == "Support-csat, satisfaction fell, and 1 more finding"
    assert text.facts == (
        (
            "Fell",
            (
                "support-csat, satisfaction: 61 % in the last 30 days, 82 % in the 90 before"
                " (40 and 120 answers)"
            ),
        ),
        (
            "Named more often",
            (
                "Invoices: 27 % of comments, 6 % were to be expected"
                " (14 of 52 comments of 11 customers; 12 complain)"
            ),
        ),
        ("Meanwhile", "release: Suite 4.2; incident: Outage"),
    )
    assert (text.link, text.calm) == (f"{BASE}/scores", True)


@pytest.mark.requirement("R68")
async def test_churn_that_rises_is_told_to_each_manager_with_what_was_expected(office: Office) -> None:
    mail = Mailer()
    rises = ChurnRising(
        left_before=9,
        left_after=8,
        expected=1.46,
        accounts_after=243,
        happened=("release: Suite 4.2",),
        at=T0,
    )
    await found(office, event(rises, T0))
    assert await sent(office, mail) == 2
    text = mail.sent[0][2]
    assert text.subject == "More customers leave"
    assert text.facts == (
        (
            "Left",
            (
                "8 customers (of about 243) left in the last 30 days, 1.5 were to be expected"
                " from the 180 before (9 left)"
            ),
        ),
        ("Meanwhile", "release: Suite 4.2"),
    )
    assert text.link == f"{BASE}/scores"


@pytest.mark.requirement("R60", "R68")
async def test_of_a_tier_that_leaves_managers_are_told_which(office: Office) -> None:
    mail = Mailer()
    premium = ChurnRising(
        dimension="tier", value="premium", left_before=1, left_after=5, expected=0.2, accounts_after=12, at=T0
    )
    whole = ChurnRising(left_before=9, left_after=8, expected=1.46, parts=("product:suite",), at=T0)
    await found(office, event(premium, T0), event(whole, T0))
    assert await sent(office, mail) == 2
    text = mail.sent[0][2]
    assert text.subject == "More customers of tier premium leave, and 1 more finding"
    tier, everybody = (told for _, told in text.facts)
    assert tier == (
        "5 customers of tier premium (of about 12) left in the last 30 days, 0.2 were to be expected from"
        " the 180 before (1 left)"
    )
    assert everybody.endswith("from the 180 before (9 left); product suite rises by itself")


@pytest.mark.requirement("R80")
async def test_a_theme_is_told_to_the_team_that_it_concerns(office: Office) -> None:
    roster = read_roster(TEAMS).value
    assert roster is not None
    office = replace(office, desk=replace(office.desk, roster=roster))
    mail = Mailer()
    await found(office, event(RISES, T0))
    assert await sent(office, mail) == 1
    ((_, to, text),) = mail.sent
    assert to == "rita@afterword.test"
    assert text.subject == "More speak of invoices"
    assert text.link == f"{BASE}/scores/comments?theme=billing&period=30"


@pytest.mark.requirement("R68")
async def test_a_mail_that_is_refused_for_now_goes_later_and_one_that_cannot_go_is_kept_as_failed(
    office: Office,
) -> None:
    mail = Mailer(SendError("SMTP 451", permanent=False))
    await found(office, event(FELL, T0))
    assert await sent(office, mail) == 2
    assert await sent(office, mail) == 0, "it waits"
    office.machine.advance(60)
    mail.trouble = None
    assert await sent(office, mail) == 2
    later = FELL.model_copy(update={"cell": "nps/transactional/renewal"})
    await found(office, Event("another", "/afterword/test", later.TYPE, T0, "", "key", later))
    mail.trouble = SendError("SMTP 550", permanent=True)
    assert await sent(office, mail) == 2
    kept = await office.rows(
        "select state, detail, count(*)::int from finding_mails group by 1, 2 order by 1"
    )
    assert kept == [("failed", "SMTP 550", 2), ("sent", "", 2)]


async def test_whoever_vanishes_while_handing_over_has_it_repeated_as_the_same_mail(office: Office) -> None:
    await found(office, event(FELL, T0))

    async def vanishes(*_: object) -> None:
        raise KeyError("the process ends here")

    with pytest.raises(KeyError):
        await send_findings(office.desk, office.db, vanishes, BASE)
    mail = Mailer()
    assert await sent(office, mail) == 0, "somebody may have it in hand"
    office.machine.advance(HOLD.total_seconds())
    assert await sent(office, mail) == 2
    assert len({mail_id for mail_id, _, _ in mail.sent}) == 2


@pytest.fixture
async def on(database: OpenDatabase, sealer: Sealer, clock: FixedClock) -> Site:
    """A service in whose inbox nothing waits."""
    made = site(await database("alerts"), sealer, clock)
    made.clock.set(T0)
    await made.sign_in_everybody()
    return made


@asynccontextmanager
async def signed_in(on: Site, who: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(on.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        client.cookies.set("afterword", on.tokens[who])
        yield client


async def told(on: Site, mail: Mailer) -> None:
    async with on.db.begin() as tx:
        await route(on.desk).handle([event(FELL, T0), event(RISES, T0)], tx)
    assert await send_findings(on.desk, on.db, mail, BASE) == 2


@pytest.mark.requirement("R68")
async def test_managers_see_who_could_not_be_told_and_why_and_send_it_again(on: Site) -> None:
    mail = Mailer(SendError("SMTP 550 no such user", permanent=True))
    await told(on, mail)
    async with signed_in(on, "mia") as web:
        inbox = (await web.get("/inbox")).text
        assert "2 mails about what answers show could not be sent" in inbox
        page = (await web.get("/inbox/findings")).text
        for said in (
            "Mia Sol",
            "Ada Admin",
            "SMTP 550 no such user",
            "Check that ada@afterword.test is right",
        ):
            assert said in page
        assert '<a href="/scores/comments?theme=billing&amp;period=30">More speak of invoices</a>' in page
        failed = (await web.get("/v1/tickets/findings?state=failed")).json()
        assert {one["user_id"] for one in failed} == {str(on.users["mia"]), str(on.users["ada"])}
        assert {one["detail"] for one in failed} == {"SMTP 550 no such user"}
        assert [one["subject"] for one in failed[0]["findings"]] == [
            "support-csat, satisfaction fell", "more speak of invoices",
        ]  # fmt: skip
        csrf = re.search(r'name="csrf" value="([^"]+)"', page)
        assert csrf is not None
        paths = re.findall(r'action="(/inbox/findings/[^"]+/again)"', page)
        assert len(paths) == 2
        mail.trouble = None
        for path in paths:
            assert (await web.post(path, data={"csrf": csrf[1]})).status_code == 303
        assert await send_findings(on.desk, on.db, mail, BASE) == 2
        repeated = await web.post(paths[0], data={"csrf": csrf[1]})
        assert repeated.status_code == 409, "it was sent meanwhile"
        assert "could not be sent" not in (await web.get("/inbox")).text
        assert "SMTP 550" not in (await web.get("/inbox/findings")).text
    assert sorted(to for _, to, _ in mail.sent) == ["ada@afterword.test", "mia@afterword.test"]


async def test_reps_see_it_and_leave_it_to_managers(on: Site) -> None:
    await told(on, Mailer(SendError("SMTP 550", permanent=True)))
    async with signed_in(on, "rita") as web:
        assert "could not be sent" not in (await web.get("/inbox")).text
        page = (await web.get("/inbox/findings")).text
        assert "SMTP 550" in page
        assert "Send again" not in page
        async with on.db.read() as conn:
            mail_id = await conn.fetchval("select min(id::text) from finding_mails")
        csrf = web.cookies.get("csrf", "")
        refused = await web.post(f"/inbox/findings/{mail_id}/again", data={"csrf": csrf})
        assert refused.status_code == 403


async def test_of_somebody_who_has_left_nothing_can_be_sent_again(on: Site) -> None:
    async with on.db.begin() as tx:
        await route(on.desk).handle([event(FELL, T0)], tx)
    await on.access.disable(on.users["mia"])
    assert await send_findings(on.desk, on.db, Mailer(), BASE) == 2
    async with signed_in(on, "ada") as web:
        page = (await web.get("/inbox/findings")).text
    assert "Nobody reads mails of this account any more" in page
    assert "Send again" not in page


async def test_without_any_mail_the_page_says_when_one_comes(on: Site) -> None:
    async with signed_in(on, "mia") as web:
        assert "No mail was sent yet" in (await web.get("/inbox/findings")).text
