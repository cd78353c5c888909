"""What scoring found is told by mail to those whom it concerns: once, together, a theme to its team."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.alerts.domain.teams import read_roster
from services.alerts.handlers.finding import route, send_findings
from services.alerts.handlers.mailing import HOLD
from shared.contracts.envelope import Event
from shared.contracts.model import Family
from shared.contracts.scores import ScoreDropped, ThemeRising
from shared.errors import SendError
from tests.integration.alerts.conftest import Office
from tests.support.alerts import T0, Mailer, event

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
