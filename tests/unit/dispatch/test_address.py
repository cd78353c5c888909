"""One plain mailbox, or none (SEC-M3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dispatch.domain.address import Address, parse_address
from services.dispatch.domain.bounces import refusal_reason
from shared.contracts.reasons import Reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("anna@customer.example", "anna@customer.example"),
        ("Anna.Berg+survey@Customer.EXAMPLE", "Anna.Berg+survey@customer.example"),
        (" anna@customer.example ", "anna@customer.example"),
        ("o'neil@customer.example", "o'neil@customer.example"),
        ("anna@exåmple.se", "anna@xn--exmple-jua.se"),
        ("a@b.co", "a@b.co"),
        ("l" * 64 + "@customer.example", "l" * 64 + "@customer.example"),
    ],
)
def test_plain_mailboxes_are_taken(text: str, expected: str) -> None:
    assert str(parse_address(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "anna",
        "anna@",
        "@customer.example",
        "anna@localhost",
        "anna@customer..example",
        "anna@-customer.example",
        "anna@customer.example.",
        ".anna@customer.example",
        "anna.@customer.example",
        "an..na@customer.example",
        "anna@customer.example, eve@evil.example",
        "anna@customer.example;eve@evil.example",
        "Anna <anna@customer.example>",
        "group:anna@customer.example,eve@evil.example;",
        "@relay.example:anna@customer.example",
        "anna%evil.example@customer.example",
        "evil.example!anna@customer.example",
        '"anna"@customer.example',
        '"a\\"@b"@customer.example',
        "anna@customer.example\r\nRCPT TO:<eve@evil.example>",
        "anna@customer.example\n",
        "anna\x00@customer.example",
        "an na@customer.example",
        "anna(comment)@customer.example",
        "anna@[127.0.0.1]",
        "=?utf-8?q?eve?=@customer.example",
        "ännä@customer.example",
        "l" * 65 + "@customer.example",
        "a@" + ".".join(["d" * 60] * 5) + ".example",
        "anna@customer.example\u2028",
    ],
)
def test_anything_else_is_no_address(text: str) -> None:
    assert parse_address(text) is None


@given(st.text(max_size=400))
def test_whatever_is_taken_has_one_at_and_no_white_space(text: str) -> None:
    address = parse_address(text)
    if address is not None:
        written = str(address)
        assert written.isascii()
        assert written.count("@") == 1
        assert not any(c.isspace() or c in '<>,;:"\\()[]' for c in written)
        assert parse_address(written) == address


@pytest.mark.parametrize(
    ("domain", "own", "expected"),
    [
        ("northwind.example", ["northwind.example"], True),
        ("mail.northwind.example", ["Northwind.EXAMPLE"], True),
        ("notnorthwind.example", ["northwind.example"], False),
        ("northwind.example.evil.test", ["northwind.example"], False),
        ("xn--exmple-jua.se", ["exåmple.se"], True),
        ("customer.example", [], False),
        ("customer.example", ["", ".."], False),
    ],
)
def test_own_domains(domain: str, own: list[str], *, expected: bool) -> None:
    assert Address("anna", domain).belongs_to(own) is expected


@pytest.mark.parametrize(
    ("stage", "code", "status", "reason"),
    [
        ("rcpt", 550, "5.1.1", Reason.INVALID_ADDRESS),
        ("message", 550, "5.1.1", Reason.INVALID_ADDRESS),
        ("rcpt", 550, "", Reason.INVALID_ADDRESS),
        ("rcpt", 556, "5.1.10", Reason.INVALID_ADDRESS),
        ("rcpt", 550, "5.7.1", Reason.BOUNCED),
        ("message", 554, "", Reason.BOUNCED),
        ("message", 550, "", Reason.BOUNCED),
        ("mail", 550, "", Reason.BOUNCED),
        ("rcpt", 552, "5.2.2", Reason.BOUNCED),
    ],
)
def test_what_a_refusal_says_about_the_address(stage: str, code: int, status: str, reason: Reason) -> None:
    assert refusal_reason(stage, code, status) is reason
