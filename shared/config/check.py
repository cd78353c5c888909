"""Checks a YAML file against its model; every complaint says where, why and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from shared.config.documents import Document, Location, UnreadableError, read_documents

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong at one place of a file."""

    line: int
    path: str
    reason: str
    what_to_do: str


@dataclass(frozen=True, slots=True)
class Checked(Generic[M]):
    """A file as its model, if it is one, and what is wrong with it."""

    value: M | None
    document: Document
    complaints: tuple[Complaint, ...] = ()

    def complain(self, where: Location, reason: str, what_to_do: str) -> Complaint:
        """Something that the model alone cannot see."""
        return Complaint(self.document.line(where), dotted(where), reason, what_to_do)


def check(text: str, model: type[M], *, begins: str, described: str) -> Checked[M]:
    """Read a file of one document.

    Args:
        text: what stands in it.
        model: what it must be.
        begins: the first line that is meant, for the advice.
        described: the page that describes it, for the advice.
    """
    try:
        documents = read_documents(text)
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
    for defect in error.errors(include_url=False):
        where = defect["loc"]
        reason, what_to_do = _words(where, defect, model, advice)
        yield Complaint(document.line(where), dotted(where), reason, what_to_do)


def _words(where: Location, defect: Any, model: type[BaseModel], advice: str) -> tuple[str, str]:  # noqa: ANN401 - pydantic's own mapping
    key = str(where[-1]) if where else ""
    match defect["type"]:
        case "extra_forbidden":
            return f"the key {key!r} is not known", _nearest(key, where, model)
        case "missing":
            return f"{key} is missing", "Write it."
        case "value_error":
            return str(defect["ctx"]["error"]), advice
        case _:
            return str(defect["msg"]), advice


def _nearest(key: str, where: Location, root: type[BaseModel]) -> str:
    """The key that was perhaps meant, among those that fit at that place."""
    model: type[BaseModel] | None = root
    for step in where[:-1]:
        if model is not None and isinstance(step, str) and step in model.model_fields:
            model = _model(model.model_fields[step].annotation)
    known = [field.alias or name for name, field in model.model_fields.items()] if model is not None else []
    close = difflib.get_close_matches(key, known, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Known here: {', '.join(known)}."


def _model(annotation: object) -> type[BaseModel] | None:
    """The model inside of an annotation such as `tuple[Model, ...]` or `Model | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model(inner))), None)
