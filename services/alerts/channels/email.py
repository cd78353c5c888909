"""Notices by e-mail, over any SMTP server."""

from __future__ import annotations

import html
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from email_validator import EmailNotValidError, validate_email

from services.alerts.channels.port import Delivery
from services.alerts.domain.alarm import Text
from shared.errors import SendError
from shared.smtp import SECONDS, Server, domain_of, hand_over, one_line

_LABELS = 12
"""Width of the column of labels in plain text; more where one is longer."""


class EmailChannel:
    """Sends each notice as one mail with a Message-ID of its own that repetitions share."""

    name = "email"
    concurrency = 8

    def __init__(self, server: Server, seconds: float = SECONDS) -> None:
        self._server = server
        self._seconds = seconds

    async def send(self, delivery: Delivery) -> None:
        """Hand over one mail.

        Raises:
            SendError: refused (5xx: for good), put off (4xx), unreachable, or cut off in the middle.
        """
        await hand_over(build(delivery, self._server.sender), self._server, self._seconds)


def build(delivery: Delivery, sender: str) -> EmailMessage:
    """The mail of a notice, in plain text and HTML.

    Raises:
        SendError: the address is none, so no retry can help.
    """
    try:
        to = validate_email(delivery.to, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise SendError("the recipient's address is not valid", permanent=True) from error
    text = delivery.text
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = Address(one_line(delivery.name), to.local_part, to.ascii_domain or to.domain)
    message["Subject"] = one_line(text.subject)
    message["Date"] = format_datetime(delivery.at)
    message["Message-ID"] = f"<{delivery.id}@{domain_of(sender)}>"
    message["Auto-Submitted"] = "auto-generated"
    if not text.calm:
        message["X-Priority"] = "1"
    message.set_content(plain(text))
    message.add_alternative(rich(text), subtype="html")
    return message


def plain(text: Text) -> str:
    """The notice as plain text."""
    quote = "".join(f"  > {line}\n" for line in text.quote.splitlines())
    width = max((len(label) + 2 for label, _ in text.facts), default=0)
    facts = "".join(f"{label + ':':<{max(width, _LABELS)}}{value}\n" for label, value in text.facts)
    said = f"They said:\n{quote}\n" if quote else ""
    take = f"Take the case: {text.take}\n" if text.take else ""
    return f"{text.headline}\n\n{said}{facts}\n{text.action}\n\n{take}{text.button}: {text.link}\n"


def rich(text: Text) -> str:
    """The notice as HTML that mail programs show alike: one column, a table of facts, one button."""
    rows = "".join(
        '<tr style="vertical-align:top">'
        f'<td style="padding:3px 12px 3px 0;color:#5b6472">{html.escape(label)}</td>'
        f'<td style="padding:3px 0">{_fact(label, value)}</td></tr>'
        for label, value in text.facts
    )
    said = html.escape(text.quote).replace("\n", "<br>")
    quote = (
        '<p style="margin:16px 0;padding:10px 14px;border-left:4px solid #b42318;background:#fdf3f2;'
        'font-size:17px">'
        f"{said}</p>"
        if said
        else ""
    )
    link = html.escape(text.link, quote=True)
    take = html.escape(text.take, quote=True)
    first = _button(take, "Take the case") if take else ""
    return (
        '<!doctype html><html lang="en"><body style="margin:0;padding:16px;color:#14181f;background:#ffffff;'
        'font:16px/1.5 system-ui,-apple-system,Segoe UI,Roboto,sans-serif"><div style="max-width:560px">'
        f'<p style="font-size:19px;font-weight:600;margin:0 0 8px">{html.escape(text.headline)}</p>{quote}'
        f'<p style="margin:20px 0">{first}{_button(link, html.escape(text.button), second=bool(take))}</p>'
        f'<table role="presentation" style="border-collapse:collapse;font-size:16px">{rows}</table>'
        f'<p style="color:#5b6472">{html.escape(text.action)}</p></div></body></html>'
    )


def _button(href: str, words: str, *, second: bool = False) -> str:
    look = "border:1px solid #1849a9;color:#1849a9" if second else "background:#1849a9;color:#ffffff"
    return (
        f'<a href="{href}" style="display:inline-block;padding:13px 22px;margin:0 10px 10px 0;'
        f'border-radius:8px;{look};text-decoration:none;font-weight:600">{words}</a>'
    )


def _fact(label: str, value: str) -> str:
    shown = html.escape(value, quote=True)
    if label == "Phone":
        digits = "".join(c for c in value if c.isdigit() or c == "+")
        return f'<a href="tel:{digits}" style="color:#1849a9">{shown}</a>'
    if label == "E-mail":
        return f'<a href="mailto:{shown}" style="color:#1849a9">{shown}</a>'
    return shown
