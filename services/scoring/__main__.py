"""Runs scoring alone: `python -m services.scoring`, configured by the environment (`docs/running.md`)."""

from services.scoring.app import build
from services.scoring.settings import Settings
from shared.runtime.main import run_alone

if __name__ == "__main__":
    run_alone("scoring", Settings, build)
