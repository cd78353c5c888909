"""Files as operators write them, read into programmes and groups, or into complaints with line and place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from services.trigger.domain.findings import Checked, Finding, GroupsRead, Severity, dotted
from services.trigger.domain.groups import Groups
from services.trigger.domain.parts import PATTERNS
from services.trigger.domain.programme import Programme, edition_of, resolve
from shared.config.documents import Document, Location, UnreadableError, read_documents
from shared.config.wording import keys_at, meant, telling, unfit


def read_file(name: str, text: str) -> tuple[list[Checked], list[Finding]]:
    """Read all programmes of one file."""
    try:
        documents = read_documents(text)
    except UnreadableError as error:
        reason, hint = f"{error.reason}.", "Mend the YAML at this line."
        return [], [Finding(Severity.ERROR, name, error.line, "", reason, hint)]
    read: list[Checked] = []
    findings: list[Finding] = []
    for document in documents:
        if not isinstance(document.data, dict):
            reason, hint = "a programme is a mapping of keys.", "Begin with key: and a name."
            findings.append(Finding(Severity.ERROR, name, document.line(()), "", reason, hint))
            continue
        complaints = list(_broken_variants(name, document))
        try:
            if not complaints:
                resolved = resolve(document.data)
                read.append(Checked(edition_of(resolved), resolved, name, document))
        except ValidationError as error:
            complaints = list(_explain(name, document, error))
        findings += complaints
    return read, findings


def read_groups(name: str, text: str) -> tuple[GroupsRead, list[Finding]]:
    """Read a file of groups."""
    try:
        documents = read_documents(text)
    except UnreadableError as error:
        reason, hint = f"{error.reason}.", "Mend the YAML at this line."
        return GroupsRead(name), [Finding(Severity.ERROR, name, error.line, "", reason, hint)]
    if len(documents) != 1 or not isinstance(documents[0].data, dict):
        reason, hint = "a file of groups is one mapping.", "Begin with groups: and list each under its key."
        return GroupsRead(name), [Finding(Severity.ERROR, name, 1, "", reason, hint)]
    try:
        groups = Groups.model_validate(documents[0].data).groups
    except ValidationError as error:
        return GroupsRead(name), list(_explain(name, documents[0], error, Groups))
    return GroupsRead(name, groups, documents[0].data["groups"]), []


def _broken_variants(file: str, document: Document) -> Iterator[Finding]:
    """Complaints about variants, each of which must be a whole programme with what it changes (R19, R20)."""
    variants, active = document.data.get("variants"), document.data.get("variant", "")
    if variants is None and not active:
        return
    known = list(variants) if isinstance(variants, dict) else []
    if active and active not in known:
        reason = f"there is no variant {active!r}."
        where: Location = ("variant",)
        hint = f"Write one of {', '.join(known)}." if known else "List it under variants."
        yield Finding(Severity.ERROR, file, document.line(where), dotted(where), reason, hint)
        return
    for name in known:
        prefix: Location = ("variants", name)
        if not isinstance(variants[name], dict):
            reason, hint = "a variant is a mapping of what it changes.", "Write the keys it changes."
            yield Finding(Severity.ERROR, file, document.line(prefix), dotted(prefix), reason, hint)
            continue
        try:
            edition_of(resolve(document.data, name))
        except ValidationError as error:
            yield from _explain(file, document, error, prefix=prefix)


def _explain(
    file: str,
    document: Document,
    error: ValidationError,
    model: type[BaseModel] = Programme,
    prefix: Location = (),
) -> Iterator[Finding]:
    for told, details in telling(error.errors(include_url=False)):
        own, reason, hint = _words(told, details, document, model)
        # What a variant changes stands there; what it leaves alone stands in the programme itself.
        where = (*prefix, *own) if (*prefix, *own[:1]) in document.lines else own
        yield Finding(Severity.ERROR, file, document.line(where), dotted(where), reason, hint)


def _words(
    told: Location, details: Sequence[ErrorDetails], document: Document, model: type[BaseModel]
) -> tuple[Location, str, str]:
    """Place, reason and advice of complaints about one place."""
    detail = details[0]
    if detail["type"] == "extra_forbidden":
        advice = meant(str(told[-1]), keys_at(_schema(model), told[:-1]))
        return told, f"unknown key {told[-1]!r}.", advice
    if detail["type"] == "missing":
        return told, f"{told[-1]!r} is missing.", "Add it."
    if detail["type"] == "string_pattern_mismatch":
        what, hint = PATTERNS[detail["ctx"]["pattern"]]
        return told, f"{str(detail['input'])!r} is no {what}.", hint
    if wrong := unfit(details):
        return told, f"{wrong[0]}.", wrong[1]
    reason = detail["msg"].removeprefix("Value error, ").rstrip(".") + "."
    where, reason = _place(told, reason, document)
    return where, reason, "See docs/programmes.md."


def _place(own: Location, reason: str, document: Document) -> tuple[Location, str]:
    """Complaints about a whole part name the key they mean first."""
    head, _, rest = reason.partition(": ")
    named: Location = (*own, *(int(part) if part.isdigit() else part for part in head.split(".")))
    return (named, rest) if rest and named in document.lines else (own, reason)


@lru_cache(maxsize=2)
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(by_alias=True)
