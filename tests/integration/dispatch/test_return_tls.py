"""The door for the mail server speaks TLS where a certificate is named."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.dispatch.api.tls import Certificate, Expiry
from services.dispatch.app import build
from services.dispatch.settings import Settings
from shared.contracts.deliveries import DeliveryBounced
from shared.runtime.clock import FakeMachine, FixedClock
from shared.runtime.http import probes
from tests.support.assembled import platform
from tests.support.certificates import LASTS, SINCE, key_pem, self_signed
from tests.support.returning import DOMAIN, HOST, PROTOCOLS, Door, counted
from tests.unit.dispatch.test_inbound import status

pytestmark = pytest.mark.requirement("R50", "R57")


@dataclass(frozen=True, slots=True)
class Files:
    """A certificate and its key on disk."""

    cert: Path
    key: Path

    def renew(self, name: str = "localhost", ends_at: datetime = SINCE + LASTS) -> None:
        """Put new ones into their place."""
        key, cert = self_signed(name, ends_at)
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


ENDS = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
DAY = 86_400.0


async def test_a_certificate_is_warned_of_once_a_day_before_it_ends_and_after(files: Files) -> None:
    files.renew(ends_at=ENDS)
    machine = FakeMachine(ENDS - timedelta(days=15))
    expiry = Expiry(Certificate(files.cert, files.key), machine)
    told: list[tuple[str, str, int] | None] = []
    days: list[float | None] = []
    for hours in (0, 36, 1, 12, 24 * 12, 24, 36):
        machine.advance(hours * 3600)
        with capture_logs() as logs:
            await expiry.look()
        told += [(one["log_level"], one["event"], one["days"]) for one in logs] or [None]
        days.append(
            REGISTRY.get_sample_value("afterword_dispatch_certificate_days", {"whose": "return_listener"})
        )
    assert told == [
        None,
        ("warning", "return_certificate_expires", 13),
        None,
        ("warning", "return_certificate_expires", 12),
        ("warning", "return_certificate_expires", 0),
        ("error", "return_certificate_expired", 0),
        ("error", "return_certificate_expired", -1),
    ]
    assert days == pytest.approx([15.0, 13.5, 13.4583, 12.9583, 0.9583, -0.0417, -1.5417], abs=1e-3)


async def test_readiness_tells_of_a_certificate_that_ends_and_stays_ready(files: Files) -> None:
    files.renew(ends_at=ENDS)
    machine = FakeMachine(ENDS - timedelta(days=14, seconds=1))
    expiry = Expiry(Certificate(files.cert, files.key), machine)
    app = FastAPI()
    app.include_router(probes({}, FixedClock(ENDS), {"dispatch.return_certificate": expiry.warning}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:

        async def told() -> str:
            answer = await client.get("/readyz")
            assert (answer.status_code, answer.json()["ready"]) == (200, True)
            warnings: dict[str, str] = answer.json()["warnings"]
            return warnings.get("dispatch.return_certificate", "")

        assert await told() == ""
        machine.advance(1)
        assert (await told()).startswith("expires in 14 days, 2026-06-01 12:00 UTC: renew the files of AFTER")
        machine.advance(14 * DAY)
        assert (await told()).startswith("expires in less than a day")
        machine.advance(1)
        assert (await told()).startswith("expired less than a day ago, 2026-06-01 12:00 UTC")
        machine.advance(3 * DAY)
        assert (await told()).startswith("expired 3 days ago")
        files.renew(ends_at=ENDS + timedelta(days=90))
        assert await told() == "", "it is read anew without a connection"


async def test_the_first_of_a_chain_to_end_is_warned_of(files: Files) -> None:
    files.renew(ends_at=ENDS)
    _, vouching = self_signed("an authority", ENDS - timedelta(days=60))
    files.cert.write_bytes(files.cert.read_bytes() + vouching)
    assert Certificate(files.cert, files.key).ends_at == ENDS - timedelta(days=60)


async def test_a_service_with_a_listener_minds_its_certificate(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files.cert.parent)
    named = {"return_domain": DOMAIN, "return_cert_file": "cert.pem", "return_key_file": "key.pem"}
    for port, minded in ((2525, True), (0, False)):
        service = await build(Settings.model_validate({**named, "return_port": port}), platform("dispatch"))
        assert ("certificate" in {loop.name for loop in service.loops}) is minded
        assert ("dispatch.return_certificate" in service.warnings) is minded
