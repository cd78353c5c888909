"""From every number to the answers that it is made of, and what a wrong address is answered with."""

from __future__ import annotations

import html
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from shared.contracts.directory import ContextKind
from shared.contracts.model import Channel, Payload, Persona
from shared.contracts.responses import ResponseHeld
from shared.db.database import Database
from shared.runtime.clock import FixedClock
from shared.security.access import Role, Scope
from tests.support.customers import account, account_id, driven, happened, town
from tests.support.score_pages import access_to, application, quarter, quarter_before, signed_in
from tests.support.scoring import Scoring, answer, snapshot

NUMBER = re.compile(r'<a[^>]*href="(/scores/answers\?[^"]*)"[^>]*>([0-9,]+)')
BAR = re.compile(r'<a href="(/scores/answers\?[^"]*)" aria-label="Answers (\d+): (\d+)"')
MORE = re.compile(r'<a class="button secondary" href="(/scores/answers\?[^"]*)">')


@pytest.fixture
async def rep(db: Database, clock: FixedClock) -> AsyncIterator[httpx.AsyncClient]:
    """The browser of a rep."""
    access = access_to(db, clock)
    token = await signed_in(access, Role.REP)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(application(db, clock, access)), base_url="http://127.0.0.1",
        headers={"Accept": "text/html"}, cookies={"afterword": token},
    ) as client:  # fmt: skip
        yield client


async def _page(client: httpx.AsyncClient, path: str, status: int = 200) -> str:
    found = await client.get(path)
    assert found.status_code == status, f"{path}: {found.status_code}\n{found.text[:2000]}"
    return found.text


async def _listed(client: httpx.AsyncClient, path: str) -> int:
    """How many answers a list has, all its pages together."""
    rows = 0
    while path:
        text = await _page(client, path)
        rows += text.partition("<tbody>")[2].partition("</tbody>")[0].count("<tr>")
        more = MORE.search(text)
        path = html.unescape(more[1]) if more else ""
    return rows


