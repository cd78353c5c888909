"""`afterword sources check`: is the file fit to run? Every complaint says where, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from services.trigger.domain.documents import Document, Location, UnreadableError, read_documents
from services.trigger.domain.findings import Finding, Severity
from services.trigger.sources.definition import Sources


def read_sources(name: str, text: str) -> tuple[Sources | None, list[Finding]]:
    """The sources of a file, or what is wrong with it."""
    try:
        documents = read_documents(text)
    except UnreadableError as error:
        return None, [_finding(name, error.line, "", error.reason, "Mend the YAML.")]
    if len(documents) != 1:
        reason = "the file is empty" if not documents else "there is more than one document"
        return None, [_finding(name, 1, "", reason, "Write one document that begins with `sources:`.")]
    try:
        return Sources.model_validate(documents[0].data), []
    except ValidationError as error:
        return None, list(_complaints(name, documents[0], error))


def _complaints(name: str, document: Document, error: ValidationError) -> Iterator[Finding]:
    for defect in error.errors(include_url=False):
        where = defect["loc"]
        reason, what_to_do = _words(where, defect)
        yield _finding(name, document.line(where), _dotted(where), reason, what_to_do)


def _words(where: Location, defect: Any) -> tuple[str, str]:  # noqa: ANN401 - pydantic's own mapping
    key = str(where[-1]) if where else ""
    match defect["type"]:
        case "extra_forbidden":
            return f"the key {key!r} is not known", _nearest(key, where)
        case "missing":
            return f"{key} is missing", "Write it."
        case "value_error":
            return str(defect["ctx"]["error"]), "Mend it as docs/sources.md shows."
        case _:
            return str(defect["msg"]), "Mend it as docs/sources.md shows."


def _nearest(key: str, where: Location) -> str:
    """The key that was perhaps meant, among those that fit at that place."""
    model: type[BaseModel] | None = Sources
    for step in where[:-1]:
        if model is not None and isinstance(step, str):
            model = _model(model.model_fields[step].annotation) if step in model.model_fields else None
    known = list(model.model_fields) if model is not None else []
    close = difflib.get_close_matches(key, known, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Known here: {', '.join(known)}."


def _model(annotation: object) -> type[BaseModel] | None:
    """The model inside of an annotation such as `tuple[Model, ...]` or `Model | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for inner in get_args(annotation) if (found := _model(inner))), None)


def _finding(name: str, line: int, path: str, reason: str, what_to_do: str) -> Finding:
    return Finding(Severity.ERROR, name, line, path, reason, what_to_do)


def _dotted(where: Location) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in where)
    return text.removeprefix(".")
