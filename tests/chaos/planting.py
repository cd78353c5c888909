"""A wrong that is planted into the end of the story, and the names by which the auditor must call it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from tests.chaos.evidence import Arrival, Evidence
from tests.chaos.journal import Actor, Answered, Deed, Operation, Outcome, Records

Spoil = Callable[[Evidence], Evidence]


@dataclass(frozen=True, slots=True)
class Plant:
    """One wrong.

    Attributes:
        name: what the auditor must call it.
        sql: statements that spoil the database.
        spoil: what spoils the other evidence.
        also: further names that follow from it by necessity.
    """

    name: str
    sql: tuple[str, ...] = ()
    spoil: Spoil | None = None
    also: tuple[str, ...] = ()


def survey(name: str) -> str:
    """SQL for the survey of somebody in the story."""
    return f"(select survey_id from trigger.asks where snapshot::json ->> 'subject_id' = 'order-{name}')"


def contact(name: str) -> str:
    """SQL for a contact of the story."""
    return f"(select contact_id from trigger.asks where snapshot::json ->> 'subject_id' = 'order-{name}')"


def plan(name: str) -> str:
    """SQL for a plan of the story."""
    return f"(select plan_id from trigger.asks where snapshot::json ->> 'subject_id' = 'order-{name}')"


def ticket(name: str) -> str:
    """SQL for the ticket that somebody's answer is in."""
    return f"(select ticket_id from alerts.voices where survey_id = {survey(name)})"


def copied(table: str, where: str, **changed: str) -> str:
    """SQL that adds a copy of one row with some columns changed to expressions."""
    pairs = ", ".join(f"'{column}', {value}" for column, value in changed.items())
    row = f"(jsonb_populate_record(t, jsonb_build_object({pairs}))).*"
    return f"insert into {table} overriding user value select {row} from {table} t where {where} limit 1"


def updated(table: str, change: str, **where: str) -> str:
    """SQL that changes the rows of which each of some columns is something."""
    return f"update {table} set {change} where " + " and ".join(
        f"{name} = {at}" for name, at in where.items()
    )


def free(table: str, *constraints: str) -> str:
    """SQL that takes constraints away."""
    drops = ", ".join(f"drop constraint {name}" for name in constraints)
    return f"alter table {table} {drops}"


def open_(table: str) -> str:
    """SQL that lets an append-only table be changed."""
    return f"alter table {table} disable trigger user"


def journalled(change: Callable[[Records], Records]) -> Spoil:
    """Spoil the journal of the outside world."""

    def spoil(evidence: Evidence) -> Evidence:
        assert evidence.journal is not None
        return replace(evidence, journal=change(evidence.journal))

    return spoil


def added(*deeds: Deed, outcome: Outcome = Outcome.OK, first: bool = False) -> Spoil:
    """More operations, after all others or before them."""

    def change(records: Records) -> Records:
        edge = records.operations[0 if first else -1]
        step = timedelta(seconds=-1 if first else 1)
        times = {
            "sent": edge.sent, "ended": edge.sent,
            "sent_machine": edge.sent_machine + step, "ended_machine": edge.sent_machine + step,
        }  # fmt: skip
        more = tuple(Operation(id=-1, deed=deed, outcome=outcome, **times) for deed in deeds)
        return replace(records, operations=(*records.operations, *more))

    return journalled(change)


def changed(match: Callable[[Operation[Any]], bool], **changes: Any) -> Spoil:
    """Some operations with other fields, of the operation or of the deed."""

    def one(operation: Operation[Any]) -> Operation[Any]:
        if not match(operation):
            return operation
        if "by" in changes:
            return replace(operation, deed=replace(operation.deed, **changes))
        return replace(operation, **changes)

    return journalled(lambda records: replace(records, operations=tuple(map(one, records.operations))))


def dropped(match: Callable[[Operation[Any]], bool]) -> Spoil:
    """Without some operations."""
    return journalled(
        lambda records: replace(records, operations=tuple(o for o in records.operations if not match(o)))
    )


def lone_answer(operation: Operation[Any]) -> bool:
    """The answer of somebody who answered once: Gus, of whose score there is no other."""
    return (
        isinstance(operation.deed, Answered)
        and operation.deed.by is Actor.PERSON
        and operation.deed.score == 3
    )


def _is_lone(deed: object) -> bool:
    return isinstance(deed, Answered) and deed.by is Actor.PERSON and deed.score == 3


def mailed(change: Callable[[list[Arrival]], list[Arrival]]) -> Spoil:
    """Spoil the mail sink's journal."""
    return lambda evidence: replace(evidence, mails=change(list(evidence.mails or ())))


def both(*spoils: Spoil) -> Spoil:
    """Several spoils together."""

    def spoil(evidence: Evidence) -> Evidence:
        for one in spoils:
            evidence = one(evidence)
        return evidence

    return spoil


def asks(mail: Arrival) -> bool:
    """Whether a mail is a survey's."""
    return b"List-Unsubscribe" in mail.content
