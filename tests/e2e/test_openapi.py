"""The interfaces are as they describe themselves: schemathesis tries each operation of the five services.

They hold what a story left: people, surveys, answers, tickets. Half of the requests fit the description and
name what is there, half do not fit it. Those of senders that sign (helpdesks, mail providers) carry no
signature, so only their refusal is seen here; their bodies have tests of their own.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.openapi import from_dict
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.schemas import OpenApiSchema

from shared.security.roles import Scope
from shared.web.app import web_app
from shared.web.routing import join
from shared.web.streams import LONGEST_SECONDS
from tests.support.databases import TestDatabase
from tests.support.house import House, opened
from tests.support.rooms import URL
from tests.support.serving import served
from tests.support.story import live

START = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
EXAMPLES = 4
"""Of right requests and as many of wrong ones, for each operation."""

_NAMED = re.compile("{[^}]*}")
_KEYED = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
"""Each request gets the key, also those that are wrong on purpose."""
_HOW = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
ALWAYS: tuple[CheckFunction, ...] = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)
CHECKS: Mapping[GenerationMode, tuple[CheckFunction, ...]] = {
    GenerationMode.POSITIVE: ALWAYS,
    GenerationMode.NEGATIVE: (*ALWAYS, negative_data_rejection),
}
_ASKED = "from trigger.asks where state = 'answered' and account_id is not null order by survey_id limit 1"
_THERE = {
    "/v1/accounts/{ref}": f"select account_id {_ASKED}",
    "/v1/contacts/{ref}": f"select contact_id {_ASKED}",
    "/v1/links/{survey}": f"select survey_id {_ASKED}",
    "/v1/previews/{programme}": f"select programme {_ASKED}",
    "/v1/programmes/{key}": f"select programme {_ASKED}",
    "/v1/responses/{survey}": f"select survey_id {_ASKED}",
    "/v1/scores/accounts/{account_id}": f"select account_id {_ASKED}",
    "/v1/tickets/{ticket_id}": "select id from alerts.tickets order by id limit 1",
}
"""What the first parameter of a path can name, by the beginning of the path."""


@dataclass(frozen=True, slots=True)
class Api:
    """The served interface.

    Attributes:
        address: where it is served.
        key: an API key with every scope.
        there: values of path parameters that name something, by the beginning of the path.
    """

    address: str
    key: str
    there: Mapping[str, str]

    def send(self, case: Case[Any], mode: GenerationMode) -> None:
        """Send one request and check what comes back.

        Raises:
            FailureGroup: The answer is not as it is described.
        """
        start = case.path.partition("}")[0]
        named = self.there.get(f"{start}}}")
        if named and mode is GenerationMode.POSITIVE:
            case.path_parameters[start.rpartition("{")[2]] = named
        if case.path.endswith("/stream") and _stays(case.query.get("seconds", LONGEST_SECONDS)):
            case.query["seconds"] = 0
        headers = {"Authorization": f"Bearer {self.key}"}
        case.call_and_validate(base_url=self.address, headers=headers, checks=list(CHECKS[mode]))


def _stays(seconds: object) -> bool:
    """Whether a stream would be left open, for as long as nobody reads on."""
    try:
        return 0 <= float(str(seconds)) <= LONGEST_SECONDS
    except ValueError:
        return False


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_every_operation_answers_as_it_is_described(fresh_database: TestDatabase) -> None:
    async with opened(fresh_database, START) as house:
        await live(house)
        there = {path: str(await house.admin.fetchval(query)) for path, query in _THERE.items()}
        _, key = await house.access.create_key("everything", list(Scope))
        app = web_app(house.access, URL)
        for one in house.running.values():
            join(app, one.service.router)
        async with served(app) as address:
            api = Api(address, key, there)
            faults = await asyncio.to_thread(_faults, from_dict(app.openapi(), config=_KEYED), api)
        open_to_all = await _open_to_all(house, app.openapi()["paths"])
        broken = await _broken_by_zero_bytes(house, app.openapi()["paths"], key)
    assert not faults, "\n\n".join(faults)
    assert not open_to_all
    assert not broken


async def _open_to_all(house: House, paths: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Operations that are said to need a key and answer without one."""
    async with house.browser() as nobody:
        return [
            f"{method} {path}"
            for path, operations in paths.items()
            for method, operation in operations.items()
            if "security" in operation
            and (await nobody.request(method, _NAMED.sub(str(UUID(int=1)), path))).status_code != 401
        ]


async def _broken_by_zero_bytes(
    house: House, paths: Mapping[str, Mapping[str, Any]], key: str
) -> list[tuple[str, int]]:
    """Readings that fail over a text which no database can hold."""
    async with house.browser(authorization=f"Bearer {key}") as reader:
        tried = [
            await reader.get(_NAMED.sub("%00", path), params={one["name"]: "\0" for one in texts})
            for path, operations in paths.items()
            for texts in [_texts_of(operations.get("get", {}))]
            if texts
        ]
    return [(one.request.url.path, one.status_code) for one in tried if one.status_code not in {404, 422}]


def _texts_of(operation: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Parameters of an address that may be any text."""
    bounded_by_length = {"type", "title", "default", "maxLength", "minLength"}
    return [
        one
        for one in operation.get("parameters", ())
        if one["in"] != "header"
        and one["schema"].get("type") == "string"
        and one["schema"].keys() <= bounded_by_length
    ]


def _faults(described: OpenApiSchema, api: Api) -> list[str]:
    """What is not as described, a paragraph for each operation."""
    found: list[str] = []
    for result in described.get_all_operations():
        operation: Any = result.ok() if isinstance(result, Ok) else pytest.fail(str(result.err()))
        for mode in CHECKS:
            try:
                _try(operation, mode, api)
            except Unsatisfiable:
                assert mode is GenerationMode.NEGATIVE, operation.label  # there is nothing to get wrong
            except FailureGroup as faults:
                found.append(f"{operation.label} ({mode}): {faults}")
    return found


def _try(operation: Any, mode: GenerationMode, api: Api) -> None:
    """Send requests that fit the description of an operation, or do not.

    Raises:
        FailureGroup: An answer is not as it is described.
        Unsatisfiable: There are no such requests.
    """

    @_HOW
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Case[Any]) -> None:
        api.send(case, mode)

    send()
