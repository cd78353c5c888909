"""Trigger's routes and pages in the web application, with people of all roles and API keys."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
from argon2 import PasswordHasher
from pydantic import SecretStr

from services.trigger import api, pages
from services.trigger.api import Secrets
from shared.bus.memory import MemoryBus
from shared.runtime.clock import FakeMachine
from shared.runtime.service import Platform
from shared.runtime.settings import PlatformSettings
from shared.security.accounts import Access
from shared.security.passwords import Passwords
from shared.security.people import NewUser, SignedIn
from shared.security.roles import Role, Scope
from shared.security.signatures import WebhookSecret
from shared.security.tokens import Tokens
from shared.web.app import web_app
from tests.integration.trigger.conftest import World

BASE = "http://trigger.example"
PASSWORD = "correct horse battery"
GENERIC = WebhookSecret.standard("whsec_" + "Z2VuZXJpYy1zZWNyZXQtb2YtdGhlLXRlc3Rz")
OLDER = WebhookSecret.standard("whsec_" + "b2xkZXItc2VjcmV0LW9mLXRoZS10ZXN0cyEh")
ZENDESK = WebhookSecret.zendesk("zendesk-secret")


@dataclass
class Site:
    """The site, and ways in."""

    world: World
    machine: FakeMachine
    access: Access
    app: object

    def client(self, **headers: str) -> httpx.AsyncClient:
        """A client that is nobody."""
        transport = httpx.ASGITransport(app=self.app)  # type: ignore[arg-type]
        return httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers)

    async def with_key(self, *scopes: Scope) -> httpx.AsyncClient:
        """A program with an API key."""
        _, key = await self.access.create_key("test", set(scopes))
        return self.client(authorization=f"Bearer {key}")

    async def signed_in(self, role: Role) -> httpx.AsyncClient:
        """A person's browser; posts carry the CSRF token."""
        email = f"{role}@nordlicht.example"
        invitation = await self.access.invite(NewUser(email=email, name=f"Some {role}", role=role))
        await self.access.set_up(invitation.path.rpartition("/")[2], PASSWORD)
        signed = await self.access.sign_in(email, PASSWORD, None)
        assert isinstance(signed, SignedIn)
        client = self.client(**{"accept": "text/html", "x-csrf-token": signed.session.csrf})
        client.cookies.set("afterword", signed.token)
        return client


def site_of(world: World, machine: FakeMachine, tokens: Tokens) -> Site:
    """The site over a world."""
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    access = Access(world.db, world.clock, machine, passwords=passwords, secure=False)
    secret = SecretStr("x")
    settings = PlatformSettings(
        database_url="x",
        database_password=secret,
        kafka_bootstrap="x",
        master_keys=secret,
        token_keys=secret,
        blind_secret=secret,
    )
    platform = Platform(settings, world.db, MemoryBus(), world.clock, machine, world.sealer, tokens, access)
    app = web_app(access, BASE)
    app.include_router(api.router(platform, Secrets((GENERIC, OLDER), (ZENDESK,))))
    app.include_router(pages.router(platform))
    return Site(world, machine, access, app)
