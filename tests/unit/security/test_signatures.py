import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.security.signatures import (
    RawHeaders,
    Refusal,
    Refused,
    Signed,
    WebhookSecret,
    sign_standard,
    sign_zendesk,
    verify_standard,
    verify_zendesk,
)

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BODY = b'{"type": "order.delivered", "id": 7}'
SECRET = WebhookSecret.standard("whsec_" + base64.b64encode(b"k" * 32).decode())
OTHER = WebhookSecret.standard("whsec_" + base64.b64encode(b"o" * 32).decode())
ZENDESK = WebhookSecret.plain("dGhpcyBpcyBwbGFpbiB0ZXh0")


def raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode("utf-8")) for name, value in headers.items()]


def standard(**changed: str) -> list[tuple[bytes, bytes]]:
    headers = sign_standard("msg_1", NOW, BODY, SECRET)
    return raw(headers | {"webhook-" + name: value for name, value in changed.items()})


def refusal(headers: RawHeaders, body: bytes = BODY) -> Refusal | None:
    verdict = verify_standard(headers, body, [SECRET], NOW)
    return verdict.reason if isinstance(verdict, Refused) else None


def test_the_vector_of_the_standard_verifies() -> None:
    secret = WebhookSecret.standard("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    at = datetime.fromtimestamp(1614265330, UTC)
    headers = raw(
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        }
    )
    verdict = verify_standard(headers, b'{"test": 2432232314}', [secret], at)
    assert verdict == Signed("msg_p5jXN8AQM9LWM0D4loKWxJek", at)


def test_what_we_sign_verifies() -> None:
    assert verify_standard(standard(), BODY, [SECRET], NOW) == Signed("msg_1", NOW)


def test_any_of_several_secrets_and_several_signatures_will_do() -> None:
    good = dict(standard())[b"webhook-signature"].decode()
    headers = standard(signature=f"v1,bm90IHRoaXMgb25l v2,x {good} garbage")
    assert verify_standard(headers, BODY, [OTHER, SECRET], NOW) == Signed("msg_1", NOW)


def test_another_endpoints_secret_does_not_open_this_one() -> None:
    assert verify_standard(standard(), BODY, [OTHER], NOW) == Refused(Refusal.BAD_SIGNATURE)


def test_without_a_secret_nothing_is_believed() -> None:
    assert verify_standard(standard(), BODY, [], NOW) == Refused(Refusal.NO_SECRET)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(BODY[:-1] + b"]", id="one byte altered"),
        pytest.param(
            json.dumps(json.loads(BODY), separators=(",", ":")).encode(), id="same JSON, written anew"
        ),
        pytest.param(b"", id="emptied"),
        pytest.param(BODY + b"\n", id="newline added"),
    ],
)
def test_the_signature_is_over_the_raw_bytes(body: bytes) -> None:
    assert refusal(standard(), body) is Refusal.BAD_SIGNATURE


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param("v1,", id="empty"),
        pytest.param("v1,%%%%", id="no base64"),
        pytest.param("v1,ñandú", id="not ascii"),
        pytest.param("v1a,c2ln", id="another version"),
        pytest.param("", id="nothing"),
        pytest.param("v1," + "A" * 1000, id="long"),
        pytest.param(" ".join(["v1,QQ=="] * 200), id="many"),
    ],
)
def test_hostile_signatures_are_refused(signature: str) -> None:
    assert refusal(standard(signature=signature)) is Refusal.BAD_SIGNATURE


@pytest.mark.parametrize(
    "timestamp",
    ["1e9", "-1", "+inf", "nan", "9" * 20, "9" * 12, "1772452800.5", " 1772452800", "0x6", "", "٣٤٥", "1_0"],
)
def test_hostile_timestamps_are_refused(timestamp: str) -> None:
    assert refusal(standard(timestamp=timestamp)) is Refusal.BAD_TIMESTAMP


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        pytest.param(timedelta(seconds=300), None, id="five minutes old"),
        pytest.param(timedelta(seconds=301), Refusal.TOO_OLD, id="a second more"),
        pytest.param(timedelta(seconds=-300), None, id="five minutes ahead"),
        pytest.param(timedelta(seconds=-301), Refusal.TOO_NEW, id="a second more ahead"),
    ],
)
def test_the_signed_time_has_a_window_both_ways(age: timedelta, expected: Refusal | None) -> None:
    assert refusal(raw(sign_standard("msg_1", NOW - age, BODY, SECRET))) is expected


def test_a_moved_timestamp_breaks_the_signature() -> None:
    later = str(int(NOW.timestamp()) + 1)
    assert refusal(standard(timestamp=later)) is Refusal.BAD_SIGNATURE


@pytest.mark.parametrize("name", [b"webhook-id", b"webhook-timestamp", b"webhook-signature"])
def test_each_header_must_be_there_once(name: bytes) -> None:
    headers = standard()
    assert refusal([line for line in headers if line[0] != name]) is Refusal.MISSING_HEADER
    again = next(line for line in headers if line[0] == name)
    assert refusal([*headers, again]) is Refusal.DUPLICATE_HEADER


