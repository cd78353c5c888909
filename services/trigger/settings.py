"""Settings of trigger, read once from `AFTERWORD_TRIGGER_*`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.runtime.settings import ServiceSettings


def _secret(description: str) -> SecretStr:
    """A setting that holds secrets, several at once while one is replaced; none without it."""
    found: SecretStr = Field(default=SecretStr(""), description=f"{description}; several separated by commas")
    return found


class Settings(ServiceSettings):
    """Where programmes are, what webhooks are signed with, and the organisation until somebody edits it."""

    model_config = SettingsConfigDict(env_prefix="AFTERWORD_TRIGGER_", frozen=True, extra="ignore")

    programmes_dir: Path = Field(default=Path("programmes"), description="folder of programme files")
    webhook_secrets: SecretStr = _secret("secrets of /webhooks/generic, whsec_...")
    zendesk_secrets: SecretStr = _secret("signing secrets of /webhooks/zendesk")
    hubspot_secrets: SecretStr = _secret("client secrets of the HubSpot app that posts to /webhooks/hubspot")
    intercom_secrets: SecretStr = _secret("client secrets of the Intercom app")
    freshdesk_secrets: SecretStr = _secret("what the Freshdesk rule sends as X-Afterword-Secret")
    jira_secrets: SecretStr = _secret("secrets of the Jira webhook")
    stripe_secrets: SecretStr = _secret("signing secrets of the Stripe endpoint, whsec_...")
    segment_secrets: SecretStr = _secret("shared secrets of the Segment webhook destination")
    segment_write_keys: SecretStr = _secret("write keys that Segment's libraries send to /v1/batch")
    segment_browser_keys: str = Field(
        default="", description="public write keys of pages in browsers; commas; none may send without"
    )
    segment_browser_origins: str = Field(
        default="", description="origins of those pages, https://app.example; commas"
    )
    segment_browser_events: str = Field(
        default="", description="types of touchpoints that those pages may report; commas"
    )
    shopify_secrets: SecretStr = _secret("client secrets of the Shopify app")
    aftership_secrets: SecretStr = _secret("webhook secrets of AfterShip")
    hubspot_closed_stages: str = Field(default="4", description="stage ids of solved tickets; commas")
    hubspot_renewal_properties: str = Field(
        default="renewal_date", description="date properties that hold the end of a contract; commas"
    )
    hubspot_renewed_stages: str = Field(
        default="", description="stage ids of deals that mean a renewed contract; commas; no stage means it"
    )
    hubspot_lost_stages: str = Field(
        default="", description="stage ids of deals that mean a contract lost; commas; no stage means it"
    )
    jira_done: str = Field(default="done,resolved,closed", description="statuses of solved issues; commas")
    sources_file: Path = Field(
        default=Path("sources.yaml"), description="which topics of others are read, if it is there"
    )
    hubspot_token: SecretStr = Field(
        default=SecretStr(""), description="token of a private app, to look people up; none without it"
    )
    hubspot_url: str = Field(default="https://api.hubapi.com", description="where HubSpot's API is")
    zendesk_url: str = Field(default="", description="https://<subdomain>.zendesk.com, to look people up")
    zendesk_user: str = Field(default="", description="e-mail of the agent whose API token it is")
    zendesk_token: SecretStr = Field(default=SecretStr(""), description="API token of Zendesk")
    intercom_token: SecretStr = Field(
        default=SecretStr(""), description="access token of Intercom, to look people up"
    )
    intercom_url: str = Field(default="https://api.intercom.io", description="where Intercom's API is")
    jira_url: str = Field(default="", description="https://<site>.atlassian.net, to look reporters up")
    jira_user: str = Field(default="", description="e-mail of the user whose API token it is")
    jira_token: SecretStr = Field(default=SecretStr(""), description="API token of Jira")
    shopify_url: str = Field(default="", description="https://<shop>.myshopify.com, to look orders up")
    shopify_token: SecretStr = Field(
        default=SecretStr(""), description="Admin API access token that may read orders"
    )
    stripe_key: SecretStr = Field(
        default=SecretStr(""), description="restricted key that may read customers, to look people up"
    )
    stripe_url: str = Field(default="https://api.stripe.com", description="where Stripe's API is")
    look_ups_per_second: float = Field(default=5, ge=1, description="requests to a partner, per instance")
    parked_days: float = Field(
        default=14, gt=0, description="how long an event waits for somebody whom it names by an id alone"
    )
    receipts_days: float = Field(
        default=150,
        ge=30,
        description="how long it is remembered that a report came in, or what became of a parked event",
    )
    organisation_name: str = Field(default="Your company", description="until it is set on the settings page")
    organisation_zone: str = Field(default="UTC", description="zone of people whose own is unknown")
    sender_name: str = Field(default="Your customer team", description="who signs the mails")
    sender_email: str = Field(default="feedback@example.com", description="address that the mails come from")
    own_domains: str = Field(default="", description="domains of our own people, never asked; commas")
    poll_seconds: float = Field(default=0.5, gt=0, description="pause of the due loops when nothing is due")

    def secrets_of(self, sender: str) -> tuple[str, ...]:
        """The secrets of a sender, as they were written."""
        names = {"generic": "webhook_secrets", "segment_api": "segment_write_keys"}
        text: SecretStr = getattr(self, names.get(sender, f"{sender}_secrets"))
        return listed(text.get_secret_value())


def listed(text: str) -> tuple[str, ...]:
    """The parts of a list that is separated by commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
