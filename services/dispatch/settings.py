"""Settings of the dispatch service, each with its environment variable."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """`AFTERWORD_DISPATCH_*`."""

    model_config = SettingsConfigDict(env_prefix="AFTERWORD_DISPATCH_", frozen=True, extra="ignore")

    smtp_host: str = Field(default="127.0.0.1", description="mail server that takes the surveys")
    smtp_port: int = Field(default=1025, description="its port")
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_tls: Literal["none", "starttls", "implicit"] = "none"
    smtp_connections: int = Field(default=8, ge=1, le=100, description="mails under way at once")
    smtp_seconds: float = Field(default=30.0, gt=0, description="time limit of one hand-over")
    smtp_helo: str = Field(default="localhost", description="name by which we greet the mail server")
    envelope_sender: str = Field(
        default="", description="address that gets the bounces; empty: the sender of each mail"
    )
    lanes: int = Field(default=2, ge=1, le=16, description="batches delivered side by side in this process")
