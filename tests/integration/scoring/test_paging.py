"""Lists of scores are read page by page: nothing comes twice, nothing is left out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.scoring.worker.clustering import learning
from shared.contracts.directory import ContextKind
from shared.contracts.model import Payload
from shared.db.database import Database
from shared.runtime.clock import FixedClock
from shared.security.access import Scope
from tests.support.customers import account_id, aiming, happened
from tests.support.score_pages import access_to, application, quarter
from tests.support.scoring import Scoring, answer, snapshot

LISTS = {
    "": "scores", "/trend": "trends", "/changes": "changes", "/summary": "programmes", "/goals": "goals",
    "/fixes": "fixes", "/outcomes": "outcomes", "/outcomes/programmes": "programmes",
    "/segments": "segments", "/drivers": "effects",
}  # fmt: skip
NEEDED: Mapping[str, dict[str, str]] = {
    "/segments": {"programme": "renewal"}, "/drivers": {"programme": "renewal"},
}  # fmt: skip
"""What a list has to be asked with."""


async def walk(api: httpx.AsyncClient, path: str, limit: int, **asked: str) -> list[list[dict[str, Any]]]:
    """All pages of a list."""
    pages: list[list[dict[str, Any]]] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"limit": str(limit), "cursor": cursor, **asked}
        found = await api.get(f"/v1/scores{path}", params=params)
        assert found.status_code == 200, found.text
        pages.append(found.json()[LISTS[path]])
        cursor = found.json()["next"]
    return pages


async def read_each_way(api: httpx.AsyncClient, path: str, rows: int, **asked: str) -> None:
    """A list of so many rows is the same whole, one by one, and with the end of a page at its end."""
    whole = (await api.get(f"/v1/scores{path}", params=asked)).json()
    listed = whole[LISTS[path]]
    assert (len(listed), whole["next"]) == (rows, None)
    for limit in (1, rows - 1, rows, rows + 1):
        pages = await walk(api, path, limit, **asked)
        assert [one for page in pages for one in page] == listed, limit
        assert len(pages) == -(-rows // limit)


@pytest.mark.requirement("R61", "R64", "R67")
async def test_scores_trends_and_changes_are_read_page_by_page(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    await quarter(scoring, clock.now())
    for number, product in enumerate(("Ärende", "suite", "mobile", "web app")):
        await scoring.take(answer(900 + number, 9, snapshot=snapshot("delivery", product=product)))
    await read_each_way(api, "", 4, dimension="product", metric="nps")
    await read_each_way(api, "/trend", 4, dimension="product", metric="nps", step="month")
    by_programme = (await api.get("/v1/scores")).json()["scores"]
    await read_each_way(api, "", len(by_programme))
    await read_each_way(api, "/changes", len(by_programme))
    for dimension, rows in (("persona", 2), ("industry", 3), ("region", 2)):
        await read_each_way(api, "/segments", rows, programme="renewal-nps", dimension=dimension)
    await read_each_way(
        api, "/summary", len({(one["family"], one["values"]["programme"]) for one in by_programme})
    )


@pytest.mark.requirement("R61", "R67")
async def test_a_breakdown_by_account_is_read_page_by_page(
    db: Database, scoring: Scoring, clock: FixedClock
) -> None:
    told = [answer(n, 9, snapshot=snapshot(account_id=account_id(n))) for n in range(7)]
    await scoring.take(*told)
    access = access_to(db, clock)
    _, key = await access.create_key("bi", frozenset({Scope.SCORES_READ, Scope.ACCOUNTS_READ}), None)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(application(db, clock, access)), base_url="http://test",
        headers={"Authorization": f"Bearer {key}"},
    ) as rep:  # fmt: skip
        await read_each_way(rep, "", 7, dimension="account")
        pages = await walk(rep, "", 3, dimension="account")
    assert {one["values"]["account"] for page in pages for one in page} == {
        str(account_id(n)) for n in range(7)
    }


@pytest.mark.requirement("R69", "R86")
async def test_goals_fixes_and_outcomes_are_read_page_by_page(
    api: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    today = clock.now()
    goal = {"metric": "nps", "change": "+20", "baseline": "3mo", "by": "2027-01-01"}
    told: list[Payload] = [
        aiming(f"p-{group}", group, goal)
        for group in ("keep", "grow", "win")
    ]  # fmt: skip
    for days, label in ((40, "second"), (40, "first"), (20, "late")):
        shipped = happened(ContextKind.CHANGE_SHIPPED, "change.shipped", today - timedelta(days=days))
        told.append(shipped.model_copy(update={"product": "mobile", "data": shipped.data | {"title": label}}))
    told += [
        happened(ContextKind.CHURN, "contract.ended", today - timedelta(days=5), number)
        for number in range(1, 4)
    ]
    for number in range(24):
        at = today - timedelta(days=10 + number % 2 * 60)
        programme = f"p-{('keep', 'grow')[number // 2 % 2]}"
        said = snapshot(programme, account_id=account_id(1 + number % 3), product="mobile")
        told.append(answer(number, 9, at=at, first_at=at, snapshot=said))
    await scoring.take(*told)
    await read_each_way(api, "/goals", 3)
    await read_each_way(api, "/fixes", 9)
    await learning(scoring.db)()
    await read_each_way(api, "/outcomes/programmes", 2)
    fixes = (await api.get("/v1/scores/fixes")).json()["fixes"]
    assert [(one["label"], one["product"], one["programme"]) for one in fixes] == [
        (label, product, programme)
        for label in ("late", "first", "second")
        for product, programme in (("mobile", ""), ("", "p-grow"), ("", "p-keep"))
    ]
    (outcome,) = (await api.get("/v1/scores/outcomes", params={"limit": "1"})).json()["outcomes"]
    assert outcome["metric"] == "nps"


@pytest.mark.requirement("R66")
async def test_values_of_the_event_are_read_page_by_page(api: httpx.AsyncClient, scoring: Scoring) -> None:
    for number in range(60):
        context = {"agent": f"agent {number % 6}", "carrier": f"carrier {number % 2}"}
        said = snapshot(
            "delivery", account_id=account_id(number), context=context, breakdown=("agent", "carrier")
        )
        await scoring.take(answer(number, number % 11, snapshot=said))
    await read_each_way(api, "/drivers", 8, programme="delivery")
    whole = (await api.get("/v1/scores/drivers", params={"programme": "delivery"})).json()
    part = (await api.get("/v1/scores/drivers", params={"programme": "delivery", "limit": "3"})).json()
    assert part["effects"] == whole["effects"][:3], (
        "judged with all others in mind, whatever page they are on"
    )


@pytest.mark.parametrize("path", LISTS)
async def test_a_wrong_cursor_or_limit_is_refused_with_its_name(
    api: httpx.AsyncClient, scoring: Scoring, path: str
) -> None:
    await scoring.take(answer(1, 9))
    needed = NEEDED.get(path, {})
    for name, value in (("cursor", "nonsense"), ("limit", "0"), ("limit", "5001")):
        refused = await api.get(f"/v1/scores{path}", params=needed | {name: value})
        assert refused.status_code == 422, (name, value)
        assert name in refused.text
    assert (await api.get(f"/v1/scores{path}", params=needed | {"limit": "5000"})).status_code == 200


@pytest.mark.parametrize("path", LISTS)
async def test_a_page_that_somebody_has_is_not_sent_again(
    api: httpx.AsyncClient, scoring: Scoring, path: str
) -> None:
    await scoring.take(answer(1, 9))
    asked = NEEDED.get(path, {}) | {"limit": "1"}
    first = await api.get(f"/v1/scores{path}", params=asked)
    again = await api.get(f"/v1/scores{path}", params=asked, headers={"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
