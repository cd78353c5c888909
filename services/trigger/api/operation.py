"""`/v1/programmes`, `/v1/brake`, `/v1/organisation`: what runs, what is paused, who we are."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field, model_validator

from services.trigger.domain.directory import is_zone
from services.trigger.domain.model import Organisation
from services.trigger.handlers import people
from services.trigger.handlers.organisation import pull_brake, release_brake, save_organisation
from services.trigger.store import brakes, programmes
from services.trigger.store.brakes import Brake
from shared.contracts.directory import Brand, Sender
from shared.contracts.programmes import ProgrammeState
from shared.db.database import Connection, Database
from shared.runtime.service import Platform
from shared.security.access import Principal, require_scope
from shared.web.paths import PLAIN, Key
from shared.web.problems import Problem

ProgrammeReader = Annotated[Principal, Depends(require_scope("programmes:read"))]
BrakeReader = Annotated[Principal, Depends(require_scope("brake:read"))]
BrakeWriter = Annotated[Principal, Depends(require_scope("brake:write"))]
SettingsReader = Annotated[Principal, Depends(require_scope("settings:read"))]
SettingsWriter = Annotated[Principal, Depends(require_scope("settings:write"))]

Scope = Literal["all", "programme", "account"]
Subject = Annotated[str, Query(max_length=320, pattern=PLAIN)]


class ProgrammeShown(BaseModel):
    """A programme as it stands."""

    key: str
    version: str
    revision: int
    state: ProgrammeState
    file: str
    published_at: datetime


class BrakeSet(BaseModel):
    """What to pause; `subject` is a programme's key or an account (id, backend id or name)."""

    scope: Scope
    subject: str = Field(default="", max_length=320, pattern=PLAIN)
    note: str = Field(default="", max_length=500, pattern=PLAIN)


class BrakeShown(BaseModel):
    """One brake that is set."""

    scope: str
    subject: str
    set_at: datetime
    set_by: str
    note: str


class Waiting(BaseModel):
    """Plans of a programme that wait, by what for ("" = not yet due)."""

    programme: str
    waits_for: str
    plans: int


class BrakeState(BaseModel):
    """All brakes that are set, and what waits."""

    brakes: list[BrakeShown]
    waiting: list[Waiting]


class OrganisationWritten(BaseModel):
    """The organisation's settings, whole."""

    name: str = Field(min_length=1, max_length=200)
    zone: str = "UTC"
    locales: tuple[str, ...] = ("en", "es", "sv")
    brand: Brand
    sender: Sender
    public_url: str = Field(pattern=r"^https?://")
    own_domains: tuple[str, ...] = ()
    privacy_note: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _can_be_stored(self) -> OrganisationWritten:
        """PostgreSQL stores every character but NUL."""
        if "\\u0000" in self.model_dump_json():
            raise ValueError("a text holds a NUL")
        return self


def router(platform: Platform) -> APIRouter:
    """The routes of operation."""
    routes = APIRouter(prefix="/v1", tags=["operation"])
    _add_programmes(routes, platform.db)
    _add_brake(routes, platform.db)
    _add_organisation(routes, platform.db)
    return routes


def _add_programmes(routes: APIRouter, db: Database) -> None:
    @routes.get("/programmes")
    async def list_programmes(_reader: ProgrammeReader) -> list[ProgrammeShown]:
        """All programmes, archived ones too."""
        async with db.read() as conn:
            found = await programmes.standings(conn)
        return [_shown(one) for one in found]

    @routes.get("/programmes/{key}")
    async def show_programme(key: Key, _reader: ProgrammeReader) -> dict[str, Any]:
        """A programme's whole definition."""
        async with db.read() as conn:
            definition = await programmes.definition_of(conn, key)
        if definition is None:
            raise Problem(404, "There is no such programme.", field="key")
        return definition


def _add_brake(routes: APIRouter, db: Database) -> None:
    @routes.get("/brake")
    async def show_brake(_reader: BrakeReader) -> BrakeState:
        """What is paused, and what waits."""
        async with db.read() as conn:
            return await brake_state(conn)

    @routes.post("/brake")
    async def pause(wanted: BrakeSet, writer: BrakeWriter) -> BrakeState:
        """Pause a programme, an account or all sending; it holds from the next hand-over on."""
        async with db.begin() as tx:
            subject = await _subject(tx.conn, wanted.scope, wanted.subject)
            await pull_brake(tx, Brake(wanted.scope, subject, tx.now, writer.actor, wanted.note))
            return await brake_state(tx.conn)

    @routes.delete("/brake")
    async def resume(_writer: BrakeWriter, scope: Scope, subject: Subject = "") -> BrakeState:
        """Release a brake; what waited for it passes the gate at once."""
        async with db.begin() as tx:
            await release_brake(tx, scope, await _subject(tx.conn, scope, subject))
            return await brake_state(tx.conn)


def _add_organisation(routes: APIRouter, db: Database) -> None:
    @routes.get("/organisation")
    async def show_organisation(_reader: SettingsReader) -> OrganisationWritten:
        """The organisation's settings."""
        async with db.read() as conn:
            found = await programmes.get_organisation(conn)
        if found is None:
            raise Problem(404, "No settings are written yet.")
        return OrganisationWritten.model_validate(
            {name: getattr(found, name) for name in OrganisationWritten.model_fields}
        )

    @routes.put("/organisation")
    async def write_organisation(
        written: OrganisationWritten, _writer: SettingsWriter
    ) -> OrganisationWritten:
        """Write the organisation's settings."""
        async with db.begin() as tx:
            await save_organisation(tx, organisation_of(written))
        return written


def organisation_of(written: OrganisationWritten) -> Organisation:
    """Settings as they were written.

    Raises:
        Problem: 422; a field cannot be right.
    """
    if not is_zone(written.zone):
        raise Problem(
            422, "There is no such time zone.", what_to_do="Write for example Europe/Stockholm.", field="zone"
        )
    if not written.locales:
        raise Problem(422, "At least one language is needed.", field="locales")
    domains = tuple(sorted({d.strip().lower().lstrip("@") for d in written.own_domains if d.strip()}))
    return Organisation(**{**dict(written), "own_domains": domains})


async def brake_state(conn: Connection) -> BrakeState:
    """All brakes that are set, and what waits."""
    found = await brakes.brakes(conn)
    return BrakeState(
        brakes=[BrakeShown(**{name: getattr(b, name) for name in BrakeShown.model_fields}) for b in found],
        waiting=[Waiting(programme=p, waits_for=w, plans=n) for p, w, n in await brakes.waiting(conn)],
    )


async def _subject(conn: Connection, scope: Scope, subject: str) -> str:
    if scope == "all":
        return ""
    if scope == "programme":
        if all(one.key != subject for one in await programmes.standings(conn)):
            raise Problem(404, "There is no such programme.", field="subject")
        return subject
    account_id = await people.find_account(conn, subject)
    if account_id is None:
        raise Problem(404, "No account is known by that.", field="subject")
    return str(account_id)


def _shown(one: programmes.Standing) -> ProgrammeShown:
    return ProgrammeShown(
        key=one.key,
        version=one.version,
        revision=one.revision,
        state=one.shown,
        file=one.file,
        published_at=one.published_at,
    )
