"""Salesforce: figures in custom fields of contacts and accounts, many records at once.

An administrator makes the fields that are wanted; only those are written. Contacts are found by address,
accounts by one of their fields; both by Salesforce's own id where a backend gave it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote
from uuid import UUID

from services.scoring.connectors.batches import Fields, within
from services.scoring.domain.crm import (
    GONE,
    NO_FIELDS,
    NO_NAME,
    UNKNOWN,
    Found,
    Kind,
    Refused,
    Subject,
    Taken,
    Update,
    one_of,
)
from shared.partners.api import Api, lost, objects, text
from shared.partners.salesforce import DATA, literal

BY_NAME = "Name"
AT_ONCE = 50
"""As many as fit into the address of a query."""
_OBJECTS = {Kind.CONTACT: "Contact", Kind.ACCOUNT: "Account"}
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
_SHORT = 15
_GONE = frozenset({"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND", "MALFORMED_ID"})


class Salesforce:
    """Speaks with one organisation.

    Args:
        account_key: Field of accounts that holds the id by which backends name the account; `Name`: its name
            is compared.
    """

    name = "salesforce"
    kinds = frozenset(Kind)
    at_once = AT_ONCE

    def __init__(self, api: Api, account_key: str = BY_NAME) -> None:
        self._api = api
        self._key = account_key
        self._fields = Fields(field_of)

    async def find(self, kind: Kind, subjects: Sequence[Subject]) -> Mapping[UUID, Found | Refused]:
        """See `Crm.find`."""
        field = "Email" if kind is Kind.CONTACT else self._key
        keys = {one.id: self._key_of(kind, one) for one in subjects}
        ids = {one.id: own for one in subjects if _ID.fullmatch(own := one.own_id(self.name))}
        by_id: set[str] = set()
        by_key: dict[str, list[str]] = {}
        for record in await self._query(_OBJECTS[kind], field, ids.values(), filter(None, keys.values())):
            by_id.add(text(record, "Id"))
            by_key.setdefault(text(record, field).lower(), []).append(text(record, "Id"))
        own_ids = {one[:_SHORT]: one for one in by_id}
        found: dict[UUID, Found | Refused] = {}
        for one in subjects:
            key = keys[one.id].lower()
            if named := own_ids.get(ids.get(one.id, "")[:_SHORT]):
                found[one.id] = Found(named)
            else:
                found[one.id] = one_of(by_key.get(key, [])) if key else _unnamed(kind)
        return found

    def _key_of(self, kind: Kind, subject: Subject) -> str:
        if kind is Kind.CONTACT:
            return subject.email.strip()
        return (subject.name if self._key == BY_NAME else subject.external_id).strip()

    async def _query(
        self, thing: str, field: str, ids: Iterable[str], keys: Iterable[str]
    ) -> list[dict[str, Any]]:
        parts = [
            f"{name} IN ({', '.join(literal(one) for one in sorted(set(values)))})"
            for name, values in (("Id", list(ids)), (field, list(keys)))
            if values
        ]
        if not parts:
            return []
        columns = field if field == "Id" else f"Id, {field}"
        wanted = f"SELECT {columns} FROM {thing} WHERE {' OR '.join(parts)}"  # noqa: S608 - quoted
        answer = await self._api.ask("GET", f"{DATA}/query?q={quote(wanted, safe='')}")
        return objects(answer, "records")

    async def write(self, kind: Kind, updates: Sequence[Update]) -> Mapping[UUID, Taken | Refused]:
        """See `Crm.write`; one record's fault is its own."""
        fields = await self._fields.of(kind, self._api.monotonic, partial(self._described, kind))
        if not fields:
            return {one.id: NO_FIELDS for one in updates}
        due, found = within(updates, fields)
        if not due:
            return found
        body = {"allOrNone": False, "records": [_record(kind, one, fields) for one in due]}
        answers = await self._api.several("PATCH", f"{DATA}/composite/sobjects", body)
        if len(answers) != len(due):
            raise lost("outcome of each record")
        for one, answer in zip(due, answers, strict=True):
            if answer.get("success") is not True:
                found[one.id] = self._refused(answer)
        return found

    def _refused(self, answer: Mapping[str, Any]) -> Refused:
        error = next(iter(objects(answer, "errors")), {})
        code = text(error, "statusCode")
        if code in _GONE:
            return GONE
        self._fields.forget()
        fields = error.get("fields")
        named = " ".join(str(one) for one in fields) if isinstance(fields, list) else ""
        return Refused(f"{code or 'refused without a reason'} {named}".strip())

    async def _described(self, kind: Kind) -> list[str]:
        """The fields that we may write."""
        answer = await self._api.ask("GET", f"{DATA}/sobjects/{_OBJECTS[kind]}/describe")
        return [text(one, "name") for one in objects(answer, "fields") if one.get("updateable") is True]


def field_of(figure: str) -> str:
    """The API name of a figure's field; Salesforce does not mind its case."""
    return f"Afterword_{figure}__c"


def _record(kind: Kind, update: Update, fields: Mapping[str, str]) -> dict[str, Any]:
    figures = {fields[name]: value for name, value in update.figures.items()}
    return {"attributes": {"type": _OBJECTS[kind]}, "id": update.record, **figures}


def _unnamed(kind: Kind) -> Refused:
    return UNKNOWN if kind is Kind.CONTACT else NO_NAME
