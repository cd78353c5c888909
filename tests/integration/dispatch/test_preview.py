"""The preview page and `/v1/previews`: from what a programme says of itself, else from its last survey."""

from __future__ import annotations

import httpx
import pytest

from shared.contracts.forms import Letter
from shared.contracts.model import Channel, Family
from shared.contracts.programmes import ProgrammePublished, ProgrammeState
from tests.support.dispatch import LETTER, NPS, MailRoom, Site
from tests.support.score_pages import signed_in


def published(key: str, revision: int = 1, **fields: object) -> ProgrammePublished:
    known = {"form": NPS, "letter": LETTER, "channels": (Channel.SMS, Channel.EMAIL)} | fields
    return ProgrammePublished.model_validate(
        {
            "programme": key, "version": "v", "revision": revision, "state": ProgrammeState.ACTIVE,
            "family": Family.RELATIONSHIP, "definition": {"key": key}, **known,
        }
    )  # fmt: skip


@pytest.fixture
async def viewer(site: Site, browser: httpx.AsyncClient) -> httpx.AsyncClient:
    browser.cookies.set("__Host-afterword", await signed_in(site.access))
    return browser


@pytest.mark.requirement("R43")
@pytest.mark.parametrize(
    ("locale", "words"), [("en", "Hello Alex,"), ("es", "Hola, Alex:"), ("sv", "Hej Alex,")]
)
async def test_a_preview_shows_the_mail_of_nobody(
    room: MailRoom, api: httpx.AsyncClient, locale: str, words: str
) -> None:
    await room.tell(published("relationship-nps"))
    answer = await api.get(f"/v1/previews/relationship-nps?locale={locale}")
    assert answer.status_code == 200
    assert words in answer.text
    assert "sandbox" in answer.headers["content-security-policy"]
    assert (await api.get("/v1/previews/unknown")).status_code == 404
    assert (await api.get("/v1/previews/relationship-nps?locale=%3Cb%3E")).status_code == 422


async def test_another_channel_is_plain_text(room: MailRoom, api: httpx.AsyncClient) -> None:
    await room.tell(published("p"))
    answer = await api.get("/v1/previews/p?channel=sms&step=reminder")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.startswith("Reminder. Northwind: How likely")


async def test_a_programme_told_by_an_older_trigger_shows_its_last_survey(
    room: MailRoom, api: httpx.AsyncClient
) -> None:
    await room.tell(published("relationship-nps", form=None, letter=None, channels=()))
    assert (await api.get("/v1/previews/relationship-nps")).status_code == 404
    await room.ask("anna")
    answer = await api.get("/v1/previews/relationship-nps")
    assert "How is Example Cloud doing?" in answer.text
    assert "Anna" not in answer.text


async def test_the_newest_edition_is_shown(room: MailRoom, api: httpx.AsyncClient) -> None:
    newer = published("p", 2, letter=Letter(subject={"en": "Newer"}))
    await room.tell(newer)
    await room.tell(published("p", 1))
    assert "<title>Newer</title>" in (await api.get("/v1/previews/p")).text


async def test_the_page_shows_a_programmes_first_channel_unless_another_is_chosen(
    room: MailRoom, viewer: httpx.AsyncClient
) -> None:
    await room.tell(published("p"))
    page = (await viewer.get("/messages/preview")).text
    assert "1 part · " in page
    assert "GSM-7" in page
    page = (
        await viewer.get("/messages/preview?programme=p&channel=email&locale=de&look=dark&width=phone")
    ).text
    assert "mail is-phone" in page
    assert "no text in this language" in page
    frame = await viewer.get("/messages/preview/mail?programme=p&locale=de&look=dark")
    assert "Guten Tag Alex," in frame.text
    assert "frame-ancestors 'self'" in frame.headers["content-security-policy"]


async def test_the_page_says_what_keeps_a_message_from_being_sent(
    room: MailRoom, viewer: httpx.AsyncClient
) -> None:
    await room.tell(published("p", letter=Letter(subject={"en": "=?utf-8?q?x?="})))
    page = (await viewer.get("/messages/preview?programme=p")).text
    assert "letter.subject: an encoded-word" in page


async def test_nobody_looks_without_signing_in(room: MailRoom, browser: httpx.AsyncClient) -> None:
    await room.tell(published("p"))
    for path in ("/messages/preview", "/messages/preview/mail?programme=p"):
        answer = await browser.get(path)
        assert answer.status_code == 303
        assert "/signin" in answer.headers["location"]
    assert (await browser.get("/v1/previews/p", headers={"accept": "application/json"})).status_code == 401


async def test_without_any_programme_the_page_says_so(viewer: httpx.AsyncClient) -> None:
    assert "No programme is known yet" in (await viewer.get("/messages/preview")).text
    assert (await viewer.get("/messages/preview?programme=p")).status_code == 404
