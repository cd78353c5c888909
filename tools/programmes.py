"""JSON Schemas for editors (programmes, groups.yaml, alerts.yaml, forms.yaml), and of a backtest's report."""

import json
from pathlib import Path

from pydantic import BaseModel

from services.alerts.domain.teams import Roster
from services.collector.domain.forms import FormsFile
from services.trigger.domain.backtest.report import BacktestReport
from services.trigger.domain.groups import Groups
from services.trigger.domain.programme import Programme

FOLDER = Path("schemas")


def schemas() -> dict[Path, str]:
    """Return each schema by its file."""
    return {
        FOLDER / "programme.schema.json": _schema(Programme, "A programme; a file holds one or several."),
        FOLDER / "groups.schema.json": _schema(Groups, "Groups of programmes with objective and goal."),
        FOLDER / "alerts.schema.json": _schema(Roster, "alerts.yaml: teams, their rotas, and routes."),
        FOLDER / "forms.schema.json": _schema(FormsFile, "forms.yaml: what answers of form tools mean."),
        FOLDER / "backtest.schema.json": _schema(BacktestReport, "What afterword backtest --json writes."),
    }


def _schema(model: type[BaseModel], meaning: str) -> str:
    made = model.model_json_schema(by_alias=True)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "description": meaning}
    return json.dumps({**made, **head}, indent=2, ensure_ascii=False) + "\n"
