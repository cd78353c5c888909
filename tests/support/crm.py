"""CRMs as their documentation says they answer: each keeps records and the figures written to them."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

import httpx
from typing_extensions import override

from services.scoring.domain.crm import Kind
from tests.support.pretended import Pretended

Fields = dict[str, Any]


@dataclass
class CrmDesk(Pretended):
    """A CRM of a test; to write is to write figures.

    Attributes:
        records: by kind and the CRM's own id.
        writes: how many records were written to, each time counted.
    """

    records: dict[Kind, dict[str, Fields]] = field(default_factory=lambda: {kind: {} for kind in Kind})
    writes: int = 0

    @abstractmethod
    def add(self, kind: Kind, key: str, number: int) -> str:
        """Keep a record of that address or name; returns its id."""

    @abstractmethod
    def shown(self, kind: Kind, record: str) -> Fields:
        """The figures that a record shows, by the names that they have with us; cleared ones are left out."""


class HubSpotCrm(CrmDesk):
    """https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/guide, and its properties."""

    def __init__(self) -> None:
        super().__init__()
        self.groups: set[str] = set()
        self.properties: dict[Kind, dict[str, Fields]] = {
            Kind.CONTACT: {name: {} for name in ("email", "hs_additional_emails")},
            Kind.ACCOUNT: {name: {} for name in ("name", "customer_number")},
        }

    @override
    def is_write(self, request: httpx.Request) -> bool:
        return request.url.path.endswith("/batch/update")

    @override
    def add(self, kind: Kind, key: str, number: int) -> str:
        self.records[kind][str(number)] = {"email" if kind is Kind.CONTACT else "name": key}
        return str(number)

    @override
    def shown(self, kind: Kind, record: str) -> Fields:
        kept = self.records[kind][record].items()
        return {name.removeprefix("afterword_"): v for name, v in kept if name.startswith("afterword_") and v}

    @override
    def answer(self, request: httpx.Request, body: Any) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer secret"
        _, _, _, area, objects, *rest = request.url.path.split("/")
        kind = {"contacts": Kind.CONTACT, "companies": Kind.ACCOUNT}[objects]
        if area == "properties":
            return self._properties(request.method, kind, rest, body)
        match rest:
            case ["batch", "read"]:
                return self._read(kind, body)
            case ["batch", "update"]:
                return self._update(kind, body)
            case ["search"]:
                return self._search(kind, body)
            case _:
                raise AssertionError(request.url)

    def _properties(self, method: str, kind: Kind, rest: list[str], body: Any) -> httpx.Response:
        known = self.properties[kind]
        match method, rest:
            case "GET", []:
                return httpx.Response(200, json={"results": [{"name": name} for name in known]})
            case "GET", ["groups", name]:
                return httpx.Response(200 if name in self.groups else 404, json={"name": name})
            case "POST", ["groups"]:
                assert body["name"] not in self.groups
                self.groups.add(body["name"])
                return httpx.Response(201, json=body)
            case "POST", ["batch", "create"]:
                for one in body["inputs"]:
                    assert one["groupName"] in self.groups
                    assert one["name"] not in known
                    assert re.fullmatch(r"[a-z][a-z0-9_]{0,99}", one["name"])
                    assert (one["type"] == "enumeration") == bool(one.get("options"))
                    known[one["name"]] = one
                return httpx.Response(201, json={"status": "COMPLETE", "results": body["inputs"]})
            case _:
                raise AssertionError((method, rest))

    def _read(self, kind: Kind, body: Any) -> httpx.Response:
        by, found, missing = body.get("idProperty"), [], []
        if by and any("@" not in one["id"] for one in body["inputs"]):
            return invalid("VALIDATION_ERROR")
        for one in [one["id"] for one in body["inputs"]]:
            records = self.records[kind].items()
            known = [(r, kept) for r, kept in records if (one in self._addresses(kept) if by else r == one)]
            found += [simple(r, {n: kept.get(n) for n in body["properties"]}) for r, kept in known]
            missing += [] if known else [one]
        return self._batch(found, missing)

    def _addresses(self, kept: Fields) -> set[str]:
        return {kept.get("email", ""), *kept.get("hs_additional_emails", "").split(";")} - {""}

    def _update(self, kind: Kind, body: Any) -> httpx.Response:
        inputs, done, missing = body["inputs"], [], []
        assert len(inputs) <= 100
        ids = [one["id"] for one in inputs]
        if any("idProperty" in one for one in inputs) or len(set(ids)) < len(ids):
            return invalid("VALIDATION_ERROR")
        for one in inputs:
            for name, value in one["properties"].items():
                if name not in self.properties[kind] or not self._fits(self.properties[kind][name], value):
                    return invalid("VALIDATION_ERROR")
        for one in inputs:
            if one["id"] not in self.records[kind]:
                missing.append(one["id"])
                continue
            self.records[kind][one["id"]] |= one["properties"]
            self.writes += 1
            done.append(simple(one["id"], one["properties"]))
        return self._batch(done, missing)

    def _fits(self, definition: Fields, value: object) -> bool:
        if value == "":
            return True
        match definition.get("type"):
            case "number":
                return bool(re.fullmatch(r"-?\d+(\.\d+)?", str(value)))
            case "date":
                return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)))
            case "enumeration":
                return value in {one["value"] for one in definition["options"]}
            case _:
                return isinstance(value, str)

    def _search(self, kind: Kind, body: Any) -> httpx.Response:
        ((wanted,),) = [group["filters"] for group in body["filterGroups"]]
        assert wanted["operator"] == "IN"
        assert wanted["values"] == [one.lower() for one in wanted["values"]]
        name = wanted["propertyName"]
        if name not in self.properties[kind]:
            return invalid("VALIDATION_ERROR")
        found = [
            simple(record, {name: kept[name]})
            for record, kept in self.records[kind].items()
            if str(kept.get(name, "")).lower() in wanted["values"]
        ]
        return httpx.Response(200, json={"total": len(found), "results": found[: body["limit"]]})

    def _batch(self, found: list[Fields], missing: list[str]) -> httpx.Response:
        at = "2026-11-02T09:00:00.000Z"
        answer: Fields = {"status": "COMPLETE", "results": found, "startedAt": at, "completedAt": at}
        if missing:
            said = "Could not get some objects, they may be deleted or not exist. Check that ids are valid."
            error = {"status": "error", "category": "OBJECT_NOT_FOUND", "message": said}
            answer |= {"numErrors": 1, "errors": [error | {"context": {"ids": missing}}]}
        return httpx.Response(207 if missing else 200, json=answer)


def invalid(category: str) -> httpx.Response:
    """A request that HubSpot finds fault with."""
    return httpx.Response(400, json={"status": "error", "category": category, "message": "ana@acme.test"})


def simple(record: str, properties: Mapping[str, Any]) -> Fields:
    """An object of HubSpot's with what its own client insists on."""
    at = "2026-11-02T09:00:00.000Z"
    return {"id": record, "properties": dict(properties), "createdAt": at, "updatedAt": at, "archived": False}


