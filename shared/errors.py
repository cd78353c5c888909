"""The exceptions of Afterword; the class tells a loop what to do with a record.

AfterwordError
├── Undecodable     the bytes are not an event: dead letter at once
├── Unprocessable   a readable event that can never work: dead letter at once
├── Unavailable     infrastructure is away: roll back, wait, same record again
├── CannotStart     a setting, or a file that one names, cannot be used: say so and end
└── SendError       a partner refused or failed; says whether repeating can help
"""

from __future__ import annotations

from datetime import timedelta


class AfterwordError(Exception):
    """Any failure that Afterword itself names."""


class Undecodable(AfterwordError):
    """The bytes of a record are not a readable event; the message names the field and the reason."""


class Unprocessable(AfterwordError):
    """The event is readable but can never be handled; the message names the field and the reason."""


class Unavailable(AfterwordError):
    """Postgres, the broker or another part of the house is away; the same work will succeed later."""


class CannotStart(AfterwordError):
    """A setting, or a file that one names, cannot be used; the message names it, why and what to do."""


class SendError(AfterwordError):
    """A partner did not take what was sent.

    Attributes:
        permanent: repeating the same call cannot help.
        uncertain: the partner may have taken it; only an idempotent call may be repeated.
        retry_after: how long the partner asked to wait, if it said so.
        status: of the partner's HTTP answer; 0 where there was none.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool,
        uncertain: bool = False,
        retry_after: timedelta | None = None,
        status: int = 0,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.uncertain = uncertain
        self.retry_after = retry_after
        self.status = status
