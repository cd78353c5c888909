"""Messages of Amazon SNS, believed by their signature alone; and the addresses in them that may be asked.

A message names the certificate that proves it, so the one thing that keeps forgers from naming their own is
which addresses are taken: exactly as SNS writes them, never read by one parser and asked by another.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}
_TOPIC = re.compile(r"arn:(aws|aws-cn|aws-us-gov):sns:([a-z0-9-]{3,30}):[0-9]+:[A-Za-z0-9_.-]{1,256}")
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[A-Za-z0-9]{1,64}\.pem")
_CONFIRMING = re.compile(r"/\?Action=ConfirmSubscription(&[A-Za-z]+=[A-Za-z0-9%:._~-]+)+")


def certificate_url(message: Mapping[str, Any], topics: Sequence[str]) -> str:
    """Where the certificate of a message of one of our topics lies; "" unless SNS itself has it there."""
    url = message.get("SigningCertURL") or message.get("SigningCertUrl")
    return _own(message, url, topics, _CERTIFICATE)


def confirmation_url(message: Mapping[str, Any], topics: Sequence[str]) -> str:
    """What is asked to say yes to a subscription; "" unless it is SNS itself, about one of our topics."""
    return _own(message, message.get("SubscribeURL"), topics, _CONFIRMING)


def is_signed(message: Mapping[str, Any], certificate: bytes, topics: Sequence[str]) -> bool:
    """Whether SNS signed a message of one of our topics with the key of a certificate."""
    names = _SIGNED.get(str(message.get("Type")))
    if names is None or message.get("TopicArn") not in topics:
        return False
    text = "".join(f"{name}\n{message[name]}\n" for name in names if isinstance(message.get(name), str))
    digest = hashes.SHA256() if message.get("SignatureVersion") == "2" else hashes.SHA1()  # noqa: S303 - version 1 of the scheme
    try:
        key = x509.load_pem_x509_certificate(certificate).public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            return False
        signature = base64.b64decode(str(message.get("Signature", "")), validate=True)
        key.verify(signature, text.encode(), padding.PKCS1v15(), digest)
    except (InvalidSignature, ValueError):
        return False
    return True


def is_certificate(content: bytes) -> bool:
    """Whether a document can be a signing certificate, and is worth keeping."""
    try:
        return isinstance(x509.load_pem_x509_certificate(content).public_key(), rsa.RSAPublicKey)
    except ValueError:
        return False


def _own(message: Mapping[str, Any], url: object, topics: Sequence[str], path: re.Pattern[str]) -> str:
    """An address as it stands, if it is https, SNS's host in the topic's own region, and a path it has."""
    topic = message.get("TopicArn")
    found = _TOPIC.fullmatch(topic) if isinstance(topic, str) and topic in topics else None
    if found is None or not isinstance(url, str):
        return ""
    origin = f"https://sns.{found[2]}.amazonaws.com{'.cn' if found[1] == 'aws-cn' else ''}"
    return url if url.startswith(origin) and path.fullmatch(url, len(origin)) else ""