_LITERAL = r"'(?:[^'\\]|\\.)*'"
_PREFIXES = {Kind.CONTACT: "003", Kind.ACCOUNT: "001"}


class SalesforceCrm(CrmDesk):
    """https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/."""

    def __init__(self, figures: Iterable[str] = ()) -> None:
        super().__init__()
        self.fields: dict[Kind, dict[str, bool]] = {kind: {} for kind in Kind}
        for name in figures:
            for kind in Kind:
                self.fields[kind][f"Afterword_{name}__c"] = True
        self.wrong: set[str] = set()
        """Fields that a validation rule of the organisation refuses."""

    @override
    def is_write(self, request: httpx.Request) -> bool:
        return request.url.path.endswith("/composite/sobjects")

    @override
    def add(self, kind: Kind, key: str, number: int) -> str:
        record = f"{_PREFIXES[kind]}Ab{number:010}AAA"
        self.records[kind][record] = {"Email" if kind is Kind.CONTACT else "Name": key}
        return record

    @override
    def shown(self, kind: Kind, record: str) -> Fields:
        kept = self.records[kind][record].items()
        return {
            name.removeprefix("Afterword_").removesuffix("__c"): value
            for name, value in kept
            if name.startswith("Afterword_") and value is not None
        }

    @override
    def answer(self, request: httpx.Request, body: Any) -> httpx.Response:
        parts = request.url.path.strip("/").split("/")
        assert parts[:2] == ["services", "data"]
        match parts[3:]:
            case ["query"]:
                return self._query(parse_qs(request.url.query.decode())["q"][0])
            case ["sobjects", thing, "describe"]:
                fields = self.fields[Kind(thing.lower())]
                listed = [{"name": name, "updateable": may} for name, may in fields.items()]
                return httpx.Response(200, json={"name": thing, "fields": listed})
            case ["composite", "sobjects"]:
                assert request.method == "PATCH"
                return self._update(body)
            case _:
                raise AssertionError(request.url)

    def _query(self, asked: str) -> httpx.Response:
        found = re.fullmatch(r"SELECT Id, (\w+) FROM (Contact|Account) WHERE (.+)", unquote(asked))
        assert found is not None, asked
        field_, thing, where = found.groups()
        wanted: dict[str, set[str]] = {}
        for name, listed in re.findall(rf"(\w+) IN \(({_LITERAL}(?:, {_LITERAL})*)\)", where):
            texts = re.findall(_LITERAL, listed)
            wanted[name] = {re.sub(r"\\(.)", r"\1", one[1:-1]).lower() for one in texts}
        rows = [
            {"attributes": {"type": thing}, "Id": record, field_: kept.get(field_)}
            for record, kept in self.records[Kind(thing.lower())].items()
            if str(kept.get(field_, "")).lower() in wanted.get(field_, ())
            or record.lower() in wanted.get("Id", ())
            or record[:15].lower() in wanted.get("Id", ())
        ]
        return httpx.Response(200, json={"totalSize": len(rows), "done": True, "records": rows})

    def _update(self, body: Any) -> httpx.Response:
        assert body["allOrNone"] is False
        assert len(body["records"]) <= 200
        return httpx.Response(200, json=[self._updated(one) for one in body["records"]])

    def _updated(self, given: Fields) -> Fields:
        kind, record = Kind(given.pop("attributes")["type"].lower()), given.pop("id")
        unknown = [name for name in given if name not in self.fields[kind]]
        assert not unknown, "the connector writes fields that it was told are there, and no others"
        if record not in self.records[kind]:
            return failed("ENTITY_IS_DELETED", [])
        if named := sorted(self.wrong & set(given)):
            return failed("FIELD_CUSTOM_VALIDATION_EXCEPTION", named)
        self.records[kind][record] |= given
        self.writes += 1
        return {"id": record, "success": True, "errors": []}


