"""Helpdesks as their documentation says they answer: each keeps what it is given."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx
from typing_extensions import override

from tests.support.pretended import Pretended


@dataclass
class Kept:
    """A case in a helpdesk."""

    id: str
    external: str
    status: str
    said: list[tuple[str, str]] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass
class Desk(Pretended):
    """A helpdesk of a test; to write is to make a case."""

    kept: dict[str, Kept] = field(default_factory=dict)

    def add(self, external: str, status: str, said: str, fields: dict[str, Any]) -> Kept:
        """Keep a new case."""
        made = Kept(self.key(len(self.kept) + 1), external, status, [("Afterword", said)], fields)
        self.kept[made.id] = made
        return made

    def key(self, number: int) -> str:
        """The id of the n-th case."""
        return str(number)

    def someone_writes(self, said: str, by: str = "Sam Agent") -> None:
        """Somebody there comments on the newest case."""
        self.newest.said.append((by, said))

    @property
    def newest(self) -> Kept:
        """The case that came last."""
        return list(self.kept.values())[-1]

    @property
    def solved(self) -> str:
        """The word for a solved case."""
        return "solved"


class ZendeskDesk(Desk):
    """https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/."""

    @override
    def is_write(self, request: httpx.Request) -> bool:
        return (request.method, request.url.path) == ("POST", "/api/v2/tickets.json")

    @override
    def answer(self, request: httpx.Request, body: dict[str, Any]) -> httpx.Response:
        path, query = request.url.path, parse_qs(request.url.query.decode())
        if path == "/api/v2/tickets.json" and request.method == "POST":
            ticket = body["ticket"]
            assert request.headers["idempotency-key"].endswith(ticket["external_id"])
            assert ticket["comment"]["public"] is False
            made = self.add(ticket["external_id"], "new", ticket["comment"]["body"], ticket)
            return httpx.Response(201, json={"ticket": self._shown(made)})
        if path == "/api/v2/tickets.json":
            wanted = query["external_id"][0]
            found = [self._shown(one) for one in self.kept.values() if one.external == wanted]
            return httpx.Response(200, json={"tickets": found, "count": len(found)})
        number = path.split("/")[4].removesuffix(".json")
        kept = self.kept.get(number)
        if kept is None:
            return httpx.Response(404, json={"error": "RecordNotFound"})
        if path.endswith("/comments.json"):
            return httpx.Response(200, json=self._comments(kept))
        if request.method == "PUT":
            ticket = body["ticket"]
            kept.status = ticket.get("status", kept.status)
            if "comment" in ticket:
                assert ticket["comment"]["public"] is False
                kept.said.append(("Afterword", ticket["comment"]["body"]))
        return httpx.Response(200, json={"ticket": self._shown(kept)})

    def _shown(self, kept: Kept) -> dict[str, Any]:
        return {"id": int(kept.id), "external_id": kept.external, "status": kept.status}

    def _comments(self, kept: Kept) -> dict[str, Any]:
        names = list(dict.fromkeys(by for by, _ in kept.said))
        listed = [
            {"id": 100 + n, "author_id": names.index(by), "plain_body": said, "public": False}
            for n, (by, said) in enumerate(kept.said)
        ]
        users = [{"id": n, "name": name} for n, name in enumerate(names)]
        return {"comments": listed[::-1], "users": users}


class JiraDesk(Desk):
    """https://developer.atlassian.com/cloud/jira/platform/rest/v3/."""

    @override
    def is_write(self, request: httpx.Request) -> bool:
        return (request.method, request.url.path) == ("POST", "/rest/api/3/issue")

    @property
    @override
    def solved(self) -> str:
        return "done"

    @override
    def key(self, number: int) -> str:
        return f"CARE-{number}"

    @override
    def answer(self, request: httpx.Request, body: dict[str, Any]) -> httpx.Response:
        path = request.url.path
        if path == "/rest/api/3/search/jql":
            wanted = re.search(r'labels = "afterword-([0-9a-f-]{36})"', body["jql"])
            assert wanted is not None
            found = [{"id": "1", "key": one.id} for one in self.kept.values() if one.external == wanted[1]]
            return httpx.Response(200, json={"issues": found, "isLast": True})
        if path == "/rest/api/3/issue":
            fields = body["fields"]
            assert fields["project"] == {"key": "CARE"}
            label = next(one for one in fields["labels"] if one.startswith("afterword-"))
            made = self.add(label.removeprefix("afterword-"), "new", _said(fields["description"]), fields)
            return httpx.Response(201, json={"id": "10000", "key": made.id})
        kept = self.kept.get(path.split("/")[5])
        if kept is None:
            return httpx.Response(404, json={"errorMessages": ["Issue does not exist"]})
        if path.endswith("/comment"):
            kept.said.append(("Afterword", _said(body["body"])))
            return httpx.Response(201, json={"id": "1"})
        if path.endswith("/transitions"):
            return self._transitions(request, kept, body)
        return httpx.Response(200, json=self._issue(kept))

    def _transitions(self, request: httpx.Request, kept: Kept, body: dict[str, Any]) -> httpx.Response:
        ways = {"11": "new", "21": "indeterminate", "31": "done"}
        if request.method == "POST":
            kept.status = ways[body["transition"]["id"]]
            return httpx.Response(204)
        listed = [{"id": key, "to": {"statusCategory": {"key": to}}} for key, to in ways.items()]
        return httpx.Response(200, json={"transitions": listed})

    def _issue(self, kept: Kept) -> dict[str, Any]:
        comments = [
            {"id": str(n), "author": {"displayName": by}, "body": _document(said)}
            for n, (by, said) in enumerate(kept.said[1:])
        ]
        status = {"name": kept.status, "statusCategory": {"key": kept.status}}
        return {"key": kept.id, "fields": {"status": status, "comment": {"comments": comments}}}


def _document(said: str) -> dict[str, Any]:
    lines = [
        {"type": "paragraph", "content": [{"type": "text", "text": line}]}
        for line in said.split("\n")
        if line
    ]
    return {"type": "doc", "version": 1, "content": lines}


def _said(document: dict[str, Any]) -> str:
    assert document["type"] == "doc"
    return "\n".join(part["text"] for block in document["content"] for part in block["content"])
