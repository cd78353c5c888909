"""YAML as operators write it, read with the line of every key, so that a complaint can say where."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import yaml

Location = tuple[str | int, ...]
Read = Callable[[yaml.Node], Any]
"""The value of a leaf."""
_DEEPEST = 30
_DIGITS = 40
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")


class UnreadableError(ValueError):
    """A file is not the YAML we take; `line` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: plain data, and the line of each of its parts."""

    data: Any
    lines: dict[Location, int] = field(default_factory=dict)

    def line(self, where: Location) -> int:
        """Line of a part, or of the nearest part around it."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)


class _Loader(yaml.CSafeLoader):
    """YAML 1.2's notion of booleans: `on`, `no` and `yes` are words, 12:30 is a time of day."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the library's own way
        first: [
            (tag, pattern)
            for tag, pattern in rules
            if tag.rsplit(":", 1)[-1] not in {"bool", "int", "timestamp"}
        ]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(f"^{_WHOLE.pattern}$"), list("-+0123456789")
)


def read_documents(text: str, *, plain: bool = False) -> list[Document]:
    """Read all documents of a file; empty ones are left out.

    Args:
        text: what stands in it.
        plain: all values are text, as words and numbers of a dictionary are.

    Raises:
        UnreadableError: It is no YAML, holds a key twice, an alias or a tag.
    """
    try:
        return [_document(node, plain=plain) for node in _nodes(text)]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UnreadableError(
            (mark.line + 1) if mark else 1, error.problem or "not readable as YAML"
        ) from error
    except yaml.YAMLError as error:
        raise UnreadableError(1, str(error)) from error


def _nodes(text: str) -> Iterator[yaml.Node]:
    loader = _Loader(text)
    try:
        depth = 0
        for event in yaml.parse(text, Loader=_Loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise UnreadableError(line, f"nested deeper than {_DEEPEST} levels")
            # An alias can make a small file explode, and hides where a value was written.
            if isinstance(event, yaml.AliasEvent):
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise UnreadableError(line, "aliases (*name) are not taken; write the value out")
        while loader.check_node():
            node = loader.get_node()
            if node is not None and node.tag != "tag:yaml.org,2002:null":
                yield node
    finally:
        loader.dispose()


def _document(node: yaml.Node, *, plain: bool) -> Document:
    document = Document(None)
    data = _build(node, (), document.lines, _text if plain else _scalar)
    return Document(data, document.lines)


def _build(node: yaml.Node, where: Location, lines: dict[Location, int], scalar: Read) -> Any:  # noqa: ANN401 - plain YAML data
    lines.setdefault(where, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, where, lines, scalar)
    if isinstance(node, yaml.SequenceNode):
        return [_build(child, (*where, index), lines, scalar) for index, child in enumerate(node.value)]
    return scalar(node)


def _mapping(
    node: yaml.MappingNode, where: Location, lines: dict[Location, int], scalar: Read
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise UnreadableError(line, "a key must be a plain word")
        key = str(key_node.value)
        if "\0" in key:
            raise UnreadableError(line, "a key holds the character NUL")
        if key in found:
            raise UnreadableError(line, f"the key {key!r} is there twice")
        lines[(*where, key)] = line
        found[key] = _build(value_node, (*where, key), lines, scalar)
    return found


def _scalar(node: yaml.Node) -> Any:  # noqa: ANN401 - plain YAML data
    kind = node.tag.rsplit(":", 1)[-1]
    match kind:
        case "null":
            return None
        case "bool":
            return node.value == "true"
        case "int" | "float":
            return _number(node)
        case "str":
            return _text(node)
        case _:
            raise UnreadableError(node.start_mark.line + 1, f"the tag {node.tag} is not taken")


def _text(node: yaml.Node) -> str:
    if "\0" in node.value:
        raise UnreadableError(node.start_mark.line + 1, "a text holds the character NUL")
    return str(node.value)


def _number(node: yaml.Node) -> int | float:
    """A number that others can read too; infinity, times of day and what is far too long are none."""
    text = str(node.value)
    with suppress(ValueError):
        number = int(text) if _WHOLE.fullmatch(text) else float(text)
        if len(text) <= _DIGITS and math.isfinite(number):
            return number
    shown = text if len(text) <= _DIGITS else f"{text[:_DIGITS]}…"
    raise UnreadableError(
        node.start_mark.line + 1, f"{shown} is no number that is taken; a text needs quotes"
    )
