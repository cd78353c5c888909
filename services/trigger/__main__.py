"""Runs trigger alone: `python -m services.trigger`, configured by the environment (`docs/running.md`)."""

from services.trigger.app import build
from services.trigger.settings import Settings
from shared.runtime.main import run_alone

if __name__ == "__main__":
    run_alone("trigger", Settings, build)
