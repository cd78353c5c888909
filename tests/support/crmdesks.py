"""Freshdesk, HubSpot and Salesforce as their documentation says they answer."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import parse_qs

import httpx
from typing_extensions import override

from tests.support.helpdesks import Desk, Kept

AGENT = 55
"""The id of whoever comments there, where the partner names people by ids."""


class FreshdeskDesk(Desk):
    """https://developers.freshdesk.com/api/#tickets."""

    @property
    @override
    def solved(self) -> str:
        return "4"

    @override
    def is_write(self, request: httpx.Request) -> bool:
        return (request.method, request.url.path) == ("POST", "/api/v2/tickets")

    @override
    def answer(self, request: httpx.Request, body: dict[str, Any]) -> httpx.Response:
        path = request.url.path
        if self.is_write(request):
            return self._made(body)
        if path == "/api/v2/tickets":
            return self._listed(parse_qs(request.url.query.decode()))
        if path.startswith("/api/v2/agents/"):
            return httpx.Response(200, json={"id": AGENT, "contact": {"name": "Sam Agent"}})
        kept = self.kept.get(path.split("/")[4])
        return httpx.Response(404) if kept is None else self._of(kept, request, body)

    def _of(self, kept: Kept, request: httpx.Request, body: dict[str, Any]) -> httpx.Response:
        path = request.url.path
        if path.endswith("/conversations"):
            page = int(parse_qs(request.url.query.decode())["page"][0])
            shown = self._conversations(kept)[100 * (page - 1) : 100 * page]
            return httpx.Response(200, json=shown)
        if path.endswith("/notes"):
            assert body["private"] is True
            kept.said.append(("Afterword", text_of(body["body"])))
            return httpx.Response(201, json={"id": 100 + len(kept.said)})
        if request.method == "PUT":
            assert set(body) == {"status"}
            kept.status = str(body["status"])
        return httpx.Response(200, json=self._shown(kept))

    def _made(self, body: dict[str, Any]) -> httpx.Response:
        assert not {"email", "phone"} & set(body), "Freshdesk would write to the customer"
        assert all(len(tag) <= 32 for tag in body["tags"])
        assert (body["status"], bool(body["name"])) == (2, True)
        made = self.add(body["unique_external_id"], "2", text_of(body["description"]), body)
        return httpx.Response(201, json=self._shown(made))

    def _listed(self, query: dict[str, list[str]]) -> httpx.Response:
        wanted = query["unique_external_id"][0]
        found = [self._shown(one) for one in self.kept.values() if one.external == wanted]
        if found:
            return httpx.Response(200, json=found)
        why = "There is no contact matching the given unique_external_id"
        errors = [{"field": "unique_external_id", "message": why, "code": "invalid_value"}]
        return httpx.Response(400, json={"description": "Validation failed", "errors": errors})

    def _shown(self, kept: Kept) -> dict[str, Any]:
        return {"id": int(kept.id), "status": int(kept.status), "tags": kept.fields["tags"], "spam": False}

    def _conversations(self, kept: Kept) -> list[dict[str, Any]]:
        return [
            {
                "id": 100 + n,
                "body_text": said,
                "incoming": by == "customer",
                "private": True,
                "user_id": AGENT,
            }
            for n, (by, said) in enumerate(kept.said[1:], 2)
        ]


