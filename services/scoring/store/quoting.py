"""Whose words may be shown to everybody: asked of the answer as it stands now, never remembered."""

from __future__ import annotations

from shared.contracts.forms import Permission

QUOTABLE = f"""(
    f.version = c.version
    and coalesce((f.answer -> 'permissions')::jsonb ? '{Permission.QUOTE.value}', false)
)"""
"""Of comment `c` and its fact `f`: the newest version of the answer, whose words these are, allows it."""
