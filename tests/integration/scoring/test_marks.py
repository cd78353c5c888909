"""What happened is marked in the trend of a score, by numbers that a list below it has too."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from services.scoring.pages.detail import MOST_HAPPENED
from services.scoring.pages.overview import MOST_MARKED
from services.scoring.worker.headlines import watching
from shared.contracts.directory import ContextKind
from shared.db.database import Database
from shared.runtime.clock import FixedClock
from tests.support.customers import account_id, happened
from tests.support.score_pages import access_to, application, quarter, signed_in
from tests.support.scoring import Scoring, answer, snapshot

BOX = re.compile(r'<rect class="mark"[^>]*/><text[^>]*>([^<]*)</text>')
LIST = re.compile(r'<ol class="marks[^>]*>(.*?)</ol>')
RELEASE = (ContextKind.RELEASE, "feature.released")
INCIDENT = (ContextKind.INCIDENT, "incident.opened")


@pytest.fixture
async def viewer(db: Database, clock: FixedClock) -> AsyncIterator[httpx.AsyncClient]:
    """The browser of somebody who may see scores."""
    access = access_to(db, clock)
    token = await signed_in(access)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(application(db, clock, access)), base_url="http://127.0.0.1",
        headers={"Accept": "text/html"}, cookies={"afterword": token},
    ) as client:  # fmt: skip
        yield client


async def _page(client: httpx.AsyncClient, path: str) -> str:
    found = await client.get(path)
    assert found.status_code == 200, found.text[:2000]
    return found.text


def _lists(text: str) -> list[list[str]]:
    """What stands below each chart, entry by entry."""
    return [
        [html.unescape(entry) for entry in re.findall("<li>(.*?)</li>", listed)]
        for listed in LIST.findall(text)
    ]


@pytest.mark.requirement("R68")
async def test_releases_and_incidents_are_numbered_in_the_trend_and_below_it(
    viewer: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    now = clock.now()
    await quarter(scoring, now)
    first, second = now - timedelta(days=50), now - timedelta(days=10)
    await scoring.take(
        happened(*INCIDENT, second), happened(*RELEASE, second), happened(*RELEASE, first),
        happened(ContextKind.INCIDENT, "incident.resolved", second + timedelta(days=2)),
    )  # fmt: skip
    expected = [
        f"{first.day} {first:%b %Y}: Release release of {first:%B}",
        f"{second.day} {second:%b %Y}: Incident incident of {second:%B}",
        f"{second.day} {second:%b %Y}: Release release of {second:%B}",
    ]
    programme = await _page(viewer, "/scores?programme=renewal-nps&step=week")
    assert _lists(programme) == [expected]
    assert BOX.findall(programme) == ["1", "2\N{EN DASH}3"] * 2, "once for each size of screen"
    assert "What happened meanwhile" not in programme, "each is told once"
    overview = await _page(viewer, "/scores?step=week")
    assert _lists(overview) == [expected], "of the relationship there are too few a week for a trend"
    assert BOX.findall(overview) == ["1", "2\N{EN DASH}3"] * 2


@pytest.mark.requirement("R68")
async def test_a_drop_is_marked_in_the_trend_of_its_own_score_alone(
    viewer: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    now = clock.now()
    for start, days, values in ((0, 40, (9, 10, 8)), (100, 1, (3, 9, 2))):
        await scoring.take(
            *(
                answer(
                    start + number, values[number % 3], at=now - timedelta(days=days + number % 20),
                    snapshot=snapshot("fell", account_id=account_id(number + 50)),
                )
                for number in range(60)
            )
        )  # fmt: skip
    await quarter(scoring, now)
    await watching(scoring.db)()
    page = await _page(viewer, "/scores?programme=fell&step=week")
    below = " ".join(re.sub("<[^>]+>", " ", page.partition("What happened meanwhile")[2]).split())
    assert below.startswith("worse Would recommend us (NPS) · "), "it says which score fell"
    ((entry,),) = _lists(page)
    told = f"{now.day} {now:%b %Y}: The last 30 days fell from +67 to \N{MINUS SIGN}33; "
    assert entry == told + "chance hardly explains it"
    assert _lists(await _page(viewer, "/scores?programme=renewal-nps&step=week")) == []


async def test_what_no_trend_shows_is_told_in_words_alone(
    viewer: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    now = clock.now()
    await scoring.take(answer(1, 9, at=now - timedelta(days=20)), happened(*RELEASE, now))
    few = await _page(viewer, "/scores?programme=renewal")
    assert _lists(few) == []
    told = f"{now.day} {now:%b %Y}: Release release of {now:%B}"
    assert told in few.partition("What happened meanwhile")[2]
    await scoring.take(*(answer(number, 9, at=now - timedelta(days=20)) for number in range(2, 20)))
    later = await _page(viewer, "/scores?programme=renewal&step=week")
    assert _lists(later) == [], "nobody has answered since"
    assert told in later.partition("What happened meanwhile")[2]


async def test_of_very_many_the_newest_are_shown_and_it_is_said(
    viewer: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    now = clock.now()
    await quarter(scoring, now)
    releases = [happened(*RELEASE, now - timedelta(days=2 * days)) for days in range(MOST_HAPPENED + 1)]
    await scoring.take(*releases[1:])
    said = f"only the newest {MOST_HAPPENED} are shown"
    path = "/scores?programme=renewal-nps&step=week"
    assert said not in await _page(viewer, path)
    await scoring.take(releases[0])
    text = await _page(viewer, path)
    assert said in text
    assert [len(listed) for listed in _lists(text)] == [MOST_HAPPENED]
    assert BOX.findall(text)[-1].rpartition("\N{EN DASH}")[2] == str(MOST_HAPPENED)


async def test_the_overview_says_that_more_happened_than_it_marks(
    viewer: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    now = clock.now()
    await quarter(scoring, now)
    releases = [happened(*RELEASE, now - timedelta(days=2 * days)) for days in range(MOST_MARKED + 1)]
    await scoring.take(*releases[1:])
    said = f"only the newest {MOST_MARKED} releases, incidents and changes are marked"
    assert said not in await _page(viewer, "/scores?step=week")
    await scoring.take(releases[0])
    text = await _page(viewer, "/scores?step=week")
    assert said in text
    assert [len(listed) for listed in _lists(text)] == [MOST_MARKED]
