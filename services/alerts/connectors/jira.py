"""Jira Service Management: an issue for each case, found again by a label of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from uuid import UUID

from services.alerts.domain.outside import Case, Comment, Note, Outside, marked
from shared.errors import SendError
from shared.partners.api import Api, lost, objects, text

_DONE = "done"
SUMMARY_CHARS = 255


class Jira:
    """Speaks with one site; `site` is its address as people open it.

    Args:
        project: Key of the project that cases go to.
        issue_type: Name of the type of its issues.
    """

    name = "jira"

    def __init__(self, api: Api, site: str, project: str, issue_type: str) -> None:
        self._api = api
        self._site = site.rstrip("/")
        self._project = project
        self._type = issue_type

    async def find(self, ticket_id: UUID) -> str | None:
        """See `Helpdesk.find`."""
        body = {
            "jql": f'labels = "{label(ticket_id)}" order by created',
            "fields": ["labels"],
            "maxResults": 5,
        }
        answer = await self._api.ask("POST", "/rest/api/3/search/jql", body)
        found = objects(answer, "issues")
        return text(found[0], "key") or None if found else None

    async def create(self, case: Case) -> str:
        """See `Helpdesk.create`."""
        fields = {
            "project": {"key": self._project},
            "issuetype": {"name": self._type},
            "summary": case.headline(SUMMARY_CHARS),
            "description": document(marked(case.body, case.ticket_id)),
            "labels": ["afterword", label(case.ticket_id)],
        }
        answer = await self._api.ask("POST", "/rest/api/3/issue", {"fields": fields})
        found = text(answer, "key")
        if not found:
            raise lost("issue")
        return found

    async def read(self, outside_id: str) -> Outside | None:
        """See `Helpdesk.read`."""
        answer = await self._api.ask("GET", f"{_at(outside_id)}?fields=status,comment", known=False)
        category = text(answer, "fields", "status", "statusCategory", "key")
        if not category:
            return None
        comments = tuple(
            Comment(text(one, "id"), words(one.get("body")), text(one, "author", "displayName"))
            for one in objects(answer, "fields", "comment", "comments")
        )
        return Outside(outside_id, f"{self._site}/browse/{outside_id}", category == _DONE, comments)

    async def comment(self, outside_id: str, note: Note) -> None:
        """See `Helpdesk.comment`."""
        internal = {"key": "sd.public.comment", "value": {"internal": True}}
        body = {"body": document(marked(note.text, note.key)), "properties": [internal]}
        await self._api.ask("POST", f"{_at(outside_id)}/comment", body)

    async def settle(self, outside_id: str, *, solved: bool) -> None:
        """See `Helpdesk.settle`; by whichever transition leads there.

        Raises:
            SendError: also when the workflow has no such transition, which no repetition helps.
        """
        answer = await self._api.ask("GET", f"{_at(outside_id)}/transitions")
        for one in objects(answer, "transitions"):
            if (text(one, "to", "statusCategory", "key") == _DONE) is solved:
                body = {"transition": {"id": text(one, "id")}}
                await self._api.ask("POST", f"{_at(outside_id)}/transitions", body)
                return
        raise SendError("the workflow has no transition for it", permanent=True)


def label(ticket_id: UUID) -> str:
    """The label of a case's issue."""
    return f"afterword-{ticket_id}"


def document(said: str) -> dict[str, Any]:
    """Plain text as an Atlassian document; a customer's words are never read as markup."""
    lines = [line for line in said.splitlines() if line.strip()]
    paragraphs = [{"type": "paragraph", "content": [{"type": "text", "text": line}]} for line in lines]
    return {"type": "doc", "version": 1, "content": paragraphs}


def words(node: object) -> str:
    """The text of an Atlassian document, a line for each block."""
    if not isinstance(node, Mapping):
        return ""
    if node.get("type") == "text":
        return str(node.get("text", ""))
    parts = (
        [words(child) for child in node.get("content", ())] if isinstance(node.get("content"), list) else []
    )
    return "\n".join(part for part in parts if part) if node.get("type") == "doc" else "".join(parts)


def _at(outside_id: str) -> str:
    return f"/rest/api/3/issue/{quote(outside_id, safe='')}"
