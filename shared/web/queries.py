"""What an address asks for is what is understood, or it is refused: a name that is misspelt filters nothing.

For programs alone. Addresses of pages travel through mails and campaigns that add parameters of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel

from shared.wrong import nearest

OF_PROGRAMS = "/v1/"
_LONGEST = 60


def refuse_unknown(request: Request) -> None:
    """Hold the parameters of a program's request against those that its route has.

    Raises:
        RequestValidationError: Some are of no use to it; each is named, with the nearest that is.
    """
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute) or not route.path.startswith(OF_PROGRAMS):
        return
    known = sorted(set(parameters_of(route.dependant)))
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if unknown:
        raise RequestValidationError([_finding(name, known) for name in unknown])


def _finding(name: str, known: list[str]) -> dict[str, object]:
    """What is said of a parameter that is not known."""
    shown = "".join(char for char in name if char.isprintable())[:_LONGEST]
    if close := nearest(name, known):
        hint = f"did you mean {close}?"
    elif known:
        hint = f"there are {', '.join(known)}"
    else:
        hint = "there are none here"
    return {"type": "unknown_parameter", "loc": ("query", shown), "msg": f"no such parameter; {hint}"}


def parameters_of(dependant: Dependant) -> Iterator[str]:
    """Names of the parameters that a route, or what it depends on, reads."""
    for field in dependant.query_params:
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            for name, inside in model.model_fields.items():
                yield inside.alias or name
        else:
            yield field.alias
    for one in dependant.dependencies:
        yield from parameters_of(one)
