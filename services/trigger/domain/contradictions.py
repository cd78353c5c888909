"""Programmes that contradict each other: which of them is meant? None of their files changes what runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from services.trigger.domain.findings import Checked, Finding, GroupsRead
from services.trigger.domain.when import HoldRule
from shared.config.wording import meant


def contradictions(programmes: Sequence[Checked], groups: GroupsRead) -> Iterator[Finding]:
    """Everything that is right by itself and wrong beside what else is there."""
    yield from _same_key(programmes)
    yield from _same_holds(programmes)
    yield from _groups(programmes, groups)


def _same_key(programmes: Sequence[Checked]) -> Iterator[Finding]:
    """One key twice."""
    by_key: dict[str, list[Checked]] = {}
    for checked in programmes:
        by_key.setdefault(checked.edition.key, []).append(checked)
    for key, found in by_key.items():
        for checked in found:
            other = next((one for one in found if one is not checked), None)
            if other:
                line = other.document.line(("key",))
                reason = f"the key {key!r} is also in {other.file}, line {line}."
                yield checked.error(("key",), reason, "Give each programme its own key.")


def _groups(programmes: Sequence[Checked], read: GroupsRead) -> Iterator[Finding]:
    """Programmes of a group that is not described, when groups are."""
    for checked in programmes:
        name = checked.edition.programme.group
        if read.file and read.groups and name and name not in read.groups:
            yield checked.error(("group",), f"{read.file} has no group {name!r}.", meant(name, read.groups))


def _same_holds(programmes: Sequence[Checked]) -> Iterator[Finding]:
    """One name of a hold with different events: which of them would count?"""
    by_name: dict[str, list[tuple[HoldRule, Checked]]] = {}
    for checked in programmes:
        for rule in checked.edition.programme.when.own_holds:
            by_name.setdefault(rule.name, []).append((rule, checked))
    for name, found in by_name.items():
        for rule, checked in found:
            other = next((one for known, one in found if known != rule), None)
            if other:
                reason = f"the hold {name!r} has other events in {other.edition.key!r}."
                hint = "Give it another name, or the same events."
                yield checked.error(("when", "hold_while"), reason, hint)
