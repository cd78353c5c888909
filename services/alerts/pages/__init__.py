"""The pages of those who take care."""

from services.alerts.pages.routes import router

__all__ = ["router"]
