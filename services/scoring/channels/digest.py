"""The weekly digest as a mail: plain words first, numbers after them, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from babel.dates import format_date
from email_validator import EmailNotValidError, validate_email

from services.scoring.domain.digest import Digest
from shared.errors import SendError
from shared.security.people import User
from shared.smtp import domain_of, one_line
from shared.web.dates import babel_locale
from shared.web.i18n import negotiate
from shared.web.templates import environment, speaking

HERE = Path(__file__).parent
_ENV = environment(HERE, HERE / "locales")
_PLAIN = _ENV.overlay(autoescape=False)
MOST_SCORES = 12
"""Scores of a part that a mail has room for, those with the worst news first."""

Titles = Mapping[str, Mapping[str, str]]


def build(
    digest: Digest, reader: User, titles: Titles, at: datetime, *, sender: str, address: str
) -> EmailMessage:
    """The mail.

    Args:
        digest: what it says.
        reader: who gets it.
        titles: programme -> its title by language.
        at: when it was written.
        sender: `Name <name@domain>`.
        address: of the house's pages, without a slash at its end.

    Raises:
        SendError: the reader's address is none, so no retry can help.
    """
    try:
        to = validate_email(reader.email, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise SendError("the recipient's address is not valid", permanent=True) from error
    locale = negotiate(reader.locale, None)
    values = speaking(_ENV, locale) | {
        "digest": digest, "reader": reader, "address": address, "title_of": _title(titles, locale),
        "shown": MOST_SCORES,
        "day": lambda on: format_date(on, "medium", locale=babel_locale(locale)),
    }  # fmt: skip
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = Address(one_line(reader.name), to.local_part, to.ascii_domain or to.domain)
    message["Subject"] = one_line(_PLAIN.get_template("subject.txt").render(values))
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<digest.{digest.week}.{reader.id}@{domain_of(sender)}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_PLAIN.get_template("digest.txt").render(values))
    message.add_alternative(_ENV.get_template("digest.html").render(values), subtype="html")
    return message


def _title(titles: Titles, locale: str) -> Callable[[str], str]:
    def title(programme: str) -> str:
        known = titles.get(programme, {})
        return known.get(locale) or known.get("en") or programme

    return title