@dataclass
class HubSpotDesk(Desk):
    """https://developers.hubspot.com/docs/api-reference/crm-tickets-v3/guide.

    Attributes:
        prepared: its tickets have our property.
    """

    prepared: bool = False

    @property
    @override
    def solved(self) -> str:
        return "4"

    @override
    def key(self, number: int) -> str:
        return str(9000 + number)

    @override
    def is_write(self, request: httpx.Request) -> bool:
        return (request.method, request.url.path) == ("POST", "/crm/v3/objects/tickets")

    @override
    def answer(self, request: httpx.Request, body: dict[str, Any]) -> httpx.Response:
        path = request.url.path
        if path.startswith("/crm/v3/properties/tickets"):
            return self._property(request, body)
        for begins, known in KNOWN.items():
            if path.startswith(begins):
                return httpx.Response(200, json=known)
        if path.startswith("/crm/v3/objects/notes"):
            return self._note(path, body)
        return self._ticket(request, body)

    def _property(self, request: httpx.Request, body: dict[str, Any]) -> httpx.Response:
        if request.method == "POST":
            assert (body["name"], body["hasUniqueValue"]) == ("afterword_case", True)
            self.prepared = True
        return httpx.Response(200 if self.prepared else 404, json={"name": "afterword_case"})

    def _note(self, path: str, body: dict[str, Any]) -> httpx.Response:
        if path.endswith("/batch/read"):
            wanted = {one["id"] for one in body["inputs"]}
            found = [
                note for kept in self.kept.values() for note in self._notes(kept) if note["id"] in wanted
            ]
            return httpx.Response(200, json={"status": "COMPLETE", "results": found})
        (link,) = body["associations"]
        assert link["types"] == [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 228}]
        assert body["properties"]["hs_timestamp"]
        self.kept[link["to"]["id"]].said.append(("Afterword", body["properties"]["hs_note_body"]))
        return httpx.Response(201, json=simple({"id": "1"}))

    def _ticket(self, request: httpx.Request, body: dict[str, Any]) -> httpx.Response:
        path, query = request.url.path, parse_qs(request.url.query.decode())
        if self.is_write(request):
            return self._made(body)
        asked = path.split("/")[5]
        if query.get("idProperty") == ["afterword_case"]:
            asked = next((one.id for one in self.kept.values() if one.external == asked), "")
        kept = self.kept.get(asked)
        if kept is None:
            return httpx.Response(404, json={"status": "error", "category": "OBJECT_NOT_FOUND"})
        if path.endswith("/associations/notes"):
            return httpx.Response(
                200, json={"results": [{"toObjectId": int(n["id"])} for n in self._notes(kept)]}
            )
        if request.method == "PATCH":
            kept.status = body["properties"]["hs_pipeline_stage"]
        return httpx.Response(200, json=self._shown(kept))

    def _made(self, body: dict[str, Any]) -> httpx.Response:
        properties = body["properties"]
        assert self.prepared
        if any(one.external == properties["afterword_case"] for one in self.kept.values()):
            return httpx.Response(400, json={"status": "error", "category": "VALIDATION_ERROR"})
        assert [link["types"][0]["associationTypeId"] for link in body["associations"]] == [16]
        made = self.add(
            properties["afterword_case"], properties["hs_pipeline_stage"], properties["content"], properties
        )
        return httpx.Response(201, json=self._shown(made))

    def _shown(self, kept: Kept) -> dict[str, Any]:
        return simple(
            {
                "id": kept.id,
                "properties": {"hs_pipeline": "0", "hs_pipeline_stage": kept.status},
            }
        )

    def _notes(self, kept: Kept) -> list[dict[str, Any]]:
        return [
            simple(
                {
                    "id": f"{kept.id}{n:03}",
                    "properties": {
                        "hs_note_body": said if said.count("<br>") else f"<div><p>{said}</p></div>",
                        "hs_created_by_user_id": str(AGENT),
                    },
                }
            )
            for n, (_, said) in enumerate(kept.said[1:])
        ]


STAGES = [
    {
        "id": "4",
        "label": "Closed",
        "displayOrder": 3,
        "metadata": {"ticketState": "CLOSED", "isClosed": "true"},
    },
    {
        "id": "2",
        "label": "Waiting",
        "displayOrder": 1,
        "metadata": {"ticketState": "OPEN", "isClosed": "false"},
    },
    {"id": "1", "label": "New", "displayOrder": 0, "metadata": {"ticketState": "OPEN", "isClosed": "false"}},
]


KNOWN: dict[str, dict[str, Any]] = {
    "/crm/v3/pipelines/tickets/0/stages": {"results": STAGES},
    "/account-info/v3/details": {"portalId": 77, "uiDomain": "help.test"},
    "/crm/v3/objects/contacts/ana@acme.test": {"id": "501", "properties": {"email": "ana@acme.test"}},
    "/crm/v3/owners/": {"id": "9", "firstName": "Sam", "lastName": "Agent"},
}


def simple(found: dict[str, Any]) -> dict[str, Any]:
    """An object of HubSpot's with what its own client insists on."""
    at = "2026-11-02T09:00:00.000Z"
    return {"properties": {}, "createdAt": at, "updatedAt": at, "archived": False, **found}


