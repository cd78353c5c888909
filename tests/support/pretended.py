"""A partner of a test behind a mock transport: it fails, or loses its answer, when it is told to."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass
class Pretended(ABC):
    """Answers requests as the partner's documents say, and remembers them.

    Attributes:
        asked: the requests that came.
        fails: answers to the next requests, instead of its own.
        fails_writing: answers to the next requests that write what the test is about.
        lose_answer: the next such request is done, and whoever made it does not hear of it.
    """

    asked: list[httpx.Request] = field(default_factory=list)
    fails: list[httpx.Response | Exception] = field(default_factory=list)
    fails_writing: list[httpx.Response | Exception] = field(default_factory=list)
    lose_answer: bool = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        self.asked.append(request)
        writing = self.is_write(request)
        failing = self.fails or (self.fails_writing if writing else [])
        if failing:
            failure = failing.pop(0)
            if isinstance(failure, Exception):
                raise failure
            return failure
        form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        body = json.loads(request.content) if request.content and not form else {}
        answer = self.answer(request, body)
        if self.lose_answer and writing:
            self.lose_answer = False
            raise httpx.ReadError("cut", request=request)
        return answer

    @abstractmethod
    def answer(self, request: httpx.Request, body: Any) -> httpx.Response:
        """What the partner does with a request."""

    @abstractmethod
    def is_write(self, request: httpx.Request) -> bool:
        """Whether it is a request to write what the test is about."""
