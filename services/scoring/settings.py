"""Settings of scoring."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings

HealthPart = Literal["nps", "csat", "ces", "tickets", "usage", "silence"]


class Settings(ServiceSettings):
    """Thresholds of response rates (R58), weights of health (R7), how often derived things are renewed."""

    model_config = SettingsConfigDict(env_prefix="AFTERWORD_SCORING_", frozen=True, extra="ignore")

    response_target: float = Field(default=0.5, gt=0, le=1, description="response rate to reach, as a share")
    response_floor: float = Field(default=0.2, ge=0, le=1, description="response rate that counts as decent")
    health_weights: dict[HealthPart, Annotated[float, Field(ge=0)]] = Field(
        default={},
        description="JSON: weight of each part of the health score, 0 or absent leaves it out; {}: the usual",
    )
    references: Path | None = Field(
        default=None, description="YAML: values of the industry and of competitors; None: the shipped ones"
    )
    reading_seconds: float = Field(
        default=2.0, gt=0, description="machine seconds between looks for open answers to read"
    )
    announce_seconds: float = Field(default=1.0, gt=0, description="machine seconds between score.changed")
    watch_seconds: float = Field(
        default=30.0, gt=0, description="machine seconds between looks whether a day of watching is due"
    )
    months_seconds: float = Field(
        default=60.0, gt=0, description="machine seconds between looks whether a month is over, to add it up"
    )
    clustering_seconds: float = Field(
        default=3600.0,
        gt=0,
        description="machine seconds between learning how alike colleagues answer, and who left after what",
    )
    digest_day: Literal[
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "off"
    ] = Field(default="monday", description="day of the weekly digest, on each reader's own calendar")
    digest_hour: int = Field(default=8, ge=0, le=23, description="its hour, on each reader's own clock")
    digest_seconds: float = Field(
        default=10.0, gt=0, description="machine seconds between looks whether a digest is due"
    )
    smtp_host: str = Field(default="", description="mail server for digests; empty: nobody gets one")
    smtp_port: int = Field(default=1025, description="its port")
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_tls: Literal["none", "starttls", "implicit"] = "none"
    mail_from: str = Field(default="Afterword <scores@afterword.localhost>", description="sender of digests")
    export_folder: Path | None = Field(
        default=None, description="folder into which tables are written by themselves; None: into none"
    )
    export_tables: list[str] = Field(
        default=["programmes", "rates", "trend", "themes", "goals", "fixes", "outcomes", "accounts"],
        description="JSON: tables to write; those with words or persons, or of one programme, cannot be",
    )
    export_format: Literal["csv", "ndjson", "parquet"] = Field(default="csv", description="of these files")
    export_day: Literal[
        "daily", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"
    ] = Field(default="monday", description="when they are written")
    export_hour: int = Field(default=5, ge=0, le=23, description="from which hour on, of UTC")
    export_period: Literal["7", "30", "90", "365", "quarter", "year", "all"] = Field(
        default="90", description="days that they tell of, up to the day before; all: all time"
    )
    export_seconds: float = Field(
        default=30.0, gt=0, description="machine seconds between looks whether files are due"
    )
    hubspot_url: str = Field(default="https://api.hubapi.com", description="where HubSpot's API is")
    hubspot_token: SecretStr = Field(
        default=SecretStr(""), description="token of a private app, to write scores to contacts and companies"
    )
    hubspot_company_key: str = Field(
        default="name",
        pattern=r"^[A-Za-z]\w*$",
        description="property of companies that holds the id of the account; name: its name is compared",
    )
    salesforce_url: str = Field(
        default="", description="https://<domain>.my.salesforce.com, to write scores there"
    )
    salesforce_client_id: str = Field(
        default="", description="consumer key of a connected app with the client credentials flow"
    )
    salesforce_client_secret: SecretStr = Field(default=SecretStr(""), description="its consumer secret")
    salesforce_account_key: str = Field(
        default="Name",
        pattern=r"^[A-Za-z]\w*$",
        description="field of accounts that holds the id of the account; Name: its name is compared",
    )
    gainsight_url: str = Field(
        default="", description="https://<domain>.gainsightcloud.com, to write scores to companies there"
    )
    gainsight_key: SecretStr = Field(default=SecretStr(""), description="access key of the tenant")
    gainsight_company_key: str = Field(
        default="Name",
        pattern=r"^[A-Za-z]\w*$",
        description="field of companies that holds the id of the account; Name: its name is compared",
    )
    totango_url: str = Field(
        default="https://api.totango.com", description="https://api-eu1.totango.com for the EU"
    )
    totango_service: str = Field(default="", description="id of the service (SP-...) whose accounts they are")
    totango_token: SecretStr = Field(
        default=SecretStr(""), description="token of its API, to write scores to accounts there"
    )
    crm_settle_seconds: float = Field(
        default=30.0, ge=0, description="machine seconds for which changes gather before they are written"
    )
    crm_seconds: float = Field(
        default=2.0, gt=0, description="machine seconds between looks what is due there"
    )
    gauges_seconds: float = Field(default=5.0, gt=0, description="machine seconds between refreshed gauges")
