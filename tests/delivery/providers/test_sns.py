"""Amazon's signature is really checked, for our topic alone, with a certificate from Amazon's host alone."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from delivery.providers import PROVIDERS, UnreadableReceiptError, WebhookRequest
from delivery.providers.contract import ProofUnavailableError
from delivery.providers.sns import confirmation_url, message, string_to_sign, verify

TOPIC = "arn:aws:sns:eu-central-1:123456789012:ses-events"
CERTIFICATE = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0000.pem"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=36_500))
        .sign(KEY, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM)


PEM = certificate()


class Fetched:
    """Stands for the network: gives the certificate and notes who asked for what."""

    def __init__(self) -> None:
        self.urls: list[str] = []

    def __call__(self, url: str) -> bytes:
        self.urls.append(url)
        return PEM


def notification(version: str = "2", **changes: str) -> dict[str, object]:
    found: dict[str, object] = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": '{"eventType": "Delivery"}',
        "Timestamp": "2026-01-01T00:00:00.000Z",
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE,
        **changes,
    }
    digest = hashes.SHA1() if version == "1" else hashes.SHA256()  # noqa: S303 - version 1
    found["Signature"] = base64.b64encode(KEY.sign(string_to_sign(found), padding.PKCS1v15(), digest)).decode()
    return found


def request(found: object) -> WebhookRequest:
    return WebhookRequest("https://shop.example/hooks/abc/", json.dumps(found).encode(), {})


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("changes", [{}, {"Subject": "Amazon SES"}])
def test_a_signed_notification_of_our_topic_is_believed(version: str, changes: dict[str, str]) -> None:
    fetched = Fetched()
    assert verify(request(notification(version, **changes)), [TOPIC], fetched)
    assert fetched.urls == [CERTIFICATE]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Message", '{"eventType": "Bounce"}'),
        ("Signature", "bm9wZQ=="),
        ("Signature", "not base64!"),
        ("SignatureVersion", "3"),
        ("SigningCertURL", "https://sns.eu-central-1.amazonaws.com.evil.example/SimpleNotificationService-0000.pem"),
        ("SigningCertURL", "http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0000.pem"),
        ("SigningCertURL", "https://evil@sns.eu-central-1.amazonaws.com/SimpleNotificationService-0000.pem"),
        ("SigningCertURL", "https://sns.eu-central-1.amazonaws.com:444/SimpleNotificationService-0000.pem"),
        ("SigningCertURL", "https://sns.eu-central-1.amazonaws.com/mine.pem"),
        ("SigningCertURL", "https://s3.amazonaws.com/SimpleNotificationService-0000.pem"),
        ("SigningCertURL", ""),
    ],
)
def test_a_forged_notification_is_not_believed(name: str, value: str) -> None:
    fetched = Fetched()
    assert not verify(request({**notification(), name: value}), [TOPIC], fetched)
    assert all(url == CERTIFICATE for url in fetched.urls)


def test_a_topic_of_somebody_else_is_not_believed_though_amazon_signed_it() -> None:
    foreign = notification(TopicArn="arn:aws:sns:us-east-1:999999999999:mine")
    assert not verify(request(foreign), [TOPIC, ""], Fetched())


def test_a_certificate_that_cannot_be_had_proves_nothing() -> None:
    def fails(url: str) -> bytes:
        raise OSError(url)

    with pytest.raises(ProofUnavailableError):
        verify(request(notification()), [TOPIC], fails)
    foreign = notification(TopicArn="arn:aws:sns:us-east-1:999999999999:mine")
    assert not verify(request(foreign), [TOPIC], fails)  # nobody can make us fetch
    assert not verify(request(notification()), [TOPIC], lambda _: b"no certificate")


def test_a_new_subscription_is_confirmed_at_amazon_only() -> None:
    handshake = {"Type": "SubscriptionConfirmation", "SubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=x"}
    assert confirmation_url(request(handshake)) == "https://sns.eu-central-1.amazonaws.com/?Action=x"
    assert confirmation_url(request({**handshake, "SubscribeURL": "https://evil.example/"})) == ""
    assert confirmation_url(request(notification())) == ""
    assert PROVIDERS["amazon_ses"].follow_up(request(handshake)) == "https://sns.eu-central-1.amazonaws.com/?Action=x"
    assert PROVIDERS["postmark"].follow_up(request(handshake)) == ""


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"[" * 100_000, b"\xff"])
def test_what_is_no_sns_message_is_said_so(body: bytes) -> None:
    with pytest.raises(UnreadableReceiptError):
        message(WebhookRequest("", body, {}))