def failed(code: str, fields: list[str]) -> Fields:
    """What came of a record that Salesforce refuses."""
    return {
        "success": False,
        "errors": [{"statusCode": code, "message": "ana@acme.test", "fields": fields}],
    }


class GainsightCrm(CrmDesk):
    """https://support.gainsight.com/gainsight_nxt/API_and_Developer_Docs, Company API."""

    def __init__(self, figures: Iterable[str] = ()) -> None:
        super().__init__()
        self.fields = {"Name", "Gsid", *(f"Afterword_{name}__gc" for name in figures)}

    @override
    def is_write(self, request: httpx.Request) -> bool:
        return request.method == "PUT"

    @override
    def add(self, kind: Kind, key: str, number: int) -> str:
        record = f"1P02{number:032}"
        self.records[kind][record] = {"Name": key}
        return record

    @override
    def shown(self, kind: Kind, record: str) -> Fields:
        kept = self.records[kind][record].items()
        return {
            name.removeprefix("Afterword_").removesuffix("__gc"): value
            for name, value in kept
            if name.startswith("Afterword_") and value is not None
        }

    @override
    def answer(self, request: httpx.Request, body: Any) -> httpx.Response:
        match request.method, request.url.path:
            case "GET", "/v1/meta/services/objects/Company/describe":
                fields = [{"fieldName": name, "dataType": "STRING"} for name in sorted(self.fields)]
                return said_well([{"objectName": "company", "fields": fields}])
            case "POST", "/v1/data/objects/query/Company":
                return self._query(body)
            case "PUT", "/v1/data/objects/Company":
                assert parse_qs(request.url.query.decode()) == {"keys": ["Gsid"]}
                return self._update(body["records"])
            case _:
                raise AssertionError(request.url)

    def _query(self, body: Any) -> httpx.Response:
        conditions = body["where"]["conditions"]
        aliases = [one["alias"] for one in conditions]
        assert body["where"]["expression"] == " OR ".join(aliases)
        assert len(set(aliases)) == len(aliases)
        assert all((len(one["value"]), one["operator"]) == (1, "EQ") for one in conditions)
        found = [
            {name: {"Gsid": record, **kept}.get(name) for name in body["select"]}
            for record, kept in self.records[Kind.ACCOUNT].items()
            if any(_meets({**kept, "Gsid": record}, one) for one in conditions)
        ]
        return said_well({"records": found[: body["limit"]]})

    def _update(self, records: list[Fields]) -> httpx.Response:
        assert len(records) <= 50
        for one in records:
            for name, value in one.items():
                if name not in self.fields or (name.endswith("_date__gc") and not _is_day(value)):
                    error = {"errorMessage": "Invalid dateTime format", "errorCode": "GSOBJ_1006"}
                    told = {"result": False, "errorCode": "GSOBJ_1006", "data": {"errors": [[error]]}}
                    return httpx.Response(400, json=told)
        done = []
        for one in records:
            if one["Gsid"] in self.records[Kind.ACCOUNT]:
                self.records[Kind.ACCOUNT][one["Gsid"]] |= one
                self.writes += 1
                done.append(one)
        return said_well({"count": len(done), "errors": None, "records": done})


