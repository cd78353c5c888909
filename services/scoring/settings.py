"""Settings of scoring."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """Thresholds of response rates (R58), and how often gauges and `score.changed` are brought up to date."""

    model_config = SettingsConfigDict(env_prefix="AFTERWORD_SCORING_", frozen=True, extra="ignore")

    response_target: float = Field(default=0.5, gt=0, le=1, description="response rate to reach, as a share")
    response_floor: float = Field(default=0.2, ge=0, le=1, description="response rate that counts as decent")
    announce_seconds: float = Field(default=1.0, gt=0, description="machine seconds between score.changed")
    gauges_seconds: float = Field(default=5.0, gt=0, description="machine seconds between refreshed gauges")
