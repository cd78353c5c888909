import base64

import pytest

from shared.security.keyring import KeyRing, KeyRingError, decode_secret

ONE = base64.b64encode(b"1" * 32).decode()
TWO = base64.b64encode(b"2" * 32).decode()


def test_the_first_key_is_current_and_the_others_still_read() -> None:
    ring = KeyRing.parse(f"2:{TWO}, 1:{ONE}")
    assert ring.current == 2
    assert set(ring.secrets) == {1, 2}


def test_a_key_differs_by_purpose() -> None:
    ring = KeyRing.parse(f"1:{ONE}")
    assert ring.derived("token") != ring.derived("data-key")
    assert ring.derived("token") == KeyRing.parse(f"1:{ONE}").derived("token")


def test_a_ring_shows_no_secret() -> None:
    assert "1111" not in repr(KeyRing.parse(f"1:{ONE}"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "is empty", id="empty"),
        pytest.param(ONE, "number:base64", id="no number"),
        pytest.param(f"x:{ONE}", "number:base64", id="no digits"),
        pytest.param(f"0:{ONE}", "out of range", id="zero"),
        pytest.param(f"32:{ONE}", "out of range", id="too high"),
        pytest.param(f"1:{ONE},1:{TWO}", "there twice", id="twice"),
        pytest.param("1:c2hvcnQ=", "at least 32", id="too short"),
        pytest.param("1:%%%", "not base64", id="no base64"),
    ],
)
def test_an_unusable_ring_says_what_to_write(text: str, says: str) -> None:
    with pytest.raises(KeyRingError, match=says):
        KeyRing.parse(text, "AFTERWORD_MASTER_KEYS")


def test_a_bad_secret_is_not_quoted() -> None:
    with pytest.raises(KeyRingError) as caught:
        decode_secret("hunter2-hunter2!!", "AFTERWORD_BLIND_SECRET")
    assert "hunter2" not in str(caught.value)
    assert "AFTERWORD_BLIND_SECRET" in str(caught.value)


def test_url_safe_base64_without_padding_is_taken() -> None:
    secret = b"\xff\xfe" * 17
    text = base64.urlsafe_b64encode(secret).rstrip(b"=").decode()
    assert decode_secret(text, "x") == secret
