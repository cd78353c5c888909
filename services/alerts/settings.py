"""Settings of the alerts service, each with its environment variable."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


class CauseSetting(BaseModel):
    """A cause of unhappiness, and what must have happened before a case may end with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")
    label: str = Field(min_length=1, max_length=80)
    needs: Literal["contact", "attempts", "nothing"] = "contact"
    attempts: int = 3


class TeamRooms(BaseModel):
    """A team's own rooms, in place of those of the house."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slack: SecretStr = SecretStr("")
    teams: SecretStr = SecretStr("")
    pagerduty: SecretStr = SecretStr("")


def _secrets(description: str) -> SecretStr:
    """Proof of a helpdesk's webhooks; without one none is taken."""
    found: SecretStr = Field(default=SecretStr(""), description=f"{description}; several separated by commas")
    return found


class Settings(ServiceSettings):
    """`AFTERWORD_ALERTS_*`."""

    model_config = SettingsConfigDict(
        env_prefix="AFTERWORD_ALERTS_", frozen=True, extra="ignore", env_nested_delimiter="__"
    )

    smtp_host: str = Field(default="127.0.0.1", description="mail server for notices to reps")
    smtp_port: int = Field(default=1025, description="its port")
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_tls: Literal["none", "starttls", "implicit"] = "none"
    mail_from: str = Field(
        default="Afterword <alerts@afterword.localhost>", description="sender of notices to reps"
    )
    slack_webhook_url: SecretStr = Field(
        default=SecretStr(""), description="incoming webhook of the team's room; empty: no room is told"
    )
    teams_webhook_url: SecretStr = Field(
        default=SecretStr(""), description="webhook of a Workflow that posts cards to a channel of Teams"
    )
    pagerduty_routing_key: SecretStr = Field(
        default=SecretStr(""), description="integration key (Events API v2) of the service; empty: none"
    )
    pagerduty_url: str = Field(
        default="https://events.pagerduty.com", description="https://events.eu.pagerduty.com for the EU"
    )
    webhook_url: SecretStr = Field(
        default=SecretStr(""), description="where notices are posted to, signed as Standard Webhooks"
    )
    webhook_secret: SecretStr = Field(
        default=SecretStr(""), description="whsec_ and base64 of 24 bytes or more; signs what goes there"
    )
    rooms: dict[str, TeamRooms] = Field(
        default_factory=dict,
        description="JSON: rooms of teams by their key: slack and teams (webhooks), pagerduty (routing key)",
    )
    sms_account: str = Field(default="", description="account (AC...) with Twilio or who speaks its API")
    sms_token: SecretStr = Field(default=SecretStr(""), description="auth token of that account")
    sms_from: str = Field(default="", description="number, name or messaging service (MG...) that texts")
    sms_url: str = Field(default="https://api.twilio.com", description="where the provider's API is")
    per_minute: dict[str, float] = Field(
        default_factory=dict, description="JSON: notices a minute by channel, where they are not the built-in"
    )
    zendesk_url: str = Field(default="", description="https://<subdomain>.zendesk.com, to keep cases there")
    zendesk_user: str = Field(default="", description="e-mail of the agent whose API token it is")
    zendesk_token: SecretStr = Field(default=SecretStr(""), description="API token that may write tickets")
    jira_url: str = Field(default="", description="https://<site>.atlassian.net, to keep cases there")
    jira_user: str = Field(default="", description="e-mail of the user whose API token it is")
    jira_token: SecretStr = Field(default=SecretStr(""), description="API token that may write issues")
    jira_project: str = Field(default="", description="key of the project that cases go to")
    jira_issue_type: str = Field(default="Task", description="type of their issues")
    freshdesk_url: str = Field(default="", description="https://<account>.freshdesk.com, to keep cases there")
    freshdesk_key: SecretStr = Field(default=SecretStr(""), description="API key of an agent")
    hubspot_url: str = Field(default="https://api.hubapi.com", description="where HubSpot's API is")
    hubspot_token: SecretStr = Field(
        default=SecretStr(""),
        description="token of a private app that may write tickets, to keep cases there",
    )
    hubspot_pipeline: str = Field(default="0", description="id of the ticket pipeline that cases go to")
    salesforce_url: str = Field(
        default="", description="https://<domain>.my.salesforce.com, to keep cases there"
    )
    salesforce_client_id: str = Field(
        default="", description="consumer key of a connected app with the client credentials flow"
    )
    salesforce_client_secret: SecretStr = Field(default=SecretStr(""), description="its consumer secret")
    zendesk_secrets: SecretStr = _secrets("signing secrets of Zendesk's webhook")
    jira_secrets: SecretStr = _secrets("secrets of Jira's webhook")
    freshdesk_secrets: SecretStr = _secrets("what Freshdesk's rule sends as X-Afterword-Secret")
    hubspot_secrets: SecretStr = _secrets("client secrets of the HubSpot app")
    salesforce_secrets: SecretStr = _secrets("what Salesforce's flow sends as X-Afterword-Secret")
    leadership: tuple[str, ...] = Field(
        default=(), description="JSON list of users' addresses told at the hard limit; none: the admins"
    )
    roster_file: Path = Field(
        default=Path("alerts.yaml"), description="teams, their rotas and routes, if the file is there"
    )
    monthly_report: bool = Field(
        default=True, description="whether leaders and managers of teams get a report each month"
    )
    findings: bool = Field(
        default=True,
        description="whether managers are told by mail that a score fell, a theme or churn rises",
    )
    group_minutes: int = Field(
        default=60, ge=0, description="answers of one account within that time are one ticket, ended or not"
    )
    page_minutes: int = Field(
        default=15, ge=0, description="shortest time between two pages of one person or room; 0: no limit"
    )
    large_account: float = Field(
        default=50_000,
        gt=0,
        description="annual value from which on an account raises the priority of its cases",
    )
    first_reply: bool = Field(default=True, description="whether an unhappy customer gets a mail at once")
    thanks: Literal["none", "words", "all"] = Field(
        default="words", description="who else is thanked by mail: nobody, who wrote something, everybody"
    )
    causes: tuple[CauseSetting, ...] = Field(
        default=(), description="JSON list of causes (key, label, needs, attempts); empty: the built-in list"
    )

    def webhook_secrets(self) -> dict[str, str]:
        """What each helpdesk's webhooks are proven with, as it was written."""
        return {
            "zendesk": self.zendesk_secrets.get_secret_value(),
            "jira": self.jira_secrets.get_secret_value(),
            "freshdesk": self.freshdesk_secrets.get_secret_value(),
            "hubspot": self.hubspot_secrets.get_secret_value(),
            "salesforce": self.salesforce_secrets.get_secret_value(),
        }
