"""Runs dispatch alone: `python -m services.dispatch`."""

from services.dispatch.app import build
from services.dispatch.settings import Settings
from shared.runtime.main import run_alone

if __name__ == "__main__":
    run_alone("dispatch", Settings, build)
