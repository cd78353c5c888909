"""Server-Sent Events: changes as they come, for pages and programs (`docs/http.md`).

FastAPI writes the wire format and a comment each 15 seconds. Here are who may watch, how many, for how long,
from where on, and the end at a shutdown.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel

from shared.runtime import metrics
from shared.runtime.clock import Machine
from shared.runtime.feed import Feed, News, Watch
from shared.runtime.logging import get_logger
from shared.runtime.loops import pause
from shared.security.access import Principal, Scope, require_scope
from shared.web.problems import Problem

__all__ = ["EventSourceResponse", "Events", "ServerSentEvent", "Streams", "described", "live", "watching"]

MOST = 200
MOST_OF_ONE = 20
LONGEST_SECONDS = 300
"""A stream ends by then and is opened again: whoever may not watch any longer is refused."""
RETRY_SECONDS = 2
SPREAD_SECONDS = 3
USUAL_GAP_SECONDS = 4

Events = AsyncIterator[ServerSentEvent]

log = get_logger("streams")


class Streams:
    """The open streams of a process.

    Args:
        most: how many there may be at once.
        most_of_one: how many of them one reader may have.
    """

    def __init__(self, most: int = MOST, most_of_one: int = MOST_OF_ONE) -> None:
        self.ended = False
        self._most = most
        self._most_of_one = most_of_one
        self._bells: set[asyncio.Event] = set()
        self._readers: Counter[str] = Counter()

    def end(self) -> None:
        """Let all of them end, and open no more: the process stops."""
        self.ended = True
        for bell in self._bells:
            bell.set()

    @contextmanager
    def seat(self, feed: str, reader: str) -> Iterator[asyncio.Event]:
        """A place for one stream; gives what is set when there is something to do for it.

        Raises:
            Problem: 429 the reader has too many open, 503 everybody together has, or the process stops.
        """
        self._refuse(feed, reader)
        bell = asyncio.Event()
        self._bells.add(bell)
        self._readers[reader] += 1
        metrics.STREAMS.labels(feed).inc()
        try:
            yield bell
        finally:
            self._bells.discard(bell)
            self._readers[reader] -= 1
            if not self._readers[reader]:
                del self._readers[reader]
            metrics.STREAMS.labels(feed).dec()

    def _refuse(self, feed: str, reader: str) -> None:
        if self.ended:
            reason, problem = "stopping", Problem(503, "This process is about to stop.", retry_after=1)
        elif self._readers[reader] >= self._most_of_one:
            reason, problem = "own", Problem(
                429,
                f"You have {self._most_of_one} streams open, which is the most for one reader.",
                what_to_do="Close one, or ask with seconds=0 for what is new.",
                retry_after=LONGEST_SECONDS,
            )  # fmt: skip
        elif len(self._bells) >= self._most:
            reason, problem = "full", Problem(
                503,
                f"{len(self._bells)} streams are open here, which is the most (AFTERWORD_STREAMS).",
                what_to_do="Ask with seconds=0 for what is new, or try again later.",
                retry_after=30,
            )  # fmt: skip
        else:
            return
        metrics.STREAMS_REFUSED.labels(feed, reason).inc()
        log.warning("stream_refused", feed=feed, reason=reason, reader=reader)
        raise problem


def watching(feed: Feed, scope: Scope) -> Callable[..., AsyncIterator[Events]]:
    """What a route depends on that sends a feed to whoever has a scope; refuses before it begins."""
    permitted = Depends(require_scope(scope))

    async def opened(
        request: Request,
        reader: Principal = permitted,
        after: Annotated[
            str, Query(max_length=4000, description="the last id that is known, where no header can be sent")
        ] = "",
        last_event_id: Annotated[
            str,
            Header(
                alias="Last-Event-ID",
                max_length=4000,
                description="the last id that came, as browsers send it: what changed since is told",
            ),
        ] = "",
        seconds: Annotated[
            float,
            Query(ge=0, le=LONGEST_SECONDS, description="ends by then; 0: after what there is to tell now"),
        ] = LONGEST_SECONDS,
    ) -> AsyncIterator[Events]:
        place, streams = last_event_id or after, streams_of(request)
        if not seconds:
            yield _once(await feed.since(place))
            return
        with streams.seat(feed.name, reader.actor) as bell:
            async with feed.watched(place, bell) as watch:
                yield _told(watch, streams, feed.machine, seconds)

    return opened


def streams_of(request: Request) -> Streams:
    """The application's `Streams`."""
    streams: Streams = request.app.state.streams
    return streams


async def _once(news: News) -> Events:
    for event in _written(news):
        yield event


async def _told(watch: Watch, streams: Streams, machine: Machine, seconds: float) -> Events:
    """Everything that the watch has to tell, until its time is over or the process stops."""
    ends = machine.monotonic() + seconds
    yield ServerSentEvent(retry=_retry(watch))
    while not watch.behind:
        watch.rung.clear()
        news = watch.take()
        for event in _written(news) if news else ():
            yield event
        if streams.ended:
            return
        if not watch.rung.is_set():
            await pause(watch.rung, ends - machine.monotonic())
        if not watch.rung.is_set():
            return


def _retry(watch: Watch) -> int:
    """Milliseconds until a lost stream is opened again; not the same for all, or all would come at once."""
    return 1000 * RETRY_SECONDS + hash(watch) % (1000 * SPREAD_SECONDS)


def _written(news: News) -> Iterator[ServerSentEvent]:
    """Events of news; the last one carries the place, so that a part of them is never taken for the whole."""
    last = len(news.changes)
    for number, change in enumerate(news.changes, start=1):
        place = news.place if number == last else None
        yield ServerSentEvent(event=change.kind, raw_data=change.data, id=place)
    if not news.changes:
        yield ServerSentEvent(id=news.place, comment="up to date")


def live(
    path: str,
    kind: str,
    place: str,
    *,
    every: int = 0,
    about: Mapping[str, str] | None = None,
    gap: int = USUAL_GAP_SECONDS,
) -> Mapping[str, str | int]:
    """What the template `live.html` needs to keep a page up to date.

    Args:
        path: address of the stream.
        kind: name of the events after which the page is asked for again.
        place: of the page; taken before anything that it shows was read.
        every: seconds after which it is asked for anyway, because clocks run on it; 0: never.
        about: fields of the events with the values that concern the page; others change nothing on it.
        gap: seconds between two askings at least; more for a page that is dear to make.
    """
    return {
        "stream": f"{path}?{urlencode({'after': place})}",
        "events": kind,
        "every": every,
        "about": json.dumps(about or {}),
        "gap": gap,
    }


def described(kind: str, model: type[BaseModel]) -> dict[str, Any]:
    """What the description of an interface says of a stream: one kind of event, the model its data."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    schema.pop("$defs", None)  # enumerations that other answers name too
    item = {
        "properties": {
            "event": {"const": kind},
            "data": {"contentMediaType": "application/json", "contentSchema": schema},
        }
    }
    return {"responses": {"200": {"content": {"text/event-stream": {"itemSchema": item}}}}}
