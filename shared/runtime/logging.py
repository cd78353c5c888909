"""One JSON line per thing that happened; names of events, never sentences, never personal data."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_FORBIDDEN = frozenset(
    {"email", "phone", "name", "words", "text", "token", "person", "address", "body", "value"}
)


def _redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for field in _FORBIDDEN & event.keys():
        event[field] = "[redacted]"
    return event


def configure(level: str = "info", *, human: bool = False) -> None:
    """Set up logging of this process: JSON lines on standard error, or aligned text for a person."""
    renderer: Any = structlog.dev.ConsoleRenderer() if human else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _redact,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries log sentences that may hold addresses; only their warnings pass, as lines like ours.
    theirs = logging.StreamHandler(sys.stderr)
    theirs.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[theirs])
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def get_logger(area: str) -> structlog.typing.FilteringBoundLogger:
    """A logger bound to an area of the code."""
    logger: structlog.typing.FilteringBoundLogger = structlog.get_logger(area=area)
    return logger