def _meets(kept: Fields, condition: Fields) -> bool:
    wanted: str = condition["value"][0]
    return str(kept.get(condition["name"])).lower() == wanted.lower()


def _is_day(value: object) -> bool:
    return value is None or bool(re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)))


def said_well(data: object) -> httpx.Response:
    """An answer of Gainsight's that went well."""
    told = {"result": True, "errorCode": None, "errorDesc": None, "requestId": "1", "message": None}
    return httpx.Response(200, json={**told, "data": data})


class TotangoCrm(CrmDesk):
    """https://support.totango.com/hc/en-us/articles/203639605-Totango-HTTP-API."""

    @override
    def is_write(self, request: httpx.Request) -> bool:
        return True

    @override
    def add(self, kind: Kind, key: str, number: int) -> str:
        self.records[kind][key] = {}
        return key

    @override
    def shown(self, kind: Kind, record: str) -> Fields:
        kept = self.records[kind][record].items()
        return {name.removeprefix("sdr_o.afterword_"): value for name, value in kept if value}

    @override
    def answer(self, request: httpx.Request, body: Any) -> httpx.Response:
        assert (request.method, request.url.path) == ("POST", "/pixel.gif/")
        form = parse_qs(request.content.decode(), keep_blank_values=True)
        told = {name: value for name, (value,) in form.items()}
        assert told.pop("sdr_s") == "SP-0000-01"
        record = told.pop("sdr_o")
        assert not [name for name in told if not re.fullmatch(r"sdr_o\.[a-z0-9_]{1,100}", name)]
        self.records[Kind.ACCOUNT].setdefault(record, {}).update(told)
        self.writes += 1
        return httpx.Response(200, content=b"GIF89a", headers={"content-type": "image/gif"})
