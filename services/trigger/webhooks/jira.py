"""Jira Service Management: `jira:issue_updated`.

A resolution that is set, or a status that means done, is `support_ticket.resolved`; one that is taken back is
`support_ticket.reopened`. The reporter's address is often hidden; then only the account id is known.
"""

from __future__ import annotations

from services.trigger.domain.reports import Gap, Named, Report, digest_of
from services.trigger.webhooks.body import MAX_ID, Node, read_object, touchpoint_of
from services.trigger.webhooks.contract import Ignored, Options, Provider, Reading
from services.trigger.webhooks.tickets import REOPENED, RESOLVED
from shared.contracts.touchpoints import Subject, TouchpointContact
from shared.security import schemes
from shared.security.schemes import Call
from shared.security.signatures import Signed, mac_hex

SOURCE = "/webhooks/jira"
UPDATED = "jira:issue_updated"


def read(call: Call, _signed: Signed, options: Options) -> Reading:
    """The touchpoint of an update.

    Raises:
        BadBodyError: It is none, or names nobody.
    """
    found = read_object(call.body)
    if found.at("webhookEvent").need() != UPDATED:
        return Ignored("only updates of issues are of interest")
    kind = _kind(found.at("changelog", "items").items(), options.jira_done)
    if kind is None:
        return Ignored("the issue was neither resolved nor reopened")
    issue = found.at("issue")
    person, gap = _reporter(issue.at("fields", "reporter"))
    touchpoint = touchpoint_of(
        issue,
        {
            "occurred_at": found.at("timestamp").seconds(0.001),
            "contact": person,
            "subject": Subject(kind="ticket", id=issue.at("key").text(MAX_ID) or issue.at("id").need()),
        },
    )
    change = found.at("changelog", "id").text(MAX_ID) or call.header("X-Atlassian-Webhook-Identifier")
    if not change:
        raise found.at("changelog", "id").wrong("missing, and no X-Atlassian-Webhook-Identifier")
    event_id = f"{issue.at('id').need()}/{change}"[:MAX_ID]
    return (Report(event_id, digest_of(found.value), SOURCE, event_id, kind, touchpoint, gap),)


def _kind(changes: list[Node], done: frozenset[str]) -> str | None:
    """What the changes of one update come to; solved wins over taken back."""
    kinds = {_one(change, done) for change in changes} - {None}
    return RESOLVED if RESOLVED in kinds else next(iter(kinds), None)


def _one(change: Node, done: frozenset[str]) -> str | None:
    before, after = change.at("fromString").text().lower(), change.at("toString").text().lower()
    match change.at("field").text():
        case "resolution":
            return RESOLVED if after else REOPENED
        case "status" if (before in done) != (after in done):
            return RESOLVED if after in done else REOPENED
        case _:
            return None


def _reporter(reporter: Node) -> tuple[TouchpointContact, Gap | None]:
    own, email = f"jira:{reporter.at('accountId').need()}", reporter.at("emailAddress").text()
    if not email:
        return TouchpointContact(id=own, role="requester"), Gap("jira", Named.CONTACT, own)
    name = reporter.at("displayName").text()
    return TouchpointContact(id=own, email=email, name=name, role="requester"), None


PROVIDER = Provider("jira", schemes.over_body("X-Hub-Signature", mac_hex, "sha256="), read)
