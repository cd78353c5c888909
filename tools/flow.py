"""Who sends and who reads which event, read off the code of the services.

A service reads an event whose type it names, as a model's `TYPE` or as text, and sends one whose payload it
builds. Both are read from the syntax tree, so nothing has to be started for it. What no code names is drawn
nowhere: picture and tables promise no more than there is.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shared.contracts.model import Payload
from shared.contracts.registry import PAYLOADS
from shared.contracts.tickets import TICKETS
from shared.contracts.topics import Topic
from shared.contracts.touchpoints import Touchpoint

ROOT = Path(__file__).parents[1]
SERVICES = ("trigger", "dispatch", "collector", "scoring", "alerts")
EVENTS: tuple[type[Payload], ...] = (Touchpoint, *PAYLOADS)
BY_NAME = {model.__name__: model for model in EVENTS}
LISTED = {"TICKET_TYPES": tuple(model.__name__ for model in TICKETS)}
"""The types that the contracts themselves list under one name."""
BY_TYPE = {model.TYPE: model.__name__ for model in PAYLOADS}

_TESTS = {"isinstance", "issubclass", "cast"}
_NAMED = re.compile("|".join(map(re.escape, (*BY_NAME, *BY_TYPE, *LISTED, Topic.TOUCHPOINTS.name))))
"""A module that matches nowhere names no event."""


@dataclass(frozen=True, slots=True)
class Part:
    """One service: the events it reads and sends, by their models' names."""

    service: str
    reads: frozenset[str]
    sends: frozenset[str]

    def topics(self, names: frozenset[str]) -> list[Topic]:
        """Return the topics of these events, in the order of the contracts."""
        found = {BY_NAME[name].TOPIC for name in names}
        return [topic for topic in Topic if topic in found]


def parts() -> tuple[Part, ...]:
    """Return the five services with what they read and send."""
    return tuple(part_of(service) for service in SERVICES)


def readers(model: type[Payload]) -> list[str]:
    """Return the services that read an event."""
    return [part.service for part in parts() if model.__name__ in part.reads]


def senders(model: type[Payload]) -> list[str]:
    """Return the services that send an event."""
    return [part.service for part in parts() if model.__name__ in part.sends]


@cache
def part_of(service: str) -> Part:
    """Return one service with what it reads and sends."""
    reads: set[str] = set()
    sends: set[str] = set()
    for path in sorted((ROOT / "services" / service).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if not _NAMED.search(text):
            continue
        for node in ast.walk(ast.parse(text)):
            reads.update(_read(node))
            sends.update(_sent(node))
    return Part(service, frozenset(reads), frozenset(sends))


def _read(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Attribute(attr="TYPE", value=value) if (name := _last(value)) in BY_NAME:
            yield name
        # The types of several models listed together.
        case ast.GeneratorExp(elt=ast.Attribute(attr="TYPE"), generators=[ast.comprehension(iter=listed)]):
            yield from _models(ast.walk(listed))
        case ast.Name(id=name) if name in LISTED:
            yield from LISTED[name]
        # Touchpoints are open: their reader names the topic, not a type.
        case ast.Attribute(attr="TOUCHPOINTS", value=ast.Name(id="Topic")):
            yield Touchpoint.__name__
        case ast.Constant(value=str(text)) if text in BY_TYPE:
            yield BY_TYPE[text]
        case _:
            pass


def _sent(node: ast.AST) -> Iterator[str]:
    match node:
        # Built here, or by a function or table that is told the model.
        case ast.Call(func=function, args=arguments) if _last(function) not in _TESTS:
            yield from _models([function, *arguments])
        case ast.Dict(values=values):
            yield from _models(values)
        case _:
            pass


def _models(nodes: Iterable[ast.AST]) -> Iterator[str]:
    named = (_last(node) for node in nodes if isinstance(node, ast.expr))
    return (name for name in named if name in BY_NAME)


def _last(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""