@pytest.mark.parametrize("message_id", ["", "a b", "a\x00b", "a\r\nb", "é", "x" * 256])
def test_an_id_that_could_not_be_stored_or_logged_is_refused(message_id: str) -> None:
    assert refusal(raw(sign_standard(message_id, NOW, BODY, SECRET))) is Refusal.BAD_HEADER


def test_an_endless_header_is_refused() -> None:
    assert refusal(standard(signature="v1,QQ== " * 1000)) is Refusal.BAD_HEADER


@given(
    st.lists(st.tuples(st.binary(max_size=30), st.binary(max_size=60)), max_size=6), st.binary(max_size=60)
)
def test_no_headers_and_body_are_signed_by_chance(headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    assert isinstance(verify_standard(headers, body, [SECRET], NOW), Refused)
    assert isinstance(verify_zendesk(headers, body, [ZENDESK], NOW), Refused)


@given(st.binary(max_size=60), st.binary(max_size=60), st.binary(max_size=200))
def test_no_header_values_raise(message_id: bytes, timestamp: bytes, signature: bytes) -> None:
    named = [
        (b"webhook-id", message_id),
        (b"webhook-timestamp", timestamp),
        (b"webhook-signature", signature),
    ]
    assert isinstance(verify_standard(named, BODY, [SECRET], NOW), Refused)
    zendesk = [
        (b"x-zendesk-webhook-signature", signature),
        (b"x-zendesk-webhook-signature-timestamp", timestamp),
        (b"x-zendesk-webhook-invocation-id", message_id),
    ]
    assert isinstance(verify_zendesk(zendesk, BODY, [ZENDESK], NOW), Refused)


@pytest.mark.parametrize("text", ["whsec_", "whsec_short", "whsec_" + "A" * 8, "not base64 at all!", ""])
def test_a_weak_or_unreadable_secret_is_refused_unquoted(text: str) -> None:
    with pytest.raises(ValueError, match="webhook secret") as caught:
        WebhookSecret.standard(text)
    assert text not in str(caught.value) or text in {"", "whsec_"}


def test_an_empty_zendesk_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        WebhookSecret.plain("  ")


def test_a_secret_is_not_shown() -> None:
    assert "kkk" not in repr(SECRET)


def test_every_refusal_says_what_to_do() -> None:
    for reason in Refusal:
        assert Refused(reason).what_to_do.endswith(".")


def zendesk(
    extra: dict[str, str] | None = None, *, body: bytes = BODY, at: datetime = NOW
) -> list[tuple[bytes, bytes]]:
    return raw(sign_zendesk(ZENDESK, at, body) | (extra or {}))


def test_zendesk_signs_time_and_body() -> None:
    headers = zendesk({"X-Zendesk-Webhook-Invocation-Id": "01HZ"})
    assert verify_zendesk(headers, BODY, [OTHER, ZENDESK], NOW) == Signed("01HZ", NOW)


def test_zendesk_without_an_invocation_id_has_no_message_id() -> None:
    assert verify_zendesk(zendesk(), BODY, [ZENDESK], NOW) == Signed(None, NOW)
    hostile = zendesk({"X-Zendesk-Webhook-Invocation-Id": "a b"})
    assert verify_zendesk(hostile, BODY, [ZENDESK], NOW) == Signed(None, NOW)


def test_zendesk_may_sign_an_empty_body() -> None:
    assert verify_zendesk(zendesk(body=b""), b"", [ZENDESK], NOW) == Signed(None, NOW)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({"X-Zendesk-Webhook-Signature": "ñ"}, Refusal.BAD_SIGNATURE, id="not ascii"),
        pytest.param({"X-Zendesk-Webhook-Signature": ""}, Refusal.BAD_SIGNATURE, id="empty"),
        pytest.param(
            {"X-Zendesk-Webhook-Signature-Timestamp": "1772452800"}, Refusal.BAD_TIMESTAMP, id="unix"
        ),
        pytest.param(
            {"X-Zendesk-Webhook-Signature-Timestamp": "2026-03-02T12:00:00"},
            Refusal.BAD_TIMESTAMP,
            id="no zone",
        ),
        pytest.param(
            {"X-Zendesk-Webhook-Signature-Timestamp": "0001-01-01T00:00:00+14:00"},
            Refusal.BAD_TIMESTAMP,
            id="before the first year",
        ),
        pytest.param(
            {"X-Zendesk-Webhook-Signature-Timestamp": "2026-03-02T12:00:01Z"},
            Refusal.BAD_SIGNATURE,
            id="moved",
        ),
    ],
)
def test_hostile_zendesk_headers_are_refused(changed: dict[str, str], expected: Refusal) -> None:
    assert verify_zendesk(zendesk(changed), BODY, [ZENDESK], NOW) == Refused(expected)


def test_zendesk_has_the_same_window() -> None:
    old = zendesk(at=NOW - timedelta(seconds=301))
    new = zendesk(at=NOW + timedelta(seconds=301))
    assert verify_zendesk(old, BODY, [ZENDESK], NOW) == Refused(Refusal.TOO_OLD)
    assert verify_zendesk(new, BODY, [ZENDESK], NOW) == Refused(Refusal.TOO_NEW)
    assert verify_zendesk(zendesk(), BODY, [], NOW) == Refused(Refusal.NO_SECRET)
    assert verify_zendesk([], BODY, [ZENDESK], NOW) == Refused(Refusal.MISSING_HEADER)
