"""Runs alerts alone: `python -m services.alerts`."""

from services.alerts.app import build
from services.alerts.settings import Settings
from shared.runtime.main import run_alone

if __name__ == "__main__":
    run_alone("alerts", Settings, build)
