"""The page `/scores`: every programme's score with the doubt around it, and one programme in detail."""

from services.scoring.pages.routes import pages

__all__ = ["pages"]
