"""How we reach a Kafka cluster: settings, the translation of errors, and a stop that always ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any

import structlog
from aiokafka.errors import (
    ConsumerStoppedError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)

from shared.bus.port import BusUnavailable, RecordTooLarge

STOP_SECONDS = 5.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """Which cluster, and how patient we are with it.

    Attributes:
        bootstrap: `host:port`, several separated by commas.
        idempotence: True demands it of the broker, False does without, None takes it where it is offered.
        replication: copies of a topic that we create.
        session_seconds: a silent consumer's partitions move to others after this time.
        request_seconds: a request unanswered for this long has failed.
        produce_seconds: records that no broker took for this long have failed.
        drain_seconds: how long a rebalance waits for the batch in hand to be committed.
        security_protocol: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.
    """

    bootstrap: str
    client_id: str = "afterword"
    idempotence: bool | None = None
    replication: int = 1
    session_seconds: float = 6.0
    request_seconds: float = 10.0
    produce_seconds: float = 5.0
    drain_seconds: float = 10.0
    security_protocol: str = "PLAINTEXT"
    ssl_context: SSLContext | None = None
    sasl_mechanism: str = "PLAIN"
    sasl_username: str | None = None
    sasl_password: str | None = None

    def connection(self) -> dict[str, Any]:
        """Give the arguments that every aiokafka client takes."""
        return {
            "bootstrap_servers": self.bootstrap,
            "client_id": self.client_id,
            "request_timeout_ms": int(self.request_seconds * 1000),
            "retry_backoff_ms": 250,
            "metadata_max_age_ms": 2_000,
            "security_protocol": self.security_protocol,
            "ssl_context": self.ssl_context,
            "sasl_mechanism": self.sasl_mechanism,
            "sasl_plain_username": self.sasl_username,
            "sasl_plain_password": self.sasl_password,
        }


@asynccontextmanager
async def bounded(doing: str, seconds: float) -> AsyncIterator[None]:
    """Let a block take so long, and turn what aiokafka raises into the errors of the port."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except (MessageSizeTooLargeError, RecordListTooLargeError) as error:
        raise RecordTooLarge(f"{doing}: {error!r}") from error
    except (KafkaError, ConsumerStoppedError, OSError) as error:  # asyncio's TimeoutError is an OSError
        raise BusUnavailable(f"{doing}: {error!r}") from error
    except RuntimeError as error:
        # What uvloop says when aiokafka writes to a connection that was lost a moment ago.
        if "handler is closed" not in str(error):
            raise
        raise BusUnavailable(f"{doing}: {error!r}") from error


async def stop_bounded(
    name: str,
    stop: Callable[[], Awaitable[object]],
    close: Callable[[], Awaitable[object]] | None = None,
    *,
    seconds: float = STOP_SECONDS,
) -> None:
    """Run an aiokafka client's stop for so long at most, and raise nothing but our own cancellation.

    With a dead broker `stop()` may raise a CancelledError of its own before it has closed its connections: it
    cancels its tasks and awaits them unshielded. The task's own count tells ours from its own.

    Args:
        name: what stops, for the log.
        stop: the client's stop.
        close: what is left to do when `stop` was torn; closes the sockets.
        seconds: how long each of the two may take.
    """
    for step in (stop, close):
        if step is None:
            return
        try:
            async with asyncio.timeout(seconds):
                await step()
        except asyncio.CancelledError:
            if _being_cancelled():
                raise
        except (KafkaError, OSError, RuntimeError) as error:
            _log.warning("bus_stop_failed", client=name, error=repr(error))
        else:
            return


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
