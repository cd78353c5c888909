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
    sms_url: str = Field(default="https://api.twilio.com", description="API that takes text messages")
    sms_account: str = Field(default="", description="account there (AC...); empty: no text messages")
    sms_token: SecretStr = Field(default=SecretStr(""), description="its secret, also of its calls to us")
    sms_sender: str = Field(
        default="", description="number in E.164 form, sender name or messaging service (MG...)"
    )
    sms_replies: bool = Field(
        default=False, description="replies arrive at /hooks/twilio/reply, so a number may be sent back"
    )
    webhook_url: str = Field(default="", description="receiver of the channel webhook; empty: none")
    webhook_secret: SecretStr = Field(default=SecretStr(""), description="signs it, whsec_...")
    webhook_drops_repeats: bool = Field(
        default=False,
        description="the receiver drops a webhook-id it knows: unanswered calls are repeated",
    )
    in_app: bool = Field(default=False, description="the product asks for pending surveys (channel in_app)")
    link: bool = Field(default=True, description="a backend passes links on (channel link)")
    return_domain: str = Field(
        default="",
        description="domain whose mail comes back to us: bounces by signed addresses; empty: none",
    )
    return_host: str = Field(default="127.0.0.1", description="where the return listener listens")
    return_port: int = Field(
        default=0,
        ge=0,
        le=65_535,
        description="its port, for a mail server that speaks SMTP or LMTP; 0: mail comes to /hooks/mail",
    )
    return_cert_file: str = Field(
        default="", description="its certificate with the chain (PEM), for STARTTLS; empty: no TLS"
    )
    return_key_file: str = Field(default="", description="the private key of that certificate (PEM)")
    return_tls_required: bool = Field(default=False, description="it takes mails over TLS alone")
    replies: bool = Field(
        default=False, description="replies go to a signed address there and are passed on to a person"
    )
    sns_topics: str = Field(default="", description="topics (ARNs, by comma) of SNS that SES reports to")
    sendgrid_key: str = Field(default="", description="public key of SendGrid's event webhook")
    mailgun_key: SecretStr = Field(default=SecretStr(""), description="Mailgun's webhook signing key")
    postmark_secret: SecretStr = Field(
        default=SecretStr(""), description="secret that Postmark's webhooks bring in X-Afterword-Secret"
    )
    dkim_domain: str = Field(default="", description="domain that signs mails here; empty: a relay signs")
    dkim_selector: str = Field(default="", description="name of its key, as in DNS")
    dkim_key_file: str = Field(default="", description="file of its private RSA key (PEM)")
    rate_target: float = Field(default=0.5, ge=0, le=1, description="share of answers that is aimed at (R58)")
    rate_floor: float = Field(default=0.2, ge=0, le=1, description="share below which something is wrong")
    limits: str = Field(
        default="",
        description="hand-overs a minute by channel, as email=600/min, sms=60/min; empty: no limit",
    )
    domain_limits: str = Field(
        default="", description="mails a minute to the mailboxes of a domain, as gmail.com=60/min"
    )
    domain_limit: int = Field(
        default=0, ge=0, le=100_000, description="the same to each domain not named there; 0: no limit"
    )
    lanes: int = Field(default=2, ge=1, le=16, description="batches delivered side by side in this process")
