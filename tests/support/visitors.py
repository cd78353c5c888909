"""People and programs who visit the web application, as their browsers and clients behave."""

from __future__ import annotations

import re
from dataclasses import dataclass

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI

from shared.security.access import Access
from shared.security.passwords import Passwords
from shared.security.people import NewUser, User
from shared.security.roles import Role

BASE = "http://127.0.0.1:8000"
PASSWORD = "correct horse battery staple"
BROWSER = {"accept": "text/html,application/xhtml+xml;q=0.9", "sec-fetch-site": "same-origin"}


def cheap_passwords() -> Passwords:
    """Hashing that costs next to nothing."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def address_of(role: Role) -> str:
    """The e-mail address of the test's person of this role."""
    return f"{role}@example.com"


async def settle(access: Access, role: Role) -> User:
    """Add a person of this role who has set a password."""
    invitation = await access.invite(NewUser(address_of(role), f"The {role}", role))
    user = await access.set_up(invitation.token, PASSWORD)
    assert user is not None
    return user


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser: keeps cookies, follows no redirect by itself, sends a form with its hidden fields."""

    client: httpx.AsyncClient

    @classmethod
    def of(cls, app: FastAPI, **headers: str) -> Visitor:
        """A visitor of an application; an error inside it is answered, not raised."""
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        return cls(httpx.AsyncClient(transport=transport, base_url=BASE, headers={**BROWSER, **headers}))

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Open a page."""
        return await self.client.get(path, headers=headers)

    async def post(self, path: str, data: dict[str, str | list[str]], **headers: str) -> httpx.Response:
        """Send exactly these fields."""
        return await self.client.post(path, data=data, headers=headers)

    async def submit(self, shown_on: str, action: str, **fields: str | list[str]) -> httpx.Response:
        """Send the form for `action` that a page shows, its hidden fields included."""
        return await self.post(action, {**hidden_fields((await self.get(shown_on)).text), **fields})

    async def sign_in(self, role: Role, password: str = PASSWORD) -> httpx.Response:
        """Sign in as the test's person of this role."""
        return await self.submit("/signin", "/signin", email=address_of(role), password=password)


def hidden_fields(html: str) -> dict[str, str | list[str]]:
    """Name and value of the page's hidden fields."""
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', html))
