"""The certificate by which the return listener speaks TLS, read anew whenever its files change."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509

from services.dispatch import metrics
from services.dispatch.domain.expiry import Standing, days_left, standing
from shared.runtime.clock import Machine
from shared.runtime.logging import get_logger

CERT, KEY = "AFTERWORD_DISPATCH_RETURN_CERT_FILE", "AFTERWORD_DISPATCH_RETURN_KEY_FILE"

log = get_logger("return_certificate")

_Stamp = tuple[int, int]
_Loaded = tuple[ssl.SSLContext, datetime]


class Certificate:
    """A certificate with its key, in files that somebody renews from time to time.

    Args:
        cert_file: The certificate and whoever vouches for it (PEM), the server's own first.
        key_file: Its private key (PEM), not encrypted.
        required: Mails are taken over TLS alone.

    Raises:
        ValueError: A file cannot be read, or they do not belong together; the setting is named.
    """

    def __init__(self, cert_file: Path, key_file: Path, *, required: bool = False) -> None:
        self.required = required
        self._files = (cert_file, key_file)
        self._stamp = self._stamped()
        self._context, self._ends_at = _loaded(cert_file, key_file)

    def context(self) -> ssl.SSLContext:
        """What a new connection speaks TLS by; files that are no good leave the former one in use."""
        try:
            stamp = self._stamped()
            if stamp != self._stamp:
                self._stamp = stamp
                self._context, self._ends_at = _loaded(*self._files)
                log.info("return_certificate_read")
        except ValueError as error:
            log.warning("return_certificate_kept", reason=str(error))
        return self._context

    @property
    def ends_at(self) -> datetime:
        """When the one in use expires, or whoever vouches for it if that comes first; machine time."""
        self.context()
        return self._ends_at

    def _stamped(self) -> tuple[_Stamp, _Stamp]:
        """By what it is seen that one of the files was written again."""
        cert, key = (_stat(name, file) for name, file in zip((CERT, KEY), self._files, strict=True))
        return cert, key


@dataclass(slots=True)
class Expiry:
    """Warns of a certificate before mail servers stop to believe it, and once they do.

    What expired turns no readiness red: it would take the stop links of mails and all pages of the process
    with it, for a door that a mail server knocks at again and again.

    Attributes:
        certificate: the one in use.
        machine: tells the time, which is that of the world and not the business's.
    """

    certificate: Certificate
    machine: Machine
    _told: tuple[Standing, int] | None = field(default=None, init=False)

    async def look(self) -> int:
        """Refresh the gauge and warn in the log once a day; finds nothing to do, ever."""
        now, ends_at = self.machine.wall(), self.certificate.ends_at
        metrics.CERTIFICATE_DAYS.labels("return_listener").set(days_left(ends_at, now))
        found = (standing(ends_at, now), _whole_days(ends_at, now))
        if found != self._told and found[0] is not Standing.GOOD:
            say = log.error if found[0] is Standing.OVER else log.warning
            say(f"return_certificate_{found[0].value}", days=found[1], ends_at=ends_at.isoformat())
        self._told = found
        return 0

    async def warning(self) -> str:
        """What `/readyz` tells of it; "" while there is time."""
        now, ends_at = self.machine.wall(), self.certificate.ends_at
        span, mend = _in_words(_whole_days(ends_at, now)), f"renew the files of {CERT} and {KEY}"
        match standing(ends_at, now):
            case Standing.GOOD:
                return ""
            case Standing.SOON:
                return f"expires in {span}, {ends_at:%Y-%m-%d %H:%M} UTC: {mend}"
            case Standing.OVER:
                return f"expired {span} ago, {ends_at:%Y-%m-%d %H:%M} UTC: {mend}"


def _whole_days(ends_at: datetime, now: datetime) -> int:
    """Days left, or over when below 0, without what is begun of one."""
    return int(days_left(ends_at, now))


def _in_words(days: int) -> str:
    count = abs(days)
    return "less than a day" if not count else f"{count} day{'s' if count > 1 else ''}"


def _stat(name: str, file: Path) -> _Stamp:
    try:
        found = file.stat()
    except OSError as error:
        raise ValueError(f"{name}: {file} cannot be read: {error.strerror}") from error
    return found.st_mtime_ns, found.st_size


def _loaded(cert_file: Path, key_file: Path) -> _Loaded:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # A password is given so that an encrypted key fails here instead of asking a terminal.
        context.load_cert_chain(cert_file, key_file, password="")
        ends_at = min(one.not_valid_after_utc for one in _chain(cert_file))
    except ssl.SSLError as error:
        raise ValueError(
            f"{CERT}, {KEY}: {error.reason or 'no PEM'}; a certificate chain and its own key, not encrypted, "
            "are needed"
        ) from error
    except OSError as error:
        raise ValueError(f"{CERT}, {KEY}: {error.strerror}") from error
    return context, ends_at


def _chain(cert_file: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(cert_file.read_bytes())
    except ValueError as error:
        raise ValueError(f"{CERT}: it cannot be read when the certificate expires: {error}") from error
