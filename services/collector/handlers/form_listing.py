"""What became of answers that were given in form tools, for those who look after them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.collector.domain.forms import FormsFile
from services.collector.store import forms as store
from shared.config.check import Complaint
from shared.db.database import Database


@dataclass(frozen=True, slots=True)
class ListedForm:
    """A form with its sums; `tool` and `programme` are empty once the file names it no more."""

    form: str
    tool: str = ""
    programme: str = ""
    answers: int = 0
    conflicts: int = 0
    refused: int = 0
    findings: int = 0
    last_received_at: datetime | None = None


class FormListing:
    """Reads forms, their sums, and what could not be used.

    Args:
        rules: what forms.yaml says now; None without the file.
        complaints: what is wrong with it now.
    """

    def __init__(
        self,
        db: Database,
        rules: Callable[[], FormsFile | None],
        complaints: Callable[[], Sequence[Complaint]],
    ) -> None:
        self._db = db
        self._rules = rules
        self.complaints = complaints

    async def forms(self) -> list[ListedForm]:
        """All forms by key: those of the file, and others by which something came.

        Raises:
            Unavailable: Postgres is away.
        """
        async with self._db.read() as conn:
            sums = await store.sums(conn)
        rules = self._rules()
        known = dict(rules.forms) if rules else {}
        found = []
        for key in sorted(known.keys() | sums.keys()):
            rule = known.get(key)
            tool, programme = (rule.tool.value, rule.programme) if rule else ("", "")
            found.append(
                ListedForm(**({"form": key, "tool": tool, "programme": programme} | sums.get(key, {})))
            )
        return found

    async def findings(self, form: str, after: int, limit: int, *, mended: bool) -> list[dict[str, Any]]:
        """What could not be used, in the order in which it was first found.

        Raises:
            Unavailable: Postgres is away.
        """
        async with self._db.read() as conn:
            return await store.findings(conn, form, after, limit, mended=mended)

    async def newest(self, form: str, limit: int) -> list[dict[str, Any]]:
        """What could not be used and is not mended, the last first.

        Raises:
            Unavailable: Postgres is away.
        """
        async with self._db.read() as conn:
            return await store.newest_findings(conn, form, limit)
