"""Settings of the collector."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """How long answers settle, and how often links and addresses may come."""

    model_config = SettingsConfigDict(env_prefix="AFTERWORD_COLLECTOR_", frozen=True, extra="ignore")

    settling_seconds: float = Field(
        default=20, ge=0, description="business seconds from the first observation until an answer is judged"
    )
    unknown_hand_over_seconds: float = Field(
        default=900,
        ge=0,
        description="business seconds an answer waits for word that its invitation went out",
    )
    link_burst: float = Field(default=120, gt=0, description="requests that one link may make at once")
    link_per_second: float = Field(default=1, gt=0, description="further requests of one link")
    address_burst: float = Field(default=2000, gt=0, description="requests that one address may make at once")
    address_per_second: float = Field(default=200, gt=0, description="further requests of one address")
    settle_every_seconds: float = Field(
        default=0.5, gt=0, description="machine seconds between looks at the queue"
    )
    webhook_private: bool = Field(
        default=False,
        description="whether webhooks may go to addresses that are not public, and by plain http; for trials",
    )
    webhook_days: int = Field(default=30, ge=4, description="days that calls of webhooks are remembered")
    widget_secrets: SecretStr = Field(
        default=SecretStr(""),
        description="secrets by which your backend signs the widget's tokens, separated by commas",
    )
    forms_file: Path = Field(
        default=Path("forms.yaml"), description="what answers of form tools mean, if the file is there"
    )
    typeform_secrets: SecretStr = Field(
        default=SecretStr(""),
        description="secrets that Typeform signs with at /webhooks/typeform, separated by commas",
    )
    widget_origins: str = Field(
        default="", description="origins that may embed the widget, separated by commas: https://app.example"
    )
