"""Settings of trigger, read once from `AFTERWORD_TRIGGER_*`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """Where programmes are, what webhooks are signed with, and the organisation until somebody edits it."""

    model_config = SettingsConfigDict(env_prefix="AFTERWORD_TRIGGER_", frozen=True, extra="ignore")

    programmes_dir: Path = Field(default=Path("programmes"), description="folder of programme files")
    webhook_secrets: SecretStr = Field(
        default=SecretStr(""),
        description="secrets of /webhooks/generic, whsec_..., several separated by commas",
    )
    zendesk_secrets: SecretStr = Field(
        default=SecretStr(""), description="signing secrets of /webhooks/zendesk, several separated by commas"
    )
    organisation_name: str = Field(default="Your company", description="until it is set on the settings page")
    organisation_zone: str = Field(default="UTC", description="zone of people whose own is unknown")
    sender_name: str = Field(default="Your customer team", description="who signs the mails")
    sender_email: str = Field(default="feedback@example.com", description="address that the mails come from")
    own_domains: str = Field(default="", description="domains of our own people, never asked; commas")
    poll_seconds: float = Field(default=0.5, gt=0, description="pause of the due loops when nothing is due")

    def secrets(self, text: SecretStr) -> tuple[str, ...]:
        """The parts of a list of secrets."""
        return tuple(part.strip() for part in text.get_secret_value().split(",") if part.strip())
