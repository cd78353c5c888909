"""SNS is believed by its own signature, and no address is asked that only looks like one of SNS."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from services.dispatch.api.returns import Proofs, believed
from services.dispatch.channels.fetch import KEPT_SECONDS, MAX_BYTES, MOST_KEPT, Kept, fetch
from services.dispatch.webhooks import sns
from shared.errors import Unavailable
from shared.runtime.clock import FakeMachine
from shared.web.problems import Problem
from tests.support.certificates import self_signed

TOPIC = "arn:aws:sns:eu-north-1:1:ses"
CHINA = "arn:aws-cn:sns:cn-north-1:1:ses"
HOST = "https://sns.eu-north-1.amazonaws.com"
CERTIFICATE = f"{HOST}/SimpleNotificationService-0aB9.pem"
YES = f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37"


@pytest.fixture(scope="module")
def authority() -> tuple[rsa.RSAPrivateKey, bytes]:
    return self_signed("sns.amazonaws.com")


def signed(key: rsa.RSAPrivateKey, version: str = "2", **fields: str) -> dict[str, Any]:
    """A message as SNS signs it: fields by name, each on lines of its own, if it is there."""
    message = {
        "Type": "Notification",
        "MessageId": "m1",
        "TopicArn": TOPIC,
        "Message": "{}",
        "Timestamp": "2026-03-03T09:00:00.000Z",
        "SignatureVersion": version,
        **fields,
    }
    names = ("Message", "MessageId", "SubscribeURL", "Subject", "Timestamp", "Token", "TopicArn", "Type")
    text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
    digest = hashes.SHA256() if version == "2" else hashes.SHA1()  # noqa: S303 - version 1 of the scheme
    message["Signature"] = base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), digest)).decode()
    return message


@pytest.mark.parametrize("version", ["1", "2"])
def test_sns_is_believed_by_its_signature(authority: tuple[rsa.RSAPrivateKey, bytes], version: str) -> None:
    key, certificate = authority
    message = signed(key, version)
    assert sns.is_signed(message, certificate, [TOPIC])
    assert not sns.is_signed(message, certificate, ["arn:other"])
    assert not sns.is_signed(message | {"Message": "{ }"}, certificate, [TOPIC])
    assert not sns.is_signed(message | {"Subject": "x"}, certificate, [TOPIC])
    assert not sns.is_signed(message | {"Signature": "!"}, certificate, [TOPIC])
    assert not sns.is_signed(message, b"no certificate", [TOPIC])


TRICKY = [
    pytest.param("http://sns.eu-north-1.amazonaws.com/SimpleNotificationService-1.pem", id="no TLS"),
    pytest.param("HTTPS://SNS.eu-north-1.amazonaws.com/SimpleNotificationService-1.pem", id="capitals"),
    pytest.param(
        "https://sns.eu-north-1.amazonaws.com.evil.example/SimpleNotificationService-1.pem", id="longer"
    ),
    pytest.param(
        "https://evil.example/sns.eu-north-1.amazonaws.com/SimpleNotificationService-1.pem", id="path"
    ),
    pytest.param(
        "https://sns.eu-north-1.amazonaws.com@evil.example/SimpleNotificationService-1.pem", id="user"
    ),
    pytest.param(
        "https://evil.example\\@sns.eu-north-1.amazonaws.com/SimpleNotificationService-1.pem", id="slash"
    ),
    pytest.param(
        "https://evil.example#@sns.eu-north-1.amazonaws.com/SimpleNotificationService-1.pem", id="hash"
    ),
    pytest.param("https://sns.eu-north-1.amazonaws.com:8443/SimpleNotificationService-1.pem", id="port"),
    pytest.param("https://sns.eu-north-1.amazonaws.com:99999/SimpleNotificationService-1.pem", id="no port"),
    pytest.param("https://sns.eu-north-1.amazonaws.com./SimpleNotificationService-1.pem", id="dot"),
    pytest.param("https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem", id="other region"),
    pytest.param(
        "https://sns.eu-north-1.amazonaws.com.cn/SimpleNotificationService-1.pem", id="other partition"
    ),
    pytest.param("https://sns.eu-north-1.xamazonaws.com/SimpleNotificationService-1.pem", id="other domain"),
    pytest.param("https://sns-eu-north-1.amazonaws.com/SimpleNotificationService-1.pem", id="hyphen"),
    pytest.param("https://bucket.s3.eu-north-1.amazonaws.com/SimpleNotificationService-1.pem", id="bucket"),
    pytest.param(f"{HOST}/SimpleNotificationService-1.pem?x", id="query"),
    pytest.param(f"{HOST}/SimpleNotificationService-1.pem\n", id="line break"),
    pytest.param(f"{HOST}/../SimpleNotificationService-1.pem", id="climbing"),
    pytest.param(f"{HOST}/?Action=Publish&Message=.pem", id="an action"),
    pytest.param(f"{HOST}/x.pem", id="other name"),
    pytest.param("https://[::1/SimpleNotificationService-1.pem", id="bracket"),
    pytest.param("", id="empty"),
    pytest.param(7, id="number"),
    pytest.param(None, id="none"),
]


@pytest.mark.parametrize("url", TRICKY)
def test_nothing_but_sns_is_asked(url: object) -> None:
    told = {"TopicArn": TOPIC, "SigningCertURL": url, "SubscribeURL": url}
    assert sns.certificate_url(told, [TOPIC]) == ""
    assert sns.confirmation_url(told, [TOPIC]) == ""


@pytest.mark.parametrize("topic", ["arn:aws:sns:eu-north-1:1:other", "", None, ["x"], "no arn"])
def test_nothing_is_asked_about_a_topic_that_is_not_ours(topic: object) -> None:
    told = {"TopicArn": topic, "SigningCertURL": CERTIFICATE, "SubscribeURL": YES}
    assert sns.certificate_url(told, [TOPIC]) == ""
    assert sns.confirmation_url(told, [TOPIC, "no arn"]) == ""


def test_the_addresses_that_sns_writes_are_taken_as_they_stand() -> None:
    told = {"TopicArn": TOPIC, "SigningCertURL": CERTIFICATE, "SubscribeURL": YES}
    assert sns.certificate_url(told, [TOPIC]) == CERTIFICATE
    assert sns.confirmation_url(told, [TOPIC]) == YES
    url = "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-1.pem"
    assert sns.certificate_url({"TopicArn": CHINA, "SigningCertURL": url}, [CHINA]) == url


async def asked(message: dict[str, Any], certificate: bytes) -> tuple[str, list[str]]:
    """What becomes of a message, and which addresses were asked on the way."""
    urls: list[str] = []

    async def get(url: str) -> bytes:
        urls.append(url)
        return certificate

    try:
        taken = await believed(message, Proofs(sns_topics=(TOPIC,)), get, get)
    except Problem as problem:
        return str(problem.status_code), urls
    return ("notification" if taken else "confirmed"), urls


async def test_a_subscription_is_confirmed_at_sns_alone(authority: tuple[rsa.RSAPrivateKey, bytes]) -> None:
    key, certificate = authority
    fields = {"Type": "SubscriptionConfirmation", "Token": "t", "SigningCertURL": CERTIFICATE}
    good = signed(key, **fields, SubscribeURL=YES)
    assert await asked(good, certificate) == ("confirmed", [CERTIFICATE, YES])
    elsewhere = signed(key, **fields, SubscribeURL="https://evil.example/")
    assert await asked(elsewhere, certificate) == ("401", [CERTIFICATE])
    forged = good | {"SubscribeURL": YES + "0"}
    assert await asked(forged, certificate) == ("401", [CERTIFICATE])
    assert await asked(good | {"SigningCertURL": "https://evil.example/x.pem"}, certificate) == ("401", [])
    assert await asked(signed(key, SigningCertURL=CERTIFICATE), certificate) == (
        "notification",
        [CERTIFICATE],
    )


async def test_no_redirect_is_followed_and_no_large_answer_read() -> None:
    urls: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        urls.append(str(request.url))
        if request.url.path == "/moved":
            return httpx.Response(302, headers={"location": "http://169.254.169.254/"})
        size = MAX_BYTES + (request.url.path == "/large")
        return httpx.Response(200, content=b"x" * size)

    transport = httpx.MockTransport(answer)
    assert len(await fetch(f"{HOST}/ok", transport)) == MAX_BYTES
    for path in ("/moved", "/large"):
        with pytest.raises(Unavailable):
            await fetch(f"{HOST}{path}", transport)
    assert urls == [f"{HOST}/ok", f"{HOST}/moved", f"{HOST}/large"]


async def test_a_certificate_is_fetched_once_a_day_and_what_is_none_is_not_kept(
    authority: tuple[rsa.RSAPrivateKey, bytes],
) -> None:
    machine, asked_for = FakeMachine(), []

    async def fetch(url: str) -> bytes:
        asked_for.append(url)
        return b"<html>busy</html>" if "busy" in url else authority[1]

    kept = Kept(fetch, machine, sns.is_certificate)
    for _ in range(2):
        assert await kept.get(CERTIFICATE) == authority[1]
    machine.advance(KEPT_SECONDS - 1)
    await kept.get(CERTIFICATE)
    assert asked_for == [CERTIFICATE]
    machine.advance(1)
    await kept.get(CERTIFICATE)
    assert asked_for == [CERTIFICATE] * 2
    for _ in range(2):
        assert await kept.get("busy") == b"<html>busy</html>"
    assert asked_for == [CERTIFICATE] * 2 + ["busy"] * 2
    others = [f"other{n}" for n in range(MOST_KEPT - 1)]
    for url in [*others, CERTIFICATE]:
        await kept.get(url)
    assert asked_for[4:] == others, "as many are kept"
    await kept.get("one more")
    await kept.get(CERTIFICATE)
    assert asked_for[-2:] == ["one more", CERTIFICATE], "the oldest had to go"
