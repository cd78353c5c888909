"""Customers, their mail gateway and reps: all that they know of the house is its mails and pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from html import unescape

import httpx

from shared.security.people import NewUser
from shared.security.roles import Role
from tests.support.house import House
from tests.support.postbox import Mail

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"
GATEWAY = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36"
HOME, CLOUD = "198.51.100.7", "203.0.113.9"
PASSWORD = "correct horse battery staple"
READING = timedelta(seconds=40)


async def answer(
    house: House, mail: Mail, score: int, *, address: str = HOME, **texts: str
) -> httpx.Response:
    """Press a score button in a mail, read, write a line, send; returns the page that thanks.

    `texts` are answers by question id. The reader opens the mail ten minutes after it came at the earliest.
    """
    house.clock.advance(timedelta(minutes=10))
    page = await visit(house, mail.scores[score], address=address)
    assert page.status_code == 200, page.text
    house.clock.advance(READING)
    typed = {_primary(page): str(score)} | {f"q.{question}": text for question, text in texts.items()}
    sent = await send(house, page, mail.survey, address=address, **typed)
    assert sent.status_code == 303, sent.text
    thanks = await visit(house, sent.headers["location"], address=address)
    assert thanks.status_code == 200, thanks.text
    await house.settle()
    return thanks


async def visit(house: House, path: str, *, address: str = HOME, agent: str = PHONE) -> httpx.Response:
    """Open a link."""
    async with house.browser(address, accept="text/html", **{"user-agent": agent}) as client:
        return await house.survive(lambda: client.get(path))


async def send(
    house: House, page: httpx.Response, action: str, *, address: str = HOME, agent: str = PHONE, **typed: str
) -> httpx.Response:
    """Send the form that a page shows for an action as a person does: hidden fields and all, by hand."""
    fields = _hidden(page.text, action)
    fields |= ({"hand": "touched"} if "hand" in fields else {}) | typed
    async with house.browser(address, accept="text/html", **{"user-agent": agent}) as client:
        return await house.survive(lambda: client.post(action, data=fields))


async def stop(house: House, mail: Mail, scope: str = "all") -> None:
    """Follow the link that stops mails, choose, and confirm."""
    page = await visit(house, mail.stop)
    assert page.status_code == 200
    done = await send(house, page, mail.stop, scope=scope)
    assert done.status_code == 200
    await house.settle()


async def stop_with_one_click(house: House, mail: Mail) -> None:
    """Press the mail program's own button: RFC 8058, no page, no cookie."""
    async with house.browser(HOME) as client:
        done = await house.survive(lambda: client.post(mail.stop, data={"List-Unsubscribe": "One-Click"}))
    assert done.status_code == 200
    await house.settle()


async def scan(house: House, mail: Mail, *, press: bool = True) -> None:
    """Open every link within a second, HEAD and GET, and press each button, as a mail gateway does."""
    async with house.browser(CLOUD, accept="text/html", **{"user-agent": GATEWAY}) as client:
        for link in mail.links:
            if not link.startswith("/"):
                continue
            await house.survive(partial(client.head, link))
            page = await house.survive(partial(client.get, link))
            if press and link in mail.scores.values():
                fields = _hidden(page.text, mail.survey) | {_primary(page): link.rpartition("=")[2]}
                await house.survive(partial(client.post, mail.survey, data=fields))
    await house.settle()


@dataclass(frozen=True, slots=True)
class Rep:
    """Somebody of customer success, signed in; works on the ticket's page that a mail led to."""

    house: House
    client: httpx.AsyncClient
    email: str

    async def see(self, path: str) -> httpx.Response:
        """Open a page; sign in first where the last session is over."""
        page = await self.house.survive(lambda: self.client.get(path))
        if page.status_code != 303:
            return page
        await self.sign_in()
        return await self.house.survive(lambda: self.client.get(path))

    async def sign_in(self) -> None:
        """Sign in with address and password."""
        page = await self.house.survive(lambda: self.client.get("/signin"))
        fields = _hidden(page.text, "/signin") | {"email": self.email, "password": PASSWORD}
        done = await self.house.survive(lambda: self.client.post("/signin", data=fields))
        assert done.status_code == 303, done.text

    async def press(self, ticket: str, action: str, **typed: str) -> httpx.Response:
        """Press a button of a ticket's page and come back to it."""
        page = await self.see(ticket)
        assert page.status_code == 200, page.text
        target = f"{ticket}/{action}"
        assert f'action="{target}"' in page.text, f"the page offers no {action}"
        fields = _hidden(page.text, target) | typed
        done = await self.house.survive(lambda: self.client.post(target, data=fields))
        await self.house.settle()
        return done


async def hire(house: House, name: str, role: Role = Role.REP) -> Rep:
    """Invite somebody, who chooses a password and signs in."""
    email = f"{name}@nordlicht.example"
    client = house.browser("192.0.2.10", accept="text/html", **{"sec-fetch-site": "same-origin"})
    invited = await house.access.invite(NewUser(email, name.title(), role, "Europe/Stockholm"))
    await house.access.set_up(invited.token, PASSWORD)
    rep = Rep(house, client, email)
    await rep.sign_in()
    return rep


def _hidden(html: str, action: str) -> dict[str, str]:
    """Hidden fields of the page's form for an action; a form without an action posts to its page."""
    for attributes, inside in re.findall(r"<form\b([^>]*)>(.*?)</form>", html, re.DOTALL):
        target = re.search(r'action="([^"]*)"', attributes)
        if target is None or unescape(target[1]) == action:
            return {
                name: unescape(value)
                for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', inside)
            }
    return {}


def _primary(page: httpx.Response) -> str:
    """Field of the question with the scores."""
    found = re.search(r'<input type="radio" name="(q\.[^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]
