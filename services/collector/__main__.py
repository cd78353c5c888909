"""Runs the collector alone: `python -m services.collector`, configured by the environment."""

from services.collector.app import build
from services.collector.settings import Settings
from shared.runtime.main import run_alone

if __name__ == "__main__":
    run_alone("collector", Settings, build)
