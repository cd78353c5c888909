"""Gainsight: figures in custom fields of companies, some at once.

An administrator makes the fields that are wanted; only those are written. People are left out: its interface
for them makes whoever it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any
from uuid import UUID

from services.scoring.connectors.batches import Fields, Outcomes, apart, refused, within
from services.scoring.domain.crm import (
    GONE,
    NO_FIELDS,
    NO_NAME,
    Figures,
    Found,
    Kind,
    Refused,
    Subject,
    Taken,
    Update,
    one_of,
)
from shared.errors import SendError
from shared.partners.api import Api, objects, text

BY_NAME = "Name"
AT_ONCE = len(ascii_uppercase) // 2
"""A company that is looked for is two conditions at most, and those have letters for names."""
_GSID = "Gsid"
_INVALID = 400


class Gainsight:
    """Speaks with one tenant.

    Args:
        company_key: Field of companies that holds the id by which backends name the account; `Name`: its name
            is compared.
    """

    name = "gainsight"
    kinds = frozenset({Kind.ACCOUNT})
    at_once = AT_ONCE

    def __init__(self, api: Api, company_key: str = BY_NAME) -> None:
        self._api = api
        self._key = company_key
        self._fields = Fields(field_of)

    async def find(self, kind: Kind, subjects: Sequence[Subject]) -> Mapping[UUID, Found | Refused]:
        """See `Crm.find`."""
        assert kind in self.kinds  # noqa: S101 - the only kind that is asked for
        keys = {one.id: (one.name if self._key == BY_NAME else one.external_id).strip() for one in subjects}
        own = {one.id: one.own_id(self.name) for one in subjects}
        wanted = {(self._key, key) for key in keys.values() if key} | {
            (_GSID, one) for one in own.values() if one
        }
        known: set[str] = set()
        records: dict[str, list[str]] = {}
        for record in await self._query(sorted(one for one in wanted if one[1])):
            known.add(text(record, _GSID))
            records.setdefault(text(record, self._key).lower(), []).append(text(record, _GSID))
        found: dict[UUID, Found | Refused] = {}
        for one, key in keys.items():
            if own[one] in known:
                found[one] = Found(own[one])
            else:
                found[one] = one_of(records.get(key.lower(), [])) if key else NO_NAME
        return found

    async def _query(self, wanted: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        if not wanted:
            return []
        conditions = [
            {"name": name, "alias": alias, "value": [value], "operator": "EQ"}
            for alias, (name, value) in zip(ascii_uppercase, wanted, strict=False)
        ]
        where = {"conditions": conditions, "expression": " OR ".join(ascii_uppercase[: len(conditions)])}
        body = {"select": [_GSID, self._key], "where": where, "limit": 10 * AT_ONCE, "offset": 0}
        answer = _well(await self._api.ask("POST", "/v1/data/objects/query/Company", body))
        return objects(answer, "data", "records")

    async def write(self, kind: Kind, updates: Sequence[Update]) -> Mapping[UUID, Taken | Refused]:
        """See `Crm.write`."""
        fields = await self._fields.of(kind, self._api.monotonic, self._described)
        if not fields:
            return {one.id: NO_FIELDS for one in updates}
        due, found = within(updates, fields)

        async def put(some: Sequence[Update]) -> Outcomes:
            records = [{_GSID: one.record, **_named(one.figures, fields)} for one in some]
            path = f"/v1/data/objects/Company?keys={_GSID}"
            answer = _well(await self._api.ask("PUT", path, {"records": records}))
            done = {text(one, _GSID) for one in objects(answer, "data", "records")}
            return {one.id: found[one.id] if one.record in done else GONE for one in some}

        outcomes = await apart(put, due, {_INVALID}, refused) if due else {}
        if any(isinstance(one, Refused) for one in outcomes.values()):
            self._fields.forget()
        return found | outcomes

    async def _described(self) -> list[str]:
        answer = _well(await self._api.ask("GET", "/v1/meta/services/objects/Company/describe?idd=true"))
        fields = (one for described in objects(answer, "data") for one in objects(described, "fields"))
        return [text(one, "fieldName") for one in fields]


def field_of(figure: str) -> str:
    """The API name of a figure's field; its case does not matter."""
    return f"Afterword_{figure}__gc"


def _named(figures: Figures, fields: Mapping[str, str]) -> dict[str, Any]:
    return {fields[name]: value for name, value in figures.items()}


def _well(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """An answer that says that all went well.

    Raises:
        SendError: it says that it did not, or nothing.
    """
    if answer.get("result") is not True:
        code = text(answer, "errorCode") or "no result"
        raise SendError(f"Gainsight says {code}", permanent=False, uncertain=True)
    return answer
