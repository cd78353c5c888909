"""Files as operators write them, read into programmes and groups, or into complaints with line and place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from functools import lru_cache

from pydantic import BaseModel, ValidationError

from services.trigger.domain.findings import Checked, Finding, GroupsRead, Severity, dotted
from services.trigger.domain.groups import Groups
from services.trigger.domain.programme import Programme, edition_of, resolve
from shared.config.documents import Document, Location, UnreadableError, read_documents


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
        return GroupsRead(name), list(_explain(name, documents[0], error, _keys(Groups)))
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
    known: Iterable[str] = (),
    prefix: Location = (),
) -> Iterator[Finding]:
    found = [
        (tuple(part for part in detail["loc"] if _real(part)), detail["type"], detail["msg"])
        for detail in error.errors(include_url=False, include_input=False)
    ]
    for index, (told, kind, message) in enumerate(found):
        # Of a choice's alternatives the one that says most is enough.
        others = [where for number, (where, _, _) in enumerate(found) if number != index]
        if kind in _VAGUE and any(where[: len(told)] == told for where in others):
            continue
        reason = message.removeprefix("Value error, ").rstrip(".") + "."
        own, reason = _place(told, reason, document)
        # What a variant changes stands there; what it leaves alone stands in the programme itself.
        where = (*prefix, *own) if (*prefix, *own[:1]) in document.lines else own
        match kind:
            case "extra_forbidden":
                reason, hint = f"unknown key {where[-1]!r}.", meant(str(where[-1]), known or _keys(Programme))
            case "missing":
                reason, hint = f"{where[-1]!r} is missing.", "Add it."
            case "string_pattern_mismatch":
                reason, hint = (
                    "no name as we take it.",
                    "Write lower-case letters, digits, - or _, a letter first.",
                )
            case "value_error":
                hint = "See docs/programmes.md."
            case _:
                hint = "Mend the value."
        yield Finding(Severity.ERROR, file, document.line(where), dotted(where), reason, hint)


def _place(own: Location, reason: str, document: Document) -> tuple[Location, str]:
    """Complaints about a whole part name the key they mean first."""
    head, _, rest = reason.partition(": ")
    named: Location = (*own, *(int(part) if part.isdigit() else part for part in head.split(".")))
    return (named, rest) if rest and named in document.lines else (own, reason)


_VAGUE = frozenset({"literal_error", "string_type", "too_short", "model_type", "dict_type"})


def _real(part: str | int) -> bool:
    """Pydantic names the tried alternative of a union in the path; readers know only their own keys."""
    return isinstance(part, int) or not (
        part == "str"
        or part[:1].isupper()
        or part.startswith(("literal[", "list[", "function-", "constrained"))
    )


def meant(name: str, known: Iterable[str]) -> str:
    """What somebody may have meant by a name that is not known."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Known are: {', '.join(sorted(known))}."


@lru_cache(maxsize=2)
def _keys(model: type[BaseModel]) -> tuple[str, ...]:
    """Every key that a model takes anywhere."""
    schema = model.model_json_schema(by_alias=True)
    parts = [schema, *schema.get("$defs", {}).values()]
    return tuple(sorted({name for part in parts for name in part.get("properties", {})}))
