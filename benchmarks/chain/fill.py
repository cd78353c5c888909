"""Surveys that wait for answers, each at a customer of its own: each unhappy answer opens a ticket."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import asyncpg

from benchmarks.collector.fill import FORM, TOKENS, sealer
from services.collector.store.surveys import SurveyRow, save_requested
from shared.contracts.model import Family, Person, Snapshot
from shared.runtime.clock import SystemMachine
from shared.runtime.ids import derive

CHUNK = 1000


async def fill(conn: asyncpg.Connection[Any], numbers: Sequence[int]) -> None:
    """Write the surveys of some numbers, with the keys of their people."""
    closes_at = SystemMachine().wall() + timedelta(days=30)
    for start in range(0, len(numbers), CHUNK):
        chunk = numbers[start : start + CHUNK]
        async with conn.transaction():
            people = [
                (derive("chain-contact", n), Person(name="Mia Berg", email="mia@example.com")) for n in chunk
            ]
            sealed = await sealer().seal(conn, people)
            rows = [
                SurveyRow(
                    derive("chain", n), 1, people[index][0], "form", _snapshot(n), sealed[index], "{}", "{}",
                    closes_at,
                )
                for index, n in enumerate(chunk)
            ]  # fmt: skip
            await save_requested(conn, rows, {"form": FORM.model_dump_json()})


def answer(number: int) -> dict[str, Any]:
    """An unhappy answer to the survey of a number."""
    token = TOKENS.sign("answer", derive("chain", number))
    return {"token": token, "answers": {"nps": 2, "why": "It takes too long."}}


def _snapshot(number: int) -> str:
    return Snapshot(
        programme="renewal", version="v1", family=Family.TRANSACTIONAL, touchpoint="support_ticket.resolved",
        contact_id=str(derive("chain-contact", number)), account_id=str(derive("chain-account", number)),
        account_name=f"Customer-{number}-", product="Routes",
    ).model_dump_json()  # fmt: skip
