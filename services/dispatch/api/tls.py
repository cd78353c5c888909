"""The certificate by which the return listener speaks TLS, read anew whenever its files change."""

from __future__ import annotations

import ssl
from pathlib import Path

from shared.runtime.logging import get_logger

CERT, KEY = "AFTERWORD_DISPATCH_RETURN_CERT_FILE", "AFTERWORD_DISPATCH_RETURN_KEY_FILE"

log = get_logger("return_certificate")

_Stamp = tuple[int, int]


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
        self._context = _loaded(cert_file, key_file)

    def context(self) -> ssl.SSLContext:
        """What a new connection speaks TLS by; files that are no good leave the former one in use."""
        try:
            stamp = self._stamped()
            if stamp != self._stamp:
                self._stamp = stamp
                self._context = _loaded(*self._files)
                log.info("return_certificate_read")
        except ValueError as error:
            log.warning("return_certificate_kept", reason=str(error))
        return self._context

    def _stamped(self) -> tuple[_Stamp, _Stamp]:
        """By what it is seen that one of the files was written again."""
        cert, key = (_stat(name, file) for name, file in zip((CERT, KEY), self._files, strict=True))
        return cert, key


def _stat(name: str, file: Path) -> _Stamp:
    try:
        found = file.stat()
    except OSError as error:
        raise ValueError(f"{name}: {file} cannot be read: {error.strerror}") from error
    return found.st_mtime_ns, found.st_size


def _loaded(cert_file: Path, key_file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # A password is given so that an encrypted key fails here instead of asking a terminal.
        context.load_cert_chain(cert_file, key_file, password="")
    except ssl.SSLError as error:
        raise ValueError(
            f"{CERT}, {KEY}: {error.reason or 'no PEM'}; a certificate chain and its own key, not encrypted, "
            "are needed"
        ) from error
    except OSError as error:
        raise ValueError(f"{CERT}, {KEY}: {error.strerror}") from error
    return context