@pytest.mark.requirement("R57", "R58", "R62", "R64", "R66", "R67", "R69")
async def test_every_number_leads_to_as_many_answers(
    rep: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    now = clock.now()
    shipped = happened(ContextKind.CHANGE_SHIPPED, "change.shipped", now - timedelta(days=40))
    await quarter(scoring, now)
    await quarter_before(scoring, now)
    await scoring.take(*town(now), *driven(now), shipped)
    seen = 0
    for path, least in (
        ("/scores", 6),
        ("/scores?period=30&family=relationship", 2),
        ("/scores?programme=renewal-nps&split=persona", 6),
        ("/scores?programme=renewal-nps&split=region", 6),
        ("/scores?programme=driven&period=365", 13),
        (f"/scores?programme=ticket-csat&from={(now - timedelta(days=20)).date()}", 2),
        ("/scores/accounts", 2),
        (f"/scores/accounts/{account_id(1)}", 3),
        ("/scores/results", 12),
    ):
        found = NUMBER.findall(await _page(rep, path))
        assert len(found) >= least, path
        for href, number in found:
            assert await _listed(rep, html.unescape(href)) == int(number.replace(",", "")), (path, href)
            seen += 1
    assert seen > 60


@pytest.mark.requirement("R64")
async def test_each_bar_of_every_answer_leads_to_those_who_gave_it(
    rep: httpx.AsyncClient, scoring: Scoring, clock: FixedClock, db: Database
) -> None:
    await quarter(scoring, clock.now())
    page = await _page(rep, "/scores?programme=renewal-nps")
    found = BAR.findall(page)
    assert [value for _, value, _ in found] == ["0", "3", "6", "7", "8", "9", "10"], "none leads to nothing"
    assert sum(int(number) for _, _, number in found) == 63
    for href, value, number in found:
        path = html.unescape(href)
        assert await _listed(rep, path) == int(number)
        told = set(re.findall(r'data-label="Answer"><span>(\d+)', await _page(rep, path)))
        assert told == {value}
    access = access_to(db, clock)
    viewer = {"Cookie": f"afterword={await signed_in(access)}"}
    rep.cookies.clear()
    seen = await rep.get("/scores?programme=renewal-nps", headers=viewer)
    assert seen.status_code == 200
    assert BAR.findall(seen.text) == []


@pytest.mark.requirement("R42", "R65")
async def test_ratings_and_wishes_lead_to_who_told_them(
    rep: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    now = clock.now()
    await scoring.take(*driven(now))
    alone = answer(
        1, 9, at=now - timedelta(days=1), asked_at=now - timedelta(days=2), snapshot=snapshot("driven")
    )
    await scoring.take(alone)
    days = "/scores/answers?programme=driven&period=365"
    assert await _listed(rep, days) == 81
    ways = {"": 80, "&rated=low": 44, "&rated=middle": 0, "&rated=high": 36}
    for rated, number in ways.items():
        assert await _listed(rep, f"{days}&attribute=time{rated}") == number, rated
    unhappy = html.unescape(await _page(rep, f"{days}&attribute=time&rated=low"))
    assert unhappy.count("Delivery time: 2") == 25, "of each on the page"
    assert "Attribute: <b>Delivery time</b>" in unhappy
    assert await _listed(rep, f"{days}&attribute=colour") == 0
    assert await _listed(rep, f"{days}&wish=price") == 60
    assert await _listed(rep, f"{days}&wish=service") == 20
    assert await _listed(rep, f"{days}&wished=true") == 80
    assert "What partners are chosen by: <b>Price</b>" in await _page(rep, f"{days}&wish=price")


async def test_a_list_of_answers_is_a_file_for_whoever_may_take_answers_away(
    rep: httpx.AsyncClient, scoring: Scoring, clock: FixedClock, db: Database
) -> None:
    now = clock.now()
    await quarter(scoring, now)
    await scoring.take(*town(now), *driven(now))
    access = access_to(db, clock)
    _, key = await access.create_key("bi", frozenset({Scope.SCORES_READ, Scope.EXPORTS_READ}), None)
    _, less = await access.create_key("cs", frozenset({Scope.SCORES_READ}), None)
    lists = (
        "programme=renewal-nps&metric=nps&group=low",
        "programme=renewal-nps&metric=nps&value=9",
        "programme=renewal-nps&split=persona&of=user",
        "programme=ticket-csat&by=asked&period=30",
        "family=transactional&where=tier:key",
        f"account={account_id(1)}",
        "programme=driven&period=365&attribute=time&rated=low",
        "programme=driven&period=365&wish=price",
    )
    manager = {"Cookie": f"afterword={await signed_in(access, Role.MANAGER)}"}
    for query in lists:
        number = await _listed(rep, f"/scores/answers?{query}")
        assert number > 5, query
        assert "/v1/scores/tables/answers" not in await _page(rep, f"/scores/answers?{query}")
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(application(db, clock, access)), base_url="http://127.0.0.1"
        ) as other:
            text = (await other.get(f"/scores/answers?{query}", headers=manager)).text
            files = [html.unescape(one) for one in re.findall(r'href="(/v1/scores/tables/[^"]*)"', text)]
            assert [one.rpartition("format=")[2] for one in files] == ["csv", "parquet"]
            told = await other.get(files[0], headers={"Authorization": f"Bearer {key}"})
            assert told.status_code == 200, told.text
            assert len(told.text.splitlines()) == number + 1, query
            refused = await other.get(files[0], headers={"Authorization": f"Bearer {less}"})
            assert refused.status_code == 403
    asks = {"Authorization": f"Bearer {key}"}
    rows = (await rep.get(f"/v1/scores/tables/answers?{lists[6]}&format=ndjson", headers=asks)).text
    assert {one["rating"] for one in map(json.loads, rows.splitlines())} == {2}
    nobody = await rep.get("/v1/scores/tables/answers", headers=asks)
    assert nobody.status_code == 422
    assert "Name whose answers are wanted." in nobody.text


@pytest.mark.requirement("R57")
async def test_who_answered_a_link_on_a_wall_is_in_no_list_of_those_who_were_asked(
    rep: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    now = clock.now()
    walked = snapshot(channel=Channel.SHARED_LINK)
    await scoring.take(
        answer(1, 9, asked_at=now - timedelta(days=40)),
        answer(2, 9, asked_at=now - timedelta(days=9)),
        answer(3, 9, asked_at=now - timedelta(days=9), snapshot=walked),
    )
    days = f"programme=renewal&from={(now - timedelta(days=10)).date()}&to={(now - timedelta(days=8)).date()}"
    assert await _listed(rep, f"/scores/answers?{days}&by=asked") == 1
    assert await _listed(rep, f"/scores/answers?{days}") == 0
    assert await _listed(rep, "/scores/answers?programme=renewal") == 3


@pytest.mark.requirement("R62")
async def test_answers_of_an_account_are_those_of_all_its_ids(
    rep: httpx.AsyncClient, scoring: Scoring
) -> None:
    users = {"persona": Persona.USER}
    await scoring.take(
        account(1),
        account(2),
        answer(1, 9, snapshot=snapshot(account_id=account_id(1), **users)),
        answer(2, 2, snapshot=snapshot(account_id=account_id(2), **users)),
        answer(3, 2, snapshot=snapshot(account_id=account_id(2), persona=Persona.DECISION_MAKER)),
        answer(4, 2, snapshot=snapshot(account_id=account_id(3))),
        account(2).model_copy(update={"version": 9, "merged_into": account_id(1)}),
    )
    for either in (1, 2):
        address = f"/scores/answers?account={account_id(either)}"
        assert await _listed(rep, address) == 3
        assert await _listed(rep, f"{address}&split=persona&of=user") == 2
        assert await _listed(rep, f"{address}&metric=nps&group=low") == 2
    assert "Northwind" in await _page(rep, f"/scores/answers?account={account_id(2)}")


@pytest.mark.requirement("R62")
async def test_of_a_cut_or_of_a_kind_of_survey_one_part_can_be_listed(
    rep: httpx.AsyncClient, scoring: Scoring
) -> None:
    first, second = {"tier": "key"}, {"tier": "small"}
    await scoring.take(
        answer(1, 9, snapshot=snapshot(persona=Persona.USER, **first)),
        answer(2, 9, snapshot=snapshot(persona=Persona.USER, **second)),
        answer(3, 9, snapshot=snapshot(persona=Persona.DECISION_MAKER, **first)),
    )
    part = "split=tier&of=key"
    assert await _listed(rep, "/scores/answers?where=persona:user") == 2
    assert await _listed(rep, f"/scores/answers?where=persona:user&{part}") == 1
    assert await _listed(rep, f"/scores/answers?programme=renewal&where=persona:user&{part}") == 1
    assert await _listed(rep, f"/scores/answers?without=persona:user&{part}") == 1
    assert await _listed(rep, f"/scores/answers?family=transactional&{part}") == 2


@pytest.mark.requirement("R8")
async def test_customers_who_stayed_or_left_are_found_by_what_they_had_said(
    rep: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    now = clock.now()
    told: list[Payload] = []
    for number in range(1, 5):
        left = number == 2
        kind = ContextKind.CHURN if left else ContextKind.RENEWAL
        event = "contract.ended" if left else "contract.renewed"
        said = snapshot(account_id=account_id(number))
        told += [
            account(number), happened(kind, event, now - timedelta(days=2), number),
            answer(number, 2 if number < 4 else 10, first_at=now - timedelta(days=9), snapshot=said),
        ]  # fmt: skip
    await scoring.take(*told)

    async def named(query: str) -> list[str]:
        text = (await _page(rep, f"/scores/accounts?{query}")).partition("<tbody>")[2].partition("</tbody>")
        return re.findall(r'href="/scores/accounts/[0-9a-f-]+"><b>([^<]+)', text[0])

    assert await named("") == ["Northwind", "Contoso", "Fabrikam", "Tailspin"]
    assert await named("metric=nps&mood=low") == ["Northwind", "Contoso", "Fabrikam"]
    assert await named("metric=nps&mood=low&left=true") == ["Contoso"]
    assert await named("metric=nps&mood=low&left=false&name=fab") == ["Fabrikam"]
    assert await named("metric=nps&mood=high") == ["Tailspin"]
    assert await named("metric=csat&mood=high") == []
    results = await _page(rep, "/scores/results")
    assert 'href="/scores/accounts?metric=nps&amp;mood=low&amp;left=true">1<' in results
    assert 'href="/scores/accounts?metric=nps&amp;mood=low&amp;left=">3<' in results
    refused = await _page(rep, "/scores/accounts?left=true", 422)
    assert "told apart by what they had said before" in refused


@pytest.mark.requirement("R8")
async def test_who_left_stands_beside_what_they_were_worth_and_what_they_had_cost(
    rep: httpx.AsyncClient, scoring: Scoring, clock: FixedClock, db: Database
) -> None:
    ended = clock.now() - timedelta(days=30)
    told: list[Payload] = []
    for number in range(1, 9):
        left = number in {1, 5, 6}
        kind = ContextKind.CHURN if left else ContextKind.RENEWAL
        cost = {1: 900.0, 5: 70.0}.get(number)
        told += [
            account(number, annual_value=1000.0 * number, acquisition_cost=cost),
            happened(kind, "contract.ended" if left else "contract.renewed", ended, number),
        ]
    await scoring.take(*told, happened(ContextKind.CHURN, "contract.ended", ended - timedelta(days=400), 9))
    _, key = await access_to(db, clock).create_key("cs", frozenset({Scope.SCORES_READ, Scope.ACCOUNTS_READ}))
    asks = {"Authorization": f"Bearer {key}"}
    rows = (await rep.get("/v1/scores/tables/churn?format=ndjson", headers=asks)).text.splitlines()
    found = {one["tier"]: one for one in map(json.loads, rows)}
    # Accounts 1 and 2 are key accounts, the six others small ones.
    key_accounts, small = found["key"], found["small"]
    assert (key_accounts["ended_or_renewed"], key_accounts["left"]) == (2, 1)
    assert (key_accounts["value_left"], key_accounts["cost_left"]) == (1000.0, 900.0)
    assert (small["ended_or_renewed"], small["left"], small["share"]) == (6, 2, pytest.approx(1 / 3))
    assert (small["value_left"], small["cost_left"]) == (11_000.0, 70.0)
    assert small["low"] < 1 / 3 < small["high"]
    page = " ".join(re.sub("<[^>]+>", " ", await _page(rep, "/scores/accounts")).split())
    assert "Key accounts 1 of 2 – nothing can be said yet 1,000 900" in page
    assert "Small accounts 2 of 6 33%" in page
    assert "1,000 Acquisition cost 900" in page
    one = await _page(rep, f"/scores/accounts/{account_id(1)}")
    assert "<dt>Acquisition cost</dt><dd>900</dd>" in one
    body = (await rep.get(f"/v1/scores/accounts/{account_id(1)}", headers=asks)).json()
    assert (body["annual_value"], body["acquisition_cost"]) == (1000.0, 900.0)


async def test_an_answer_that_looks_made_by_a_machine_ends_no_silence(
    rep: httpx.AsyncClient, scoring: Scoring, db: Database, clock: FixedClock
) -> None:
    now = clock.now()
    said = snapshot(account_id=account_id(1))
    await scoring.take(
        account(1),
        answer(1, 9, first_at=now - timedelta(days=30), snapshot=said),
        answer(2, 9, first_at=now - timedelta(days=1), snapshot=said, kind=ResponseHeld),
    )
    assert "30 days ago" in await _page(rep, f"/scores/accounts/{account_id(1)}")


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/scores?period=fortnight", 422, "must be 7, 30, 90, 365, quarter, year or all"),
        ("/scores?from=2026-03-01&to=2026-02-01", 422, "these days end before they begin"),
        ("/scores?from=1st+of+March", 422, "not a day, as 2026-03-01"),
        ("/scores?programme=never-heard-of", 404, "There is no such programme."),
        ("/scores/answers?programme=never-heard-of", 404, "There is no such programme."),
        ("/scores/answers", 422, "Name whose answers are wanted."),
        (f"/scores/answers?account={account_id(99)}", 404, "There is no such account."),
        (f"/scores/answers?account={account_id(1)}&where=tier:key", 422, "not cut further"),
        ("/scores/answers?programme=renewal&value=9", 422, "say of which score the value is"),
        ("/scores/answers?programme=renewal&metric=ces&value=9", 422, "ces is answered with 1 to 7"),
        ("/scores/answers?programme=renewal&rated=low", 422, "say what was rated"),
        ("/scores/answers?family=progress&wish=price", 422, "Ratings and wishes are those of one programme."),
        ("/scores/comments?period=fortnight", 422, "must be 7, 30, 90, 365, quarter, year or all"),
        ("/scores/comments?from=2026-03-01&to=2026-02-01", 422, "these days end before they begin"),
        ("/scores/comments?theme=colour", 422, "There is no such theme."),
        ("/scores/comments?tone=angry", 422, "must be negative, neutral or positive"),
        ("/scores/comments?language=fi", 422, "Comments are not read in this language."),
        ("/scores/comments?programme=never-heard-of", 404, "There is no such programme."),
    ],
)
async def test_a_wrong_address_is_told_what_is_wrong_and_nothing_else_is_shown_instead(
    rep: httpx.AsyncClient, path: str, status: int, said: str
) -> None:
    assert said in html.unescape(await _page(rep, path, status))


async def test_days_of_ones_own_are_kept_on_the_way_and_no_period_is_shown_as_chosen(
    rep: httpx.AsyncClient, scoring: Scoring, clock: FixedClock
) -> None:
    await quarter(scoring, clock.now())
    first, last = ((clock.now() - timedelta(days=days)).date().isoformat() for days in (40, 10))
    text = await _page(rep, f"/scores?programme=renewal-nps&from={first}&to={last}")
    assert f'name="from" type="date" value="{first}"' in text
    assert '<option value="" selected>The days beside</option>' in text
    assert text.count("selected>Last") == 0
    kept = f"from={first}&amp;to={last}"
    assert f'href="/scores/comments?programme=renewal-nps&amp;{kept}"' in text
    assert f'href="/scores?{kept}"' in text
    shown = await _page(rep, f"/scores/comments?programme=renewal-nps&from={first}&to={last}")
    assert '<option value="" selected>The days beside</option>' in shown


async def test_files_of_a_page_come_for_spreadsheets_and_for_analysis(
    rep: httpx.AsyncClient, scoring: Scoring, clock: FixedClock, db: Database
) -> None:
    await quarter(scoring, clock.now())
    text = await _page(rep, "/scores?programme=renewal-nps&period=30")
    files = {html.unescape(one) for one in re.findall(r'href="(/v1/scores/tables/[^"]*)"', text)}
    assert {one.rpartition("format=")[2] for one in files} == {"csv", "parquet"}
    _, key = await access_to(db, clock).create_key("bi", frozenset({Scope.SCORES_READ}), None)
    for one in sorted(files):
        assert "period=30" in one
        assert (await rep.get(one, headers={"Authorization": f"Bearer {key}"})).status_code == 200, one