@dataclass
class SalesforceDesk(Desk):
    """https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/.

    Attributes:
        token: what it accepts; any while nobody has signed in.
        given: how many it has given.
    """

    token: str = ""
    given: int = 0

    @property
    @override
    def solved(self) -> str:
        return "Closed"

    @override
    def key(self, number: int) -> str:
        return f"500Ab{number:010}AAA"

    @override
    def is_write(self, request: httpx.Request) -> bool:
        return request.method == "PATCH" and f"/Case/{FIELD}/" in request.url.path

    @override
    def answer(self, request: httpx.Request, body: dict[str, Any]) -> httpx.Response:
        path = request.url.path.rstrip("/")
        parts = path.split("/")
        if path == "/services/oauth2/token":
            return self._token(request)
        assert parts[1:3] == ["services", "data"], path
        if self.token and request.headers["authorization"] != f"Bearer {self.token}":
            return httpx.Response(401, json=[{"errorCode": "INVALID_SESSION_ID", "message": "expired"}])
        if parts[4] == "query":
            return self._query(parse_qs(request.url.query.decode())["q"][0])
        if parts[5:] == ["CaseComment"]:
            return self._commented(body)
        return self._upserted(parts[7], body) if self.is_write(request) else self._case(request, parts, body)

    def _commented(self, body: dict[str, Any]) -> httpx.Response:
        assert body["IsPublished"] is False
        assert len(body["CommentBody"].encode()) <= 4000
        self.kept[body["ParentId"]].said.append(("Afterword", body["CommentBody"]))
        return httpx.Response(201, json={"id": "00a000000000001", "success": True, "errors": []})

    def _case(self, request: httpx.Request, parts: list[str], body: dict[str, Any]) -> httpx.Response:
        asked = parts[6]
        if asked == FIELD:
            asked = next((one.id for one in self.kept.values() if one.external == parts[7]), "")
        kept = self.kept.get(asked)
        if kept is None:
            why = {"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}
            return httpx.Response(404, json=[why])
        if request.method == "PATCH":
            kept.status = body["Status"]
            return httpx.Response(204)
        return httpx.Response(200, json={"attributes": {"type": "Case"}, **self._shown(kept)})

    def _token(self, request: httpx.Request) -> httpx.Response:
        form = parse_qs(request.content.decode())
        basic = request.headers.get("authorization", "").removeprefix("Basic ")
        client, _, secret = b64decode(basic).decode().partition(":")
        given = (client or form["client_id"][0], secret or form["client_secret"][0])
        if form["grant_type"] != ["client_credentials"] or given != ("key", "secret"):
            return httpx.Response(400, json={"error": "invalid_client"})
        self.given += 1
        self.token = f"token-{self.given}"
        site = "https://help.my.salesforce.com"
        answer = {"access_token": self.token, "instance_url": site, "id": site, "token_type": "Bearer"}
        return httpx.Response(200, json=answer)

    def _upserted(self, external: str, body: dict[str, Any]) -> httpx.Response:
        found = next((one for one in self.kept.values() if one.external == external), None)
        assert FIELD not in body, "the field that is in the address must not be in the body"
        made = found or self.add(external, "New", body["Description"], body)
        answer = {"id": made.id, "success": True, "errors": [], "created": found is None}
        return httpx.Response(200 if found else 201, json=answer)

    def _query(self, asked: str) -> httpx.Response:
        if " FROM CaseStatus " in asked:
            found = [
                {"ApiName": "New", "IsClosed": False},
                {"ApiName": "Working", "IsClosed": False},
                {"ApiName": "Closed", "IsClosed": True},
            ]
        elif " FROM Contact " in asked:
            found = [{"Id": "003000000000001AAA"}]
        else:
            parent = re.search(r"ParentId = '(\w+)'", asked)
            assert parent is not None, asked
            found = self._comments(self.kept[parent[1]])[::-1]
        return httpx.Response(200, json={"totalSize": len(found), "done": True, "records": found})

    def _shown(self, kept: Kept) -> dict[str, Any]:
        return {"Id": kept.id, "IsClosed": kept.status == "Closed"}

    def _comments(self, kept: Kept) -> list[dict[str, Any]]:
        return [
            {"Id": f"00a{n:012}", "CommentBody": said, "CreatedBy": {"Name": by}}
            for n, (by, said) in enumerate(kept.said[1:])
        ]


FIELD = "AfterwordCase__c"


def text_of(html: str) -> str:
    """What a reader sees of simple HTML; markup that a customer could have written is refused."""
    assert not re.search(r"<(?!br>|a href=|/a>)", html), html
    return unescape(re.sub(r"<(?!br)[^>]+>", "", html).replace("<br>", "\n"))
