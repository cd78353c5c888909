"""Published scores: signed, masked while answers are few, with words only of those who agree now."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import Random  # noqa: TID251 - seeded: the same story each time
from typing import Any

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.scoring.domain.badges import MOST_QUOTES, Badge, Shown
from services.scoring.handlers import badges
from services.scoring.handlers.showcase import AT_ONCE, MOST_WAITING, SECONDS, Showcase
from shared.contracts.directory import ContactErased
from shared.contracts.forms import Permission
from shared.contracts.model import Payload
from shared.contracts.responses import ResponseAmended, ResponseHeld, ResponseReleased, ResponseSubmitted
from shared.db.database import Database
from shared.runtime.clock import FakeMachine, FixedClock
from shared.runtime.ids import derive
from shared.security.access import Scope
from shared.web.problems import Problem
from tests.support.badges import LABEL, PROGRAMME, Shopfront, contact, noted, said
from tests.support.score_pages import access_to, application
from tests.support.scoring import AT, withdrawn

QUOTE = ("quote",)
WANTED = {"label": LABEL, "programme": PROGRAMME, "metric": "nps", "period": "90", "least": 10}


@pytest.fixture
async def shop(db: Database, clock: FixedClock) -> Shopfront:
    made = Shopfront(db, clock)
    await made.opens()
    return made


@pytest.fixture
async def web(db: Database, clock: FixedClock) -> Callable[..., httpx.AsyncClient]:
    """Clients with the scopes that are named; without any, a stranger."""
    access = access_to(db, clock)
    app = application(db, clock, access)
    transport = httpx.ASGITransport(app)
    keys = {}
    for scopes in (
        (),
        (Scope.SCORES_READ,),
        (Scope.PROGRAMMES_WRITE, Scope.SCORES_READ, Scope.RESPONSES_READ),
    ):
        key = (await access.create_key("k", frozenset(scopes), None))[1] if scopes else ""
        keys[len(scopes)] = {"Authorization": f"Bearer {key}"} if key else {}

    def client(scopes: int = 0) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=transport, base_url="http://test", headers=keys[scopes])

    return client


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _checked(jws: str, keys: dict[str, Any]) -> dict[str, Any]:
    """The claims, by RFC 7515 with nothing but the public key."""
    head, body, signature = jws.split(".")
    header = json.loads(_bytes(head))
    (key,) = (one for one in keys["keys"] if one["kid"] == header["kid"])
    assert (header["alg"], key["kty"], key["crv"]) == ("EdDSA", "OKP", "Ed25519")
    Ed25519PublicKey.from_public_bytes(_bytes(key["x"])).verify(_bytes(signature), f"{head}.{body}".encode())
    claims: dict[str, Any] = json.loads(_bytes(body))
    return claims


@pytest.mark.requirement("R84", "R63")
async def test_a_score_is_published_with_n_doubt_and_a_signature_that_anybody_can_check(
    shop: Shopfront, web: Callable[..., httpx.AsyncClient]
) -> None:
    await shop.crowd()
    async with web(3) as operator, web() as stranger:
        made = await operator.post("/v1/scores/badges", json=WANTED, headers={"idempotency-key": "one"})
        assert made.status_code == 201
        again = await operator.post("/v1/scores/badges", json=WANTED, headers={"idempotency-key": "one"})
        assert again.json() == made.json()
        key = made.json()["key"]
        body = (await stranger.get(f"/badges/{key}.json")).json()
        keys = (await stranger.get("/badges/keys.json")).json()
    badge = body["badge"]
    # 8 times 10, 8 times 9, 7 times 8 and 7 times 3: 16 promoters less 7 detractors of 30.
    assert (badge["n"], badge["score"]) == (30, 30)
    assert badge["low"] < 30 < badge["high"]
    assert (badge["first"], badge["last"]) == ("2025-12-04", "2026-03-03")
    claims = _checked(body["jws"], keys)
    assert (claims["badge"], claims["sub"], claims["iss"]) == (badge, key, "http://127.0.0.1")
    assert claims["exp"] - claims["iat"] == 24 * 3600
    assert "d" not in keys["keys"][0], "the private half stays here"
    forged = body["jws"].split(".")
    forged[1] = base64.urlsafe_b64encode(json.dumps(claims | {"sub": "x"}).encode()).decode().rstrip("=")
    with pytest.raises(InvalidSignature):
        _checked(".".join(forged), keys)


@pytest.mark.requirement("R84")
async def test_who_has_it_already_hears_that_nothing_changed_until_something_does(
    shop: Shopfront, web: Callable[..., httpx.AsyncClient]
) -> None:
    await shop.crowd()
    badge = await shop.publishes()
    async with web() as stranger:
        for path in (f"/badges/{badge.key}.json", f"/badges/{badge.key}", f"/badges/{badge.key}.svg"):
            first = await stranger.get(path)
            assert first.status_code == 200
            assert first.headers["cache-control"] == "public, no-cache"
            known = {"if-none-match": f'"other", {first.headers["etag"]}'}
            same = await stranger.get(path, headers=known)
            assert (same.status_code, same.content) == (304, b"")
            await shop.scoring.take(said(len(path), 0))
            assert (await stranger.get(path, headers=known)).status_code == 200


@pytest.mark.requirement("R84", "R63")
async def test_of_too_few_answers_nothing_is_published_not_even_how_few(
    shop: Shopfront, web: Callable[..., httpx.AsyncClient]
) -> None:
    await shop.crowd(8)
    await shop.hears("Great people", said(1, permissions=QUOTE))
    await shop.reads()
    few = await shop.publishes(least=10)
    assert await shop.chooses(few, 1)
    async with web() as stranger:
        badge = (await stranger.get(f"/badges/{few.key}.json")).json()["badge"]
        page = (await stranger.get(f"/badges/{few.key}")).text
    assert (badge["n"], badge["score"], badge["low"], badge["high"], badge["quotes"]) == (None,) * 4 + ([],)
    assert "Not enough customers" in page
    assert "Great people" not in page
    await shop.scoring.take(said(2))
    assert await shop.quoted(few) == ["Great people"]


@pytest.mark.requirement("R84")
async def test_only_words_of_happy_people_who_agreed_can_be_chosen(
    shop: Shopfront, web: Callable[..., httpx.AsyncClient]
) -> None:
    await shop.crowd()
    told = {
        1: ("They agreed", said(1, permissions=QUOTE)),
        2: ("They may be called", said(2, permissions=("contact",))),
        3: ("They are unhappy", said(3, 2, permissions=QUOTE)),
        4: ("They are a machine", said(4, permissions=QUOTE, kind=ResponseHeld)),
    }
    for text, one in told.values():
        await shop.hears(text, one)
    await shop.reads()
    badge = await shop.publishes()
    path = f"/v1/scores/badges/{badge.id}/quotes"
    async with web(3) as operator:
        offered = (await operator.get(path)).json()
        assert [(one["words"], one["chosen"]) for one in offered] == [("They agreed", False)]
        codes = [(await operator.put(f"{path}/{derive('response', n)}")).status_code for n in told]
        assert codes == [204, 409, 409, 409]
        assert await shop.quoted(badge) == ["They agreed"]
        assert (await operator.delete(f"{path}/{derive('response', 1)}")).status_code == 204
    assert await shop.quoted(badge) == []


async def _amended(shop: Shopfront) -> None:
    # The words come again with the amendment, and nobody has read them yet.
    await shop.hears("Great people", said(1, version=2, kind=ResponseAmended))


async def _changed(shop: Shopfront) -> None:
    await shop.hears("Great but dear", said(1, version=2, kind=ResponseAmended, permissions=QUOTE))
    await shop.reads()


async def _held(shop: Shopfront) -> None:
    await shop.scoring.take(said(1, version=2, kind=ResponseHeld, permissions=QUOTE))


async def _withdrawn(shop: Shopfront) -> None:
    await shop.scoring.take(withdrawn(1, 2))


async def _erased(shop: Shopfront) -> None:
    await shop.scoring.take(ContactErased(contact_id=contact(1), erased_at=AT, version=2))


async def _told(shop: Shopfront) -> None:
    assert await shop.unquotes(1)


@pytest.mark.requirement("R84")
@pytest.mark.parametrize("ends", [_amended, _changed, _held, _withdrawn, _erased, _told])
async def test_consent_that_ends_takes_the_words_off_at_once(
    shop: Shopfront, web: Callable[..., httpx.AsyncClient], ends: Callable[[Shopfront], Awaitable[None]]
) -> None:
    await shop.crowd()
    await shop.hears("Great people", said(1, permissions=QUOTE))
    await shop.reads()
    badge = await shop.publishes()
    assert await shop.chooses(badge, 1)
    async with web() as stranger:
        path = f"/badges/{badge.key}"
        assert "Great people" in (await stranger.get(path)).text
        await ends(shop)
        for seen in (path, f"{path}.json"):
            assert "Great" not in (await stranger.get(seen)).text
    async with web(3) as operator:
        listed = (await operator.get("/v1/scores/comments", params={"quotable": "true"})).json()["comments"]
    assert [one["words"] for one in listed] == (["Great but dear"] if ends is _changed else [])


@pytest.mark.requirement("R84")
async def test_who_tells_a_rep_that_they_agree_may_be_quoted_and_so_may_nobody_else(shop: Shopfront) -> None:
    await shop.crowd()
    for number in (1, 2):
        await shop.hears(f"Great people {number}", said(number))
    await shop.reads()
    badge = await shop.publishes()
    assert not await shop.chooses(badge, 1)
    now = shop.clock.now()
    agreed = noted(1, 1, now, given=True)
    await shop.scoring.take(agreed, agreed)
    assert await shop.chooses(badge, 1)
    assert not await shop.chooses(badge, 2)
    assert await shop.quoted(badge) == ["Great people 1"]
    # Of the same moment the no counts, and what is heard late changes nothing.
    await shop.scoring.take(noted(1, 1, now, given=False))
    assert await shop.quoted(badge) == []
    await shop.scoring.take(agreed, noted(1, 1, now - timedelta(days=1), given=True))
    assert await shop.quoted(badge) == []


@pytest.mark.requirement("R84")
async def test_what_is_taken_back_by_word_is_told_to_others(shop: Shopfront) -> None:
    await shop.crowd()
    await shop.hears("Great people", said(1, permissions=QUOTE))
    assert await shop.unquotes(1)
    ((told,),) = await shop.scoring.rows("select value from outbox where topic = 'afterword.permissions'")
    event = json.loads(told)
    assert (event["response_id"], event["version"], event["given"], event["permission"]) == (
        str(derive("response", 1)), 1, False, "quote",
    )  # fmt: skip


@pytest.mark.requirement("R84")
async def test_who_agrees_anew_after_taking_it_back_by_word_may_be_quoted_again(shop: Shopfront) -> None:
    await shop.crowd()
    await shop.hears("Great people", said(1, permissions=QUOTE))
    await shop.reads()
    badge = await shop.publishes()
    assert await shop.unquotes(1)
    assert not await shop.chooses(badge, 1)
    no_at = shop.clock.now()
    for version, ticked_at in ((2, no_at - timedelta(days=1)), (3, no_at)):
        since = {Permission.QUOTE: ticked_at}
        amended = said(1, version=version, kind=ResponseAmended, permissions=QUOTE, permitted_at=since)
        await shop.hears("Great people", amended)
        await shop.reads()
        assert not await shop.chooses(badge, 1), "they have changed something else"
    since = {Permission.QUOTE: no_at + timedelta(minutes=1)}
    anew = said(1, version=5, kind=ResponseAmended, permissions=QUOTE, permitted_at=since)
    await shop.hears("Great people", anew)
    await shop.reads()
    assert await shop.chooses(badge, 1)
    assert await shop.quoted(badge) == ["Great people"]
    assert not await shop.unquotes(999)


@pytest.mark.requirement("R84")
async def test_a_badge_is_taken_back_for_good_with_a_reason_and_all_of_it_is_on_record(
    shop: Shopfront, web: Callable[..., httpx.AsyncClient]
) -> None:
    await shop.crowd()
    await shop.hears("Great people", said(1, permissions=QUOTE))
    await shop.reads()
    async with web(3) as operator, web(1) as reader, web() as stranger:
        assert (await reader.post("/v1/scores/badges", json=WANTED)).status_code == 403
        assert (await stranger.get("/v1/scores/badges")).status_code == 401
        made = (await operator.post("/v1/scores/badges", json=WANTED)).json()
        ours, everybodys = f"/v1/scores/badges/{made['id']}", f"/badges/{made['key']}"
        await operator.put(f"{ours}/quotes/{derive('response', 1)}")
        assert (await operator.delete(ours)).status_code == 422
        gone = (await operator.delete(ours, params={"reason": "outdated"})).json()
        again = (await operator.delete(ours, params={"reason": "mistake"})).json()
        assert again == gone
        assert (gone["reason"], gone["taken_back_by"]) == ("outdated", made["published_by"])
        assert made["published_by"].startswith("key:")
        listed = await reader.get("/v1/scores/badges")
        assert [one["key"] for one in listed.json()["badges"]] == [made["key"]]
        known = {"If-None-Match": listed.headers["ETag"]}
        assert (await reader.get("/v1/scores/badges", headers=known)).status_code == 304
        for path in (everybodys, f"{everybodys}.json", f"{everybodys}.svg"):
            seen = await stranger.get(path)
            assert seen.status_code == 410
            assert LABEL not in seen.text
            assert "Great people" not in seen.text
        assert (await stranger.get("/badges/unknown.json")).status_code == 404
    lines = await shop.scoring.rows(
        "select action, detail ->> 'reason' from access.audit where subject like 'badge:%' order by id"
    )
    assert lines == [
        ("badge.published", None),
        ("badge.quote_chosen", None),
        ("badge.taken_back", "outdated"),
    ]


async def test_a_wish_that_cannot_be_met_names_the_field(
    shop: Shopfront, web: Callable[..., httpx.AsyncClient]
) -> None:
    async with web(3) as operator:
        unknown = await operator.post("/v1/scores/badges", json=WANTED | {"programme": "nobody's"})
        assert (unknown.status_code, unknown.json()["field"]) == (409, "programme")
        assert unknown.json()["what_to_do"] == "Publish a score that GET /v1/scores tells."
        await shop.crowd(1)
        other = await operator.post("/v1/scores/badges", json=WANTED | {"metric": "csat"})
        assert (other.status_code, other.json()["field"]) == (409, "metric")
        assert other.json()["detail"] == f"no answer to {PROGRAMME} tells csat; there is nps."
        for wrong in ({"least": 4}, {"label": " "}, {"period": "7"}, {"metric": "joy"}):
            refused = await operator.post("/v1/scores/badges", json=WANTED | wrong)
            assert refused.status_code == 422
    assert await shop.scoring.rows("select count(*) from badges") == [(0,)]


class Town:
    """Draws what happens and remembers what may be quoted; the words of each version are its own."""

    def __init__(self, seed: int, people: int) -> None:
        self._draw = Random(seed)
        self._people = people
        self._versions = dict.fromkeys(range(people), 0)
        self._newest: dict[int, tuple[int, str, bool]] = {}
        self._erased: set[int] = set()
        self._spoken: dict[int, tuple[int, bool]] = {}

    def may_be_quoted(self) -> set[str]:
        """The words of newest versions that count, of happy people who agree and were not erased."""
        return {
            text
            for number, (version, text, ticked) in self._newest.items()
            if text and number not in self._erased and self._agrees(number, version, ticked=ticked)
        }

    def _agrees(self, number: int, version: int, *, ticked: bool) -> bool:
        said_of, given = self._spoken.get(number, (0, False))
        return (given and said_of == version) if said_of >= version else ticked

    async def step(self, shop: Shopfront, badge: Badge) -> None:
        """One thing happens."""
        number, chance = self._draw.randrange(self._people), self._draw.random()
        if chance < 0.45:
            await self._answer(shop, number)
        elif chance < 0.5:
            await shop.scoring.take(self._withdrawal(number))
        elif chance < 0.515:
            self._erased.add(number)
            await shop.scoring.take(ContactErased(contact_id=contact(number), erased_at=AT, version=1))
        elif chance < 0.56:
            await self._unquote(shop, number)
        elif chance < 0.6:
            await self._agree(shop, number)
        elif chance < 0.75:
            await shop.reads()
        else:
            for each in range(self._people):
                await shop.chooses(badge, each)

    async def _unquote(self, shop: Shopfront, number: int) -> None:
        shop.clock.advance(timedelta(seconds=1))
        if await shop.unquotes(number):
            self._spoken[number] = (self._newest[number][0], False)

    async def _agree(self, shop: Shopfront, number: int) -> None:
        """A rep hears that they agree, to the version that the rep knows, which may be an older one."""
        version = self._newest.get(number, (0, "", False))[0] - self._draw.choice((0, 0, 1))
        if version > 0:
            shop.clock.advance(timedelta(seconds=1))
            await shop.scoring.take(noted(number, version, shop.clock.now(), given=True))
            if version >= self._spoken.get(number, (0, False))[0]:
                self._spoken[number] = (version, True)

    async def _answer(self, shop: Shopfront, number: int) -> None:
        # Versions come late too: any of the next three that was not told yet.
        self._versions[number] += 1
        version = self._versions[number] * 3 + self._draw.randrange(6)
        value = self._draw.choice((10, 10, 10, 9, 7, 2))
        agrees = self._draw.random() < 0.7
        kind = self._draw.choice(
            (ResponseSubmitted, ResponseAmended, ResponseAmended, ResponseReleased, ResponseHeld)
        )
        text = f"words {number} of version {version}"
        counts = value >= 9 and kind is not ResponseHeld
        self._note(number, version, text if counts else "", ticked=agrees)
        permissions = QUOTE if agrees else ()
        await shop.hears(text, said(number, value, version=version, kind=kind, permissions=permissions))

    def _withdrawal(self, number: int) -> Payload:
        self._versions[number] += 1
        version = self._versions[number] * 3 + self._draw.randrange(6)
        self._note(number, version, "")
        return withdrawn(number, version, said(number).snapshot)

    def _note(self, number: int, version: int, text: str, *, ticked: bool = False) -> None:
        if version > self._newest.get(number, (0, "", False))[0]:
            self._newest[number] = (version, text, ticked)


@pytest.mark.requirement("R84")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(4))
async def test_no_words_are_ever_published_whose_writer_does_not_agree_at_that_moment(
    shop: Shopfront, seed: int
) -> None:
    await shop.crowd()
    badge = await shop.publishes()
    town, seen = Town(seed, 2 * MOST_QUOTES), 0
    for _ in range(200):
        await town.step(shop, badge)
        quoted = set(await shop.quoted(badge))
        assert quoted <= town.may_be_quoted()
        seen += len(quoted)
    assert seen > 0, "a story in which nobody is quoted proves nothing"
    # And nobody who agrees is kept out: read and chosen anew, as many of them are there as a badge shows.
    await shop.reads()
    for number in range(2 * MOST_QUOTES):
        await shop.chooses(badge, number)
    assert len(await shop.quoted(badge)) == min(MOST_QUOTES, len(town.may_be_quoted()))


@pytest.mark.requirement("R84")
async def test_a_score_is_added_up_once_until_an_answer_changes_it(
    shop: Shopfront, web: Callable[..., httpx.AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that everybody may open as often as they like cannot be used to keep the database busy."""
    await shop.crowd()
    badge = await shop.publishes()
    added_up = 0

    async def counting(*asked: Any) -> Any:
        nonlocal added_up
        added_up += 1
        return await real(*asked)

    real = badges.score_of
    monkeypatch.setattr(badges, "score_of", counting)
    paths = (f"/badges/{badge.key}", f"/badges/{badge.key}.svg", f"/badges/{badge.key}.json")

    async def numbers() -> list[int]:
        async with web() as stranger:
            for path in paths:
                assert (await stranger.get(path)).status_code == 200
            body = (await stranger.get(paths[-1])).json()["badge"]
        return [body["n"], added_up]

    assert await numbers() == [30, 1]
    await shop.scoring.take(said(500))
    assert await numbers() == [31, 2]
    machine = shop.db.machine
    assert isinstance(machine, FakeMachine)
    machine.advance(SECONDS)
    assert await numbers() == [31, 3]
    shop.clock.advance(timedelta(days=1))
    assert (await numbers())[1] == 4


async def test_who_comes_when_too_many_look_is_sent_away_and_others_are_served(
    shop: Shopfront, clock: FixedClock
) -> None:
    await shop.crowd()
    badge = await shop.publishes()
    showcase = Showcase(shop.db, clock, shop.db.machine, shop.library)
    seen: list[Shown | Problem | None] = []

    async def look() -> None:
        try:
            seen.append(await showcase.look(badge.key))
        except Problem as refusal:
            seen.append(refusal)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE + MOST_WAITING + 3):
            group.create_task(look())
    refused = [(one.status_code, one.retry_after) for one in seen if isinstance(one, Problem)]
    assert refused == [(503, 1)] * 3
    assert sum(isinstance(one, Shown) for one in seen) == AT_ONCE + MOST_WAITING
    assert isinstance(await showcase.look(badge.key), Shown)
