"""Checks a YAML file against its model; every complaint says where, why and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.config.documents import Document, Location, UnreadableError, read_documents
from shared.config.wording import keys_at, meant, misspelt, telling, unfit

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong at one place of a file."""

    line: int
    path: str
    reason: str
    what_to_do: str

    def at(self, file: Path) -> str:
        """As one line that begins with the place, as compilers write it."""
        path = f"{self.path}: " if self.path else ""
        return f"{file}:{self.line}: {path}{self.reason}. {self.what_to_do}"


@dataclass(frozen=True, slots=True)
class Checked(Generic[M]):
    """A file as its model, if it is one, and what is wrong with it."""

    value: M | None
    document: Document
    complaints: tuple[Complaint, ...] = ()

    def complain(self, where: Location, reason: str, what_to_do: str) -> Complaint:
        """Something that the model alone cannot see."""
        return Complaint(self.document.line(where), dotted(where), reason, what_to_do)


def check(text: str, model: type[M], *, begins: str, described: str, plain: bool = False) -> Checked[M]:
    """Read a file of one document.

    Args:
        text: what stands in it.
        model: what it must be.
        begins: the first line that is meant, for the advice.
        described: the page that describes it, for the advice.
        plain: all its values are read as text.
    """
    try:
        documents = read_documents(text, plain=plain)
    except UnreadableError as error:
        return Checked(None, Document(None), (Complaint(error.line, "", error.reason, "Mend the YAML."),))
    if len(documents) != 1:
        reason = "the file is empty" if not documents else "there is more than one document"
        advice = f"Write one document that begins with `{begins}`."
        return Checked(None, Document(None), (Complaint(1, "", reason, advice),))
    try:
        return Checked(model.model_validate(documents[0].data), documents[0])
    except ValidationError as error:
        found = tuple(_complaints(documents[0], error, model, f"Mend it as {described} shows."))
        return Checked(None, documents[0], found)


def dotted(where: Location) -> str:
    """A place as it is shown: `teams.emea.rota[0].people`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in where)
    return text.removeprefix(".")


def _complaints(
    document: Document, error: ValidationError, model: type[BaseModel], advice: str
) -> Iterator[Complaint]:
    for where, details in telling(error.errors(include_url=False)):
        reason, what_to_do = _words(where, details, model, advice)
        yield Complaint(document.line(where), dotted(where), reason, what_to_do)


def _words(
    where: Location, details: Sequence[ErrorDetails], model: type[BaseModel], advice: str
) -> tuple[str, str]:
    key, defect = str(where[-1]) if where else "", details[0]
    match defect["type"]:
        case "extra_forbidden":
            known = keys_at(model.model_json_schema(by_alias=True), where[:-1])
            return f"the key {key!r} is not known", meant(key, known)
        case "missing":
            return f"{key} is missing", "Write it."
        case "value_error":
            return str(defect["ctx"]["error"]), advice
        case "string_pattern_mismatch":
            reason, spelled = misspelt(defect)
            return reason, spelled or advice
        case _:
            return unfit(details) or (str(defect["msg"]), advice)
