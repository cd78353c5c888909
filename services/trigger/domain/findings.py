"""What a check found: readable programmes and groups, and complaints, each with its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from services.trigger.domain.groups import Group
from services.trigger.domain.programme import Edition
from shared.config.documents import Document, Location

GROUPS_FILE = "groups.yaml"


class Severity(StrEnum):
    """An error keeps the file from being published; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One complaint about one place of one file."""

    severity: Severity
    file: str
    line: int
    path: str
    reason: str
    what_to_do: str

    @property
    def text(self) -> str:
        """One line for logs and terminals."""
        return f"{self.file}:{self.line}: {self.path or 'file'}: {self.reason} {self.what_to_do}"


@dataclass(frozen=True, slots=True)
class Checked:
    """One readable programme of a file and where it stands there."""

    edition: Edition
    definition: dict[str, Any]
    file: str
    document: Document

    def finding(self, severity: Severity, where: Location, reason: str, what_to_do: str) -> Finding:
        """A complaint about a place of this programme."""
        return Finding(severity, self.file, self.document.line(where), dotted(where), reason, what_to_do)

    def error(self, where: Location, reason: str, what_to_do: str) -> Finding:
        """A complaint that keeps it from being published."""
        return self.finding(Severity.ERROR, where, reason, what_to_do)

    def warning(self, where: Location, reason: str, what_to_do: str) -> Finding:
        """A complaint that leaves it running."""
        return self.finding(Severity.WARNING, where, reason, what_to_do)


@dataclass(frozen=True, slots=True)
class GroupsRead:
    """A file of groups; `definitions` as they were written."""

    file: str = ""
    groups: Mapping[str, Group] = field(default_factory=dict)
    definitions: Mapping[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """All programmes and groups of a folder that can be read, and all complaints."""

    programmes: tuple[Checked, ...]
    findings: tuple[Finding, ...]
    groups: GroupsRead = GroupsRead()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Complaints that keep a file from being published."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)

    def broken_files(self) -> frozenset[str]:
        """Files of which nothing is to be published."""
        return frozenset(finding.file for finding in self.errors)


def dotted(where: Location) -> str:
    """A place as it is shown."""
    return ".".join(map(str, where))
