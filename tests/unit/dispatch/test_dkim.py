"""DKIM signatures, checked by `dkimpy`."""

from __future__ import annotations

import base64
from datetime import timedelta

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from services.dispatch.channels import mime
from services.dispatch.channels.dkim import SIGNED, Signer
from services.dispatch.channels.mime import Posting
from services.dispatch.channels.render import Renderer
from services.dispatch.domain.address import Address
from services.dispatch.domain.letter import Ask, Links, Reader, invite
from shared.contracts.model import Person
from tests.support.dispatch import LETTER, NOW, NPS, ORGANISATION, delivery_id, snapshot

RSA = rsa.generate_private_key(65537, 2048)
RENDERER = Renderer()


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


def good(mail: bytes) -> bool:
    """Whether the oracle believes a mail, with what the domain publishes."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public = RSA.public_key().public_bytes(serialization.Encoding.DER, form)

    def lookup(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"s1._domainkey.northwind.example."
        assert timeout
        return f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}".encode()

    return bool(dkim.verify(mail, dnsfunc=lookup))


def a_mail(name: str = "Anna", locale: str = "fr") -> bytes:
    reader = Reader(Person(name=name), snapshot("anna", locale=locale), {"product": "Cloud"})
    links = Links("https://ask.northwind.example/u/" + "u" * 66, "https://ask.northwind.example/s/x")
    letter = invite(Ask(LETTER, NPS, NOW + timedelta(days=30)), reader, ORGANISATION, links)
    posting = Posting(delivery_id("anna"), Address("anna", "customer.example"), NOW, "nps", "invitation")
    return mime.compose(letter, RENDERER.render(letter), posting)


def signer() -> Signer:
    return Signer.load("northwind.example", "s1", pem(RSA))


@pytest.mark.requirement("R56")
def test_a_signed_mail_is_proven_and_unchanged_below_its_signature() -> None:
    mail = a_mail()
    signed = signer().sign(mail)
    assert signed.endswith(mail)
    assert good(signed)
    assert max(map(len, signed.split(b"\r\n"))) < 998


@pytest.mark.parametrize("name", SIGNED)
def test_no_signed_header_can_be_changed(name: str) -> None:
    signed = signer().sign(a_mail())
    lines = signed.split(b"\r\n")
    index = next(i for i, line in enumerate(lines) if line.lower().startswith(name.encode() + b":"))
    lines[index] = lines[index] + b"x"
    assert not good(b"\r\n".join(lines))


def test_no_byte_of_the_body_can_be_changed() -> None:
    signed = signer().sign(a_mail())
    assert not good(signed.replace(b"base64\r\n\r\n", b"base64\r\n\r\nAAAA", 1))


@settings(max_examples=25, deadline=None)
@given(
    st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters=":"), max_size=40),
    st.lists(st.text(st.sampled_from("ab \t."), max_size=12), max_size=6),
)
def test_whatever_spaces_a_mail_has_the_oracle_agrees(subject: str, lines: list[str]) -> None:
    head = f"From: karin@northwind.example\r\nSubject:  {subject} \r\n\tfolded\r\n\r\n"
    assert good(signer().sign((head + "\r\n".join(["x", *lines, ""])).encode()))


@pytest.mark.parametrize("selector", ["", "a b", "x;y", "-a"])
def test_a_selector_is_a_name(selector: str) -> None:
    with pytest.raises(ValueError, match="selector"):
        Signer.load("northwind.example", selector, pem(RSA))


def test_other_keys_are_refused() -> None:
    with pytest.raises(ValueError, match="RSA of 1024"):
        Signer.load("northwind.example", "s1", pem(ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(ValueError, match="PEM"):
        Signer.load("northwind.example", "s1", b"no key")
