"""The door for the mail server speaks TLS where a certificate is named."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.dispatch.api.tls import Certificate
from services.dispatch.app import build
from services.dispatch.settings import Settings
from shared.contracts.deliveries import DeliveryBounced
from tests.support.assembled import platform
from tests.support.certificates import key_pem, self_signed
from tests.support.returning import DOMAIN, HOST, PROTOCOLS, Door, counted
from tests.unit.dispatch.test_inbound import status

pytestmark = pytest.mark.requirement("R50", "R57")


@dataclass(frozen=True, slots=True)
class Files:
    """A certificate and its key on disk."""

    cert: Path
    key: Path

    def renew(self, name: str = "localhost") -> None:
        """Put new ones into their place."""
        key, cert = self_signed(name)
        self.cert.write_bytes(cert)
        self.key.write_bytes(key_pem(key))

    @property
    def trust(self) -> ssl.SSLContext:
        """A client that believes this very certificate, for this very host."""
        return ssl.create_default_context(cafile=str(self.cert))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    made = Files(tmp_path / "cert.pem", tmp_path / "key.pem")
    made.renew()
    other, _ = self_signed("localhost")
    (tmp_path / "other.pem").write_bytes(key_pem(other))
    (tmp_path / "locked.pem").write_bytes(key_pem(other, b"secret"))
    return made


async def listening(door: Door, files: Files, *, required: bool = False) -> int:
    return await door.listen(certificate=Certificate(files.cert, files.key, required=required))


def over_tls(by: type[smtplib.SMTP], port: int, trust: ssl.SSLContext, to: str) -> tuple[list[int], bool]:
    """The answers to a mail over TLS, and whether signing in was offered."""
    with by("localhost", port, timeout=60) as client:
        client.ehlo_or_helo_if_needed()
        codes = [client.starttls(context=trust)[0]]
        client.ehlo_or_helo_if_needed()
        codes += [client.mail("")[0], client.rcpt(to)[0]]
        codes.append(client.data(status("failed", "5.1.1"))[0])
        return codes, client.has_extn("auth")


@pytest.mark.parametrize("by", PROTOCOLS)
@pytest.mark.parametrize("required", [False, True])
async def test_a_mail_that_comes_over_tls_is_kept(
    door: Door, files: Files, by: type[smtplib.SMTP], *, required: bool
) -> None:
    bounce, _ = await door.ask("anna")
    port = await listening(door, files, required=required)
    codes, offered = await asyncio.to_thread(over_tls, by, port, files.trust, bounce)
    assert codes == [220, 250, 250, 250]
    assert not offered
    assert await door.told(DeliveryBounced.TYPE) == 1


@pytest.mark.parametrize("by", PROTOCOLS)
@pytest.mark.parametrize(("required", "expected"), [(False, [250, 250]), (True, [530, 503])])
async def test_a_mail_in_the_clear_is_taken_unless_tls_is_demanded(
    door: Door, files: Files, by: type[smtplib.SMTP], expected: list[int], *, required: bool
) -> None:
    bounce, _ = await door.ask("anna")
    port = await listening(door, files, required=required)

    def bring() -> list[int]:
        with by(HOST, port, timeout=60) as client:
            client.ehlo_or_helo_if_needed()
            return [client.mail("")[0], client.rcpt(bounce)[0]]

    assert await asyncio.to_thread(bring) == expected


async def test_without_a_certificate_tls_is_not_offered(door: Door) -> None:
    def offered() -> bool:
        with smtplib.SMTP(HOST, door.port, timeout=60) as client:
            client.ehlo()
            return client.has_extn("starttls")

    assert not await asyncio.to_thread(offered)


async def test_what_somebody_slips_in_before_tls_begins_is_not_heard(door: Door, files: Files) -> None:
    bounce, _ = await door.ask("anna")
    port = await listening(door, files)

    def slip() -> bytes:
        with socket.create_connection((HOST, port), timeout=60) as raw:
            stream = raw.makefile("rb")
            stream.readline()
            raw.sendall(b"EHLO x\r\n")
            while not stream.readline().startswith(b"250 "):
                pass
            raw.sendall(b"STARTTLS\r\nEHLO eve\r\nMAIL FROM:<eve@example.org>\r\n")
            stream.readline()
            with files.trust.wrap_socket(raw, server_hostname="localhost") as safe:
                safe.sendall(f"RCPT TO:<{bounce}>\r\n".encode())
                return safe.recv(1000)

    assert (await asyncio.to_thread(slip)).startswith(b"503 "), "nobody has greeted, nothing was begun"


async def test_a_handshake_that_fails_is_told_and_harms_nobody(door: Door, files: Files) -> None:
    bounce, _ = await door.ask("anna")
    port = await listening(door, files)
    before = counted("later")

    def suspicious() -> None:
        with smtplib.SMTP(HOST, port, timeout=60) as client, pytest.raises(ssl.SSLCertVerificationError):
            client.starttls(context=ssl.create_default_context())

    await asyncio.to_thread(suspicious)
    assert (await asyncio.to_thread(over_tls, smtplib.SMTP, port, files.trust, bounce))[0][-1] == 250
    assert counted("later") == before + 1


async def test_a_renewed_certificate_is_used_from_the_next_connection_on(door: Door, files: Files) -> None:
    first, _ = await door.ask("anna")
    second, _ = await door.ask("bert")
    port, old = await listening(door, files), files.trust
    files.renew()
    codes, _ = await asyncio.to_thread(over_tls, smtplib.SMTP, port, files.trust, first)
    assert codes[-1] == 250
    known = files.trust
    for spoil in (lambda: files.cert.write_text("half of one"), files.key.unlink):
        spoil()
        codes, _ = await asyncio.to_thread(over_tls, smtplib.SMTP, port, known, second)
        assert codes[-1] == 250, "the former one serves on"
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.to_thread(over_tls, smtplib.SMTP, port, old, second)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"return_cert_file": "cert.pem"}, "RETURN_KEY_FILE"),
        ({"return_key_file": "key.pem"}, "RETURN_CERT_FILE"),
        ({"return_tls_required": True}, "RETURN_TLS_REQUIRED needs"),
        ({"return_cert_file": "none.pem", "return_key_file": "key.pem"}, "RETURN_CERT_FILE: .*No such file"),
        ({"return_cert_file": "cert.pem", "return_key_file": "none.pem"}, "RETURN_KEY_FILE: .*No such file"),
        ({"return_cert_file": "cert.pem", "return_key_file": "other.pem"}, "KEY_VALUES_MISMATCH"),
        ({"return_cert_file": "cert.pem", "return_key_file": "locked.pem"}, "not encrypted"),
        ({"return_cert_file": "key.pem", "return_key_file": "key.pem"}, "a certificate chain"),
    ],
)
async def test_what_is_no_certificate_ends_the_start_and_is_named(
    files: Files, monkeypatch: pytest.MonkeyPatch, fields: dict[str, str | bool], named: str
) -> None:
    monkeypatch.chdir(files.cert.parent)
    settings = Settings.model_validate({"return_port": 2525, "return_domain": DOMAIN, **fields})
    with pytest.raises(ValueError, match=named):
        await build(settings, platform("dispatch"))
