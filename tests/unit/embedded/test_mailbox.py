"""The sink's mailbox: what was acknowledged is on disk, in order, whatever was killed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from shared.embedded.mailbox import JOURNAL, Mailbox, part_of, read_journal, read_mail
from shared.embedded.mailsink import build
from shared.embedded.smtp import Envelope, FaultKind, Faults
from shared.runtime.clock import FakeMachine


@pytest.fixture
def mailbox(tmp_path: Path) -> Mailbox:
    return Mailbox(tmp_path / "mail", FakeMachine(datetime(2026, 3, 3, 9, tzinfo=UTC)))


def client_of(mailbox: Mailbox, faults: Faults | None = None) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(build(mailbox, faults or Faults()))
    return httpx.AsyncClient(transport=transport, base_url="http://sink.test")


def envelope(subject: str = "Hi", html: str = "<p>Hello</p>") -> Envelope:
    content = (
        f"From: a@b.test\r\nTo: c@d.test\r\nSubject: {subject}\r\nMessage-ID: <1@b.test>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n"
        "--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n"
        f"--x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n--x--\r\n"
    )
    return Envelope("a@b.test", ("c@d.test",), content.encode())


async def test_mails_are_numbered_as_they_arrive(mailbox: Mailbox) -> None:
    await mailbox.store(envelope("one"))
    await mailbox.store(envelope("two"))
    first, second = read_journal(mailbox.root)
    assert (first.seq, first.subject, first.message_id) == (1, "one", "<1@b.test>")
    assert (second.seq, second.file, second.at) == (2, "000002.eml", "2026-03-03T09:00:00+00:00")
    assert part_of(read_mail(mailbox.root, second), "html") == "<p>Hello</p>"


async def test_a_new_process_goes_on_counting(mailbox: Mailbox) -> None:
    await mailbox.store(envelope())
    again = Mailbox(mailbox.root, FakeMachine())
    await again.store(envelope())
    assert [arrival.seq for arrival in read_journal(mailbox.root)] == [1, 2]


async def test_a_torn_journal_line_is_no_arrival(mailbox: Mailbox) -> None:
    await mailbox.store(envelope())
    journal = mailbox.root / JOURNAL
    journal.write_bytes(journal.read_bytes() + b'{"seq": 2, "at"')
    assert [arrival.seq for arrival in read_journal(mailbox.root)] == [1]
    again = Mailbox(mailbox.root, FakeMachine())
    await again.store(envelope("next"))
    assert [arrival.subject for arrival in read_journal(mailbox.root)] == ["Hi", "next"]


async def test_the_page_shows_a_mail_without_running_it(mailbox: Mailbox) -> None:
    await mailbox.store(envelope("<b>bold</b>", "<script>alert(1)</script><a href='/x'>x</a>"))
    page = client_of(mailbox)
    index = await page.get("/")
    assert "&lt;b&gt;bold&lt;/b&gt;" in index.text
    assert "script-src" not in index.headers["content-security-policy"]
    assert (await page.get("/mails/1")).status_code == 200
    body = await page.get("/mails/1/html")
    assert "sandbox" in body.headers["content-security-policy"]
    assert "allow-scripts" not in body.headers["content-security-policy"]
    assert (await page.get("/mails/1/text")).text.strip() == "Hello"
    assert (await page.get("/mails/2")).status_code == 404


async def test_programs_read_what_arrived_after_a_mail(mailbox: Mailbox) -> None:
    page = client_of(mailbox)
    assert "No mail yet" in (await page.get("/")).text
    for subject in ("one", "two"):
        await mailbox.store(envelope(subject))
    assert [mail["subject"] for mail in (await page.get("/mails?after=1")).json()] == ["two"]


async def test_faults_are_set_over_the_page(mailbox: Mailbox) -> None:
    faults = Faults()
    page = client_of(mailbox, faults)
    wish = [{"recipients": "*@full.test", "kind": "refuse_recipient", "reply": "452 full", "times": 3}]
    assert (await page.put("/faults", json=wish)).status_code == 200
    assert faults.strike(("anna@FULL.test",), FaultKind.REFUSE_RECIPIENT) is not None
    assert (await page.get("/faults")).json()[0]["times"] == 2
    assert (await page.put("/faults", json=[{"kind": "no such"}])).status_code == 422
    assert (await page.put("/faults", content=b"{")).status_code == 422
