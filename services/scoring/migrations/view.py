"""What a view for tools that only read is made of, with the words that document it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

SCHEMA = "afterword_bi"


class View(NamedTuple):
    """One view: what a row is, its columns (name, SQL, meaning) and where they come from."""

    name: str
    row: str
    columns: Sequence[tuple[str, str, str]]
    source: str

    @property
    def ddl(self) -> str:
        """The statement that makes it."""
        columns = ",\n    ".join(f"{sql} as {name}" for name, sql, _ in self.columns)
        return f"create view {SCHEMA}.{self.name} as select\n    {columns}\n{self.source}"

    @property
    def comments(self) -> Sequence[str]:
        """Statements that write its documentation into the database."""
        view = f"{SCHEMA}.{self.name}"
        return [
            f"comment on view {view} is '{self.row}'",
            *(f"comment on column {view}.{name} is '{meaning}'" for name, _, meaning in self.columns),
        ]
