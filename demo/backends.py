"""The company's systems: backends that write to Kafka, and a helpdesk that calls the webhook."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from contextlib import suppress

import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from demo.patience import patiently
from demo.story import Happening
from shared.runtime.clock import SystemMachine

TOPIC = "afterword.touchpoints"


class Backends:
    """CRM and shop: each event is repeated until the broker has acked it."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._producer: AIOKafkaProducer | None = None

    async def tell(self, happenings: list[Happening]) -> None:
        """Write events as CloudEvents in binary mode."""

        async def attempt() -> None:
            try:
                producer = await self._connected()
                acks = [
                    await producer.send(
                        *(TOPIC, json.dumps(h.data).encode()), key=h.key.encode(), headers=_attributes(h)
                    )
                    for h in happenings
                ]
                for ack in acks:
                    await ack
            except (KafkaError, OSError):
                await self.close()
                raise

        if happenings:
            await patiently(attempt)

    async def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            self._producer = AIOKafkaProducer(bootstrap_servers=self._bootstrap, acks="all")
            await self._producer.start()
        return self._producer

    async def close(self) -> None:
        """Leave the broker."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError, OSError):
                await producer.stop()


def _attributes(happening: Happening) -> list[tuple[str, bytes]]:
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": happening.id,
        "ce_source": f"/nordlicht/{happening.by}",
        "ce_type": happening.type,
        "ce_time": happening.at.isoformat(),
        "content-type": "application/json",
    }
    return [(name, value.encode()) for name, value in attributes.items()]


class Helpdesk:
    """Zendesk, as its webhook with the documented trigger body looks."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = url
        self._secret = secret
        self.refused = 0

    async def tell(self, happening: Happening) -> None:
        """Call the webhook until it says yes, as Zendesk does; a wrong signature is refused for good."""
        body = json.dumps(_ticket(happening)).encode()
        stamp = SystemMachine().wall().isoformat(timespec="seconds").replace("+00:00", "Z")
        secret = "wrong" if happening.by == "forger" else self._secret
        digest = hmac.digest(secret.encode(), stamp.encode() + body, hashlib.sha256)
        headers = {
            "content-type": "application/json",
            "X-Zendesk-Webhook-Signature": base64.b64encode(digest).decode(),
            "X-Zendesk-Webhook-Signature-Timestamp": stamp,
            "X-Zendesk-Webhook-Invocation-Id": happening.id,
        }

        async def attempt() -> None:
            async with httpx.AsyncClient(timeout=15) as client:
                answer = await client.post(f"{self._url}/webhooks/zendesk", content=body, headers=headers)
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                self.refused += 1
                return
            answer.raise_for_status()

        await patiently(attempt)


def _ticket(happening: Happening) -> dict[str, object]:
    if happening.by == "forger":
        return {"ticket": {"id": "1", "status": "Solved"}}
    account, contact = happening.data["account"], happening.data["contact"]
    return {
        "ticket": {
            "id": happening.data["ticket"],
            "status": happening.type.capitalize(),
            "previous_status": "Solved" if happening.type == "open" else "Open",
            "updated_at_with_timestamp": happening.at.isoformat(),
            "requester": {"email": contact.email, "name": contact.name, "external_id": contact.id},
            "organization": {"name": account.name, "external_id": account.id},
            "assignee": {"name": "Support Team"},
        }
    }
