"""A deployment with surveys that wait for their answers: one per request that a round may make."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg

from services.collector.store.surveys import SurveyRow, save_requested
from shared.contracts.forms import Bounds, Form, Question, QuestionType
from shared.contracts.model import Family, Person, Snapshot
from shared.runtime.clock import SystemMachine
from shared.runtime.ids import derive
from shared.security.keyring import KeyRing
from shared.security.sealing import Sealer
from shared.security.tokens import Tokens

MASTERS = KeyRing(1, {1: b"m" * 32})
TOKENS = Tokens(KeyRing(1, {1: b"t" * 32}))
BLIND = b"b" * 32
CHUNK = 5000

FORM = Form(
    primary="nps",
    low=6,
    title={"en": "Working with us"},
    questions=(
        Question(id="nps", type=QuestionType.NPS, text={"en": "How likely are you to recommend us?"}),
        Question(
            id="why",
            type=QuestionType.TEXT,
            optional=True,
            text={"en": "Why this score?"},
            when={"nps": Bounds(gte=0)},
        ),
    ),
)


def sealer() -> Sealer:
    """As the server under test seals."""
    return Sealer(MASTERS, BLIND, SystemMachine().wall)


async def fill(dsn: str, surveys: int, tokens: Path) -> None:
    """Write surveys with the keys of their people, and their links' tokens, one a line."""
    conn = await asyncpg.connect(dsn, server_settings={"search_path": "collector"})
    try:
        with tokens.open("w") as file:
            for start in range(0, surveys, CHUNK):
                ids = [derive("bench", number) for number in range(start, min(start + CHUNK, surveys))]
                async with conn.transaction():
                    await _write(conn, ids)
                file.writelines(TOKENS.sign("answer", survey_id) + "\n" for survey_id in ids)
        await conn.execute("vacuum analyze surveys")
    finally:
        await conn.close()


async def _write(conn: asyncpg.Connection[asyncpg.Record], ids: list[UUID]) -> None:
    person = Person(name="Mia Berg", email="mia@example.com")
    people = [derive("contact", survey_id) for survey_id in ids]
    sealed = await sealer().seal(conn, [(contact_id, person) for contact_id in people])
    closes_at = SystemMachine().wall() + timedelta(days=30)
    rows = [
        SurveyRow(survey_id, 1, contact_id, "form", _snapshot(contact_id), text, "{}", "{}", closes_at)
        for survey_id, contact_id, text in zip(ids, people, sealed, strict=True)
    ]
    await save_requested(conn, rows, {"form": FORM.model_dump_json()})


def _snapshot(contact_id: UUID) -> str:
    return Snapshot(
        programme="renewal", version="v1", family=Family.TRANSACTIONAL,
        touchpoint="contract.renewal_date_set",
        contact_id=str(contact_id), account_id=str(contact_id), account_name="Acme", product="Routes",
    ).model_dump_json()  # fmt: skip
