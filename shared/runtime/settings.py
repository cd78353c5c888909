"""Settings come from the environment once, at start; a missing or wrong one stops the start and is named."""

import socket
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Base of each service's own settings; the subclass sets `env_prefix="AFTERWORD_<NAME>_"`."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_nested_delimiter="__")


class PlatformSettings(ServiceSettings):
    """What every process needs: where Postgres and Kafka are, the secrets, the address people see."""

    model_config = SettingsConfigDict(env_prefix="AFTERWORD_", frozen=True, extra="ignore")

    database_url: str = Field(description="postgresql://host:port/name; the service's role is added")
    database_password: SecretStr = Field(description="password of the service roles")
    kafka_bootstrap: str = Field(description="host:port of Kafka brokers, comma separated")
    kafka_security_protocol: str = Field(default="PLAINTEXT", description="PLAINTEXT, SSL, SASL_SSL …")
    kafka_sasl_mechanism: str = "PLAIN"
    kafka_username: str = ""
    kafka_password: SecretStr = SecretStr("")
    master_keys: SecretStr = Field(description="kid:base64 keys that wrap data keys, newest first, commas")
    token_keys: SecretStr = Field(description="kid:base64 keys that sign links, newest first, commas")
    blind_secret: SecretStr = Field(description="base64 secret of look-up hashes; never changed")
    public_url: str = Field(default="http://127.0.0.1:8000", description="address as people reach the pages")
    host: str = Field(default="127.0.0.1", description="address to listen on; 0.0.0.0 in a container")
    port: int = Field(default=8000, description="port to listen on")
    drain_seconds: float = Field(
        default=3.0,
        ge=0,
        le=5,
        description="how long a stopping process still answers, already unready, so that gateways turn away",
    )
    streams: int = Field(
        default=200, ge=0, description="most streams of Server-Sent Events of this process at once; 0: none"
    )
    trusted_proxies: str = Field(default="127.0.0.1", description="gateways whose forwarded address counts")
    instance: str = Field(default_factory=socket.gethostname, description="lasting name of this replica")
    dictionary: Path | None = Field(
        default=None,
        description="YAML: themes and feelings to look for in open answers; None: those that ship",
    )
    log_level: str = "info"
    failpoint: str = Field(default="", description="testing only: failpoints to arm")
    data_dir: Path = Path(".afterword")


def explain(error: ValidationError, prefix: str = "AFTERWORD_") -> str:
    """Name every missing or wrong setting with its environment variable, without its value."""
    lines = ["Settings are missing or wrong:"]
    for defect in error.errors(include_input=False):
        name = "__".join(map(str, defect["loc"])).upper()
        lines.append(f"{prefix}{name}: {defect['msg']}")
    return "\n".join(lines)
