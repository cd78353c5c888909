"""One mail handed to an SMTP server, and what it means when that fails."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import EmailMessage

import aiosmtplib

from shared.errors import SendError

SECONDS = 15.0
_PERMANENT = 500


@dataclass(frozen=True, slots=True)
class Server:
    """An SMTP server; `tls` is "none", "starttls" or "implicit"."""

    host: str
    port: int
    sender: str
    username: str = ""
    password: str = ""
    tls: str = "none"


async def hand_over(message: EmailMessage, server: Server, seconds: float = SECONDS) -> None:
    """Hand over one mail.

    Raises:
        SendError: refused (5xx: for good), put off (4xx), unreachable, or cut off in the middle.
    """
    try:
        await aiosmtplib.send(
            message,
            hostname=server.host,
            port=server.port,
            username=server.username or None,
            password=server.password or None,
            use_tls=server.tls == "implicit",
            start_tls=server.tls == "starttls",
            timeout=seconds,
            local_hostname=domain_of(server.sender),  # the default asks DNS, which may hang
        )
    except aiosmtplib.SMTPRecipientsRefused as error:
        code = max((refused.code for refused in error.recipients), default=_PERMANENT)
        raise SendError(f"SMTP {code}: recipient refused", permanent=code >= _PERMANENT) from error
    except aiosmtplib.SMTPResponseException as error:
        raise SendError(f"SMTP {error.code}", permanent=error.code >= _PERMANENT) from error
    except (aiosmtplib.SMTPConnectError, aiosmtplib.SMTPConnectTimeoutError) as error:
        raise SendError(f"SMTP: {type(error).__name__}", permanent=False) from error
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        raise SendError(f"SMTP: {type(error).__name__}", permanent=False, uncertain=True) from error


def domain_of(sender: str) -> str:
    """The domain of `Name <name@domain>`."""
    return sender.rpartition("@")[2].strip("> ")


def one_line(text: str, limit: int = 180) -> str:
    """Text that may stand in a header: no line breaks, no control characters, no turned writing."""
    kept = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(kept.split())[:limit]
