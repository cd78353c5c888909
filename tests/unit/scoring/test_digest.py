"""The weekly digest: when it is due, which accounts are in it, what its words say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from services.scoring.channels.digest import MOST_SCORES, build
from services.scoring.domain.change import compare
from services.scoring.domain.digest import (
    MOST_ACCOUNTS,
    Day,
    Digest,
    Line,
    Part,
    Reason,
    Schedule,
    Standing,
    due_week,
    needy,
    next_attempt,
    part_of,
)
from services.scoring.domain.health import Health
from services.scoring.domain.histogram import Histogram, Metric
from services.scoring.domain.metrics import score
from shared.errors import SendError
from shared.runtime.ids import derive
from shared.security.people import User
from shared.security.roles import Role
from tests.support.postbox import text_of

pytestmark = pytest.mark.requirement("R83")
MONDAY = Schedule(Day.MONDAY, 8)
TODAY = date(2026, 3, 3)


@pytest.mark.parametrize(
    ("now", "zone", "schedule", "week"),
    [
        pytest.param("2026-03-02T07:59", "UTC", MONDAY, None, id="just before its hour"),
        pytest.param("2026-03-02T08:00", "UTC", MONDAY, "2026-03-02", id="at its hour"),
        pytest.param("2026-03-04T07:59", "UTC", MONDAY, "2026-03-02", id="late, not too late"),
        pytest.param("2026-03-04T08:00", "UTC", MONDAY, None, id="too late"),
        pytest.param("2026-03-02T07:00", "Europe/Stockholm", MONDAY, "2026-03-02", id="readers clock"),
        pytest.param("2026-03-02T16:00", "America/Los_Angeles", MONDAY, "2026-03-02", id="west"),
        pytest.param("2026-03-02T15:59", "America/Los_Angeles", MONDAY, None, id="west, before"),
        pytest.param("2026-03-09T01:00", "UTC", Schedule(Day.SUNDAY, 20), "2026-03-02", id="last week"),
        pytest.param("2026-03-02T08:00", "UTC", Schedule(Day.OFF, 8), None, id="switched off"),
    ],
)
def test_a_digest_is_due_at_its_hour_on_the_readers_clock(
    now: str, zone: str, schedule: Schedule, week: str | None
) -> None:
    found = due_week(datetime.fromisoformat(now).replace(tzinfo=UTC), zone, schedule)
    assert found == (date.fromisoformat(week) if week else None)


def account(name: str = "Northwind", **changes: Any) -> Standing:
    known: dict[str, Any] = {
        "account_id": str(derive("account", name)), "name": name, "health": Health(80, 1.0, ()),
        "open_tickets": 0, "silent_days": 5, "renewal_on": None,
    }  # fmt: skip
    return Standing(**(known | changes))


SOON = TODAY + timedelta(days=60)
LATER = TODAY + timedelta(days=61)


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        pytest.param({}, None, id="well"),
        pytest.param({"open_tickets": 1}, (Reason.TICKETS,), id="open ticket"),
        pytest.param({"health": Health(39, 1.0, ())}, (Reason.HEALTH,), id="poor health"),
        pytest.param({"health": Health(40, 1.0, ())}, None, id="health just enough"),
        pytest.param({"health": Health(None, 0.0, ()), "silent_days": None}, None, id="silent, nothing near"),
        pytest.param({"silent_days": None, "renewal_on": SOON}, (Reason.NEVER,), id="never heard"),
        pytest.param({"silent_days": 90, "renewal_on": SOON}, (Reason.SILENT,), id="silent, renewal near"),
        pytest.param({"silent_days": 89, "renewal_on": SOON}, None, id="heard lately enough"),
        pytest.param({"silent_days": 90, "renewal_on": LATER}, None, id="renewal not yet near"),
        pytest.param({"silent_days": 90, "renewal_on": TODAY - timedelta(days=1)}, None, id="renewal past"),
    ],
)
def test_an_account_needs_somebody_for_a_reason(
    changes: dict[str, object], reasons: tuple[Reason, ...] | None
) -> None:
    found = needy([account("Northwind", **changes)], TODAY)
    assert [one.reasons for one in found] == ([reasons] if reasons else [])


def test_near_renewals_come_first_and_a_long_list_is_cut_and_says_so() -> None:
    many = [account(f"A{n:02}", open_tickets=1) for n in range(MOST_ACCOUNTS + 2)]
    part = part_of([*many, account("Z", open_tickets=1, renewal_on=SOON)], [], TODAY)
    assert (part.needy[0].standing.name, len(part.needy), part.more) == ("Z", MOST_ACCOUNTS, 3)


def test_of_near_renewals_the_next_comes_first_whatever_its_reason() -> None:
    late = account("Acme", open_tickets=1, renewal_on=SOON)
    silent = account("Zorn", silent_days=None, renewal_on=SOON - timedelta(days=1))
    assert [one.standing.name for one in needy([late, silent], TODAY)] == ["Zorn", "Acme"]


def test_of_accounts_without_a_near_renewal_those_with_more_reasons_come_first() -> None:
    poor = account("Acme", health=Health(10, 1.0, ()))
    graver = account("Zorn", health=Health(39, 1.0, ()), open_tickets=1)
    assert [one.standing.name for one in needy([poor, graver], TODAY)] == ["Zorn", "Acme"]


@pytest.mark.parametrize(
    ("attempts", "permanent", "wait"),
    [(1, False, 30), (2, False, 60), (9, False, 3600), (10, False, None), (1, True, None)],
)
def test_a_refused_digest_is_tried_again_for_a_while(
    attempts: int, permanent: bool, wait: int | None
) -> None:
    found = next_attempt(attempts, permanent=permanent)
    assert found == (timedelta(seconds=wait) if wait else None)


READER = User(
    id=derive("user", 1), email="ann@example.com", name="Ann\r\nBcc: x@y.z", role=Role.MANAGER,
    zone="UTC", locale="en", phone=None, created_at=datetime(2026, 1, 1, tzinfo=UTC),
    disabled_at=None, has_password=True,
)  # fmt: skip


def line(before: list[int], after: list[int], programme: str = "renewal") -> Line:
    scored = [score(Histogram.of(Metric.NPS, values)) for values in (before, after)]
    return Line(programme, "transactional", compare(*scored))


WRITTEN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
DOWN, UP = line([9] * 40, [1] * 40), line([1] * 40, [9] * 40)


def mail(part: Part, *, locale: str = "en", email: str = READER.email) -> EmailMessage:
    reader = replace(READER, locale=locale, email=email)
    titles = {"renewal": {"en": "Before <renewal> & co"}}
    told = Digest(date(2026, 3, 2), part, None)
    return build(
        told, reader, titles, WRITTEN, sender="Afterword <s@example.com>", address="https://ask.example"
    )


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        pytest.param([], "Nobody answered in the last 90 days, so nothing can be said.", id="silence"),
        pytest.param([line([9] * 3, [1] * 3)], "Too few people answered to say whether", id="too few"),
        pytest.param([DOWN], "1 score got worse than in the 90 days before.", id="worse"),
        pytest.param([UP, UP], "2 scores got better than in the 90 days", id="better"),
        pytest.param([line([9] * 40, [9] * 40)], "Nothing changed by more than chance explains.", id="same"),
        pytest.param([DOWN, UP], "1 score got worse, 1 better than in the 90", id="both"),
    ],
)  # fmt: skip
def test_the_first_sentence_says_better_worse_or_that_nothing_can_be_said(
    lines: list[Line], said: str
) -> None:
    message = mail(part_of([], lines, TODAY))
    assert said in text_of(message, "plain")
    assert said in text_of(message, "html")
    assert said in message["Subject"]


def test_a_mail_names_accounts_with_reasons_and_links_and_escapes_them() -> None:
    part = part_of([account("A & <b>", open_tickets=2, renewal_on=SOON)], [DOWN], TODAY)
    message = mail(part)
    plain, rich = text_of(message, "plain"), text_of(message, "html")
    assert "A & <b>: 2 open tickets; renews on 2 May 2026" in plain
    assert "Before <renewal> & co, NPS: −100 (40 answers, between −100 and −82), worse by 200 points" in plain
    assert "/scores?programme=renewal&amp;family=transactional" in rich
    assert "A &amp; &lt;b&gt;</a>: 2 open tickets" in rich
    assert "<b>" not in rich
    assert f"https://ask.example/scores/accounts/{derive('account', 'A & <b>')}" in plain
    assert message["Message-ID"] == f"<digest.2026-03-02.{READER.id}@example.com>"
    assert "Bcc" not in message
    assert message["Date"].datetime == WRITTEN


@pytest.mark.requirement("R5")
@pytest.mark.parametrize(
    ("locale", "said"), [("en", "easy for 90%"), ("es", "fácil para el 90"), ("sv", "lätt för 90")]
)
def test_ease_is_said_to_be_the_share_that_found_it_easy(locale: str, said: str) -> None:
    ease = [score(Histogram.of(Metric.CES, values)) for values in ([7] * 40, [6] * 36 + [2] * 4)]
    told = mail(part_of([], [Line("renewal", "transactional", compare(*ease))], TODAY), locale=locale)
    assert said in text_of(told, "plain")
    assert said in text_of(told, "html")


def test_a_long_list_of_scores_says_how_many_more_there_are() -> None:
    lines = [line([9] * 40, [9] * 40, f"programme-{number:02}") for number in range(MOST_SCORES + 2)]
    message = mail(part_of([], lines, TODAY))
    for kind in ("plain", "html"):
        assert "and 2 scores more on the page" in text_of(message, kind)
        assert text_of(message, kind).count("no detectable change") == MOST_SCORES


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"health": Health(39, 1.0, ())}, "health 39 of 100"),
        ({"silent_days": 120, "renewal_on": SOON}, "silent for 120 days; renews on 2 May 2026"),
        ({"silent_days": None, "renewal_on": SOON}, "no answer ever; renews on 2 May 2026"),
        ({"open_tickets": 1, "health": Health(10, 1.0, ())}, "1 open ticket, health 10 of 100"),
    ],
)
def test_a_mail_says_why_an_account_needs_somebody(changes: dict[str, object], said: str) -> None:
    message = mail(part_of([account("Northwind", **changes)], [], TODAY))
    assert f"- Northwind: {said}\n" in text_of(message, "plain")
    assert f"</a>: {said}</li>" in text_of(message, "html")


def test_a_mail_says_how_many_accounts_are_silent_and_how_many_more_need_somebody() -> None:
    many = [account(f"A{n:02}", open_tickets=1, silent_days=180) for n in range(MOST_ACCOUNTS + 2)]
    plain = text_of(mail(part_of([*many, account("Z", silent_days=179)], [], TODAY)), "plain")
    assert "12 of 13 accounts have not answered for half a year, or never did." in plain
    assert "and 2 more" in plain


@pytest.mark.parametrize(("locale", "said"), [("es", "1 puntuación empeoró"), ("sv", "1 värde blev sämre")])
def test_a_mail_speaks_the_readers_language(locale: str, said: str) -> None:
    assert said in text_of(mail(part_of([], [DOWN], TODAY), locale=locale), "plain")


def test_an_address_that_is_none_is_refused_for_good() -> None:
    with pytest.raises(SendError) as refused:
        mail(part_of([], [], TODAY), email="nobody")
    assert refused.value.permanent
