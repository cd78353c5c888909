"""The templates of trigger's pages."""

from __future__ import annotations

from pathlib import Path

from shared.web.templates import environment

ENVIRONMENT = environment(Path(__file__).parent)
