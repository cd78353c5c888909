"""Answers that are wrong in size or shape, on both sides of each edge."""

from __future__ import annotations

import json

import pytest

from tests.support.collector import Collector, survey_id

LIMIT = 256 * 1024
pytestmark = pytest.mark.requirement("R54")


def answer(collector: Collector) -> dict[str, object]:
    return {"token": collector.tokens.sign("answer", survey_id(1)), "answers": {"ces": 6}}


@pytest.mark.parametrize(("length", "status"), [(LIMIT, 201), (LIMIT + 1, 413)])
async def test_an_answer_may_be_256_kibibytes_long(collector: Collector, length: int, status: int) -> None:
    await collector.asked(1)
    async with collector.client() as client:
        told = await client.post("/v1/responses", content=json.dumps(answer(collector)).ljust(length))
    assert told.status_code == status


@pytest.mark.parametrize(("length", "refused"), [(LIMIT, False), (LIMIT + 1, True)])
async def test_a_form_may_be_256_kibibytes_long(collector: Collector, length: int, refused: bool) -> None:
    path = await collector.asked(1)
    form = {"content-type": "application/x-www-form-urlencoded"}
    async with collector.client() as browser:
        told = await browser.post(path, content=b"q.ces=6&pad=".ljust(length, b"x"), headers=form)
    assert (told.status_code == 413) is refused


async def test_fields_that_nobody_knows_pass(collector: Collector) -> None:
    await collector.asked(1)
    async with collector.client() as client:
        told = await client.post("/v1/responses", json=answer(collector) | {"x_new": {"deep": [1, None]}})
    assert (told.status_code, told.json()["errors"]) == (201, [])
