"""Surveys: what trigger asks dispatch to send and collector to expect."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from shared.contracts.forms import Form, Letter
from shared.contracts.model import Channel, Instant, LocalText, Part, Payload, Sealed, Snapshot
from shared.contracts.reasons import Reason
from shared.contracts.topics import Topic


class Link(Part):
    """Somewhere to go on to; `url` begins with https."""

    text: LocalText
    url: str


class CloseTheLoop(Part):
    """What the programme wants to happen after an answer.

    After an unhappy one a ticket (R72), help by name, and a task of ours by name (R79); after others a task
    of that name for the account's owner (R73, R74). "" = nothing. The thank-you page shows the links of the
    answer's group, and `booking_url` to whoever wants to be contacted: there a moment for a call can be
    chosen (R45).
    """

    ticket: bool = True
    contact_within_hours: int = 24
    resolve_within_hours: int = 14 * 24
    playbook: str = ""
    help: str = ""
    unhappy_task: str = ""
    neutral_task: str = ""
    happy_task: str = ""
    neutral_links: tuple[Link, ...] = ()
    happy_links: tuple[Link, ...] = ()
    booking_url: str = ""


class SendHours(Part):
    """The rule by which trigger chose the moment of a message, for one that is held up on its way.

    `days`: 0 Monday to 6 Sunday; `opens` and `closes`: minutes of the day; both in `zone`. On public holidays
    of `country` ("" = of none) nothing leaves. With `outside_before_stale` it leaves at another decent hour
    where there is no time left in these.
    """

    days: tuple[int, ...]
    opens: int
    closes: int
    zone: str
    country: str = ""
    outside_before_stale: bool = False


class SurveyRequested(Payload):
    """One person is to be asked, now. Complete: no consumer needs another topic to act on it.

    `person` is a sealed `Person`; `channels` are in order of preference; `closes_at` ends answers and
    amendments. After `fresh_until` a mail still waiting is not sent; None means `closes_at`. Neither first
    message nor reminder leaves outside of `send_hours`; None means at any time. `pass_on_to` is the address
    of the account's owner when the mail goes there, to be passed on to the person.
    """

    TYPE: ClassVar[str] = "survey.requested.v1"
    TOPIC: ClassVar[Topic] = Topic.SURVEYS
    AGGREGATE: ClassVar[str] = "survey"
    PARTS: ClassVar[tuple[str, ...]] = ("snapshot", "form", "letter", "close_the_loop")

    survey_id: str
    version: int = 1
    snapshot: Snapshot
    person: Sealed
    form: Form
    letter: Letter
    channels: tuple[Channel, ...] = (Channel.EMAIL,)
    requested_at: Instant
    closes_at: Instant
    fresh_until: Instant | None = None
    send_hours: SendHours | None = None
    close_the_loop: CloseTheLoop = Field(default_factory=CloseTheLoop)
    slots: dict[str, str] = Field(default_factory=dict)
    pass_on_to: str = ""


class SurveyShared(Payload):
    """A link without an invitation, as in a newsletter: whoever opens it may answer (R52).

    `snapshot` is what is known of everybody who answers by it; its `contact_id` is the link's own id, since
    nobody is asked. An answer may be given and changed for `open_for_days` from the first visit, and until
    `closes_at` at most. `withdrawn_at`: an operator took the link back, and nobody can answer any more;
    `reason` is a code that says why. `shared_by` and `withdrawn_by` are ids of operators or keys, no names.
    """

    TYPE: ClassVar[str] = "survey.shared.v1"
    TOPIC: ClassVar[Topic] = Topic.SURVEYS
    AGGREGATE: ClassVar[str] = "link"

    link_id: str
    version: int = 1
    label: str = ""
    snapshot: Snapshot
    form: Form
    shared_at: Instant
    closes_at: Instant
    open_for_days: int = Field(default=30, ge=1, le=45)
    close_the_loop: CloseTheLoop = Field(default_factory=CloseTheLoop)
    slots: dict[str, str] = Field(default_factory=dict)
    withdrawn_at: Instant | None = None
    shared_by: str = ""
    withdrawn_by: str = ""
    reason: str = ""


class SurveyReminderRequested(Payload):
    """A further step of a survey passed the gate: remind those who have not answered (R49)."""

    TYPE: ClassVar[str] = "survey.reminder_requested.v1"
    TOPIC: ClassVar[Topic] = Topic.SURVEYS
    AGGREGATE: ClassVar[str] = "survey"

    survey_id: str
    version: int
    step: int = Field(ge=1)
    snapshot: Snapshot
    requested_at: Instant


class SurveyExtended(Payload):
    """A survey stays open longer, 45 days at most (R48)."""

    TYPE: ClassVar[str] = "survey.extended.v1"
    TOPIC: ClassVar[Topic] = Topic.SURVEYS
    AGGREGATE: ClassVar[str] = "survey"

    survey_id: str
    version: int
    snapshot: Snapshot
    closes_at: Instant


class SurveyCancelled(Payload):
    """Nobody is to be asked any more; what is not yet handed over stays unsent."""

    TYPE: ClassVar[str] = "survey.cancelled.v1"
    TOPIC: ClassVar[Topic] = Topic.SURVEYS
    AGGREGATE: ClassVar[str] = "survey"

    survey_id: str
    version: int
    snapshot: Snapshot
    reason: Reason
    cancelled_at: Instant


class SurveyClosed(Payload):
    """The time for answers is over."""

    TYPE: ClassVar[str] = "survey.closed.v1"
    TOPIC: ClassVar[Topic] = Topic.SURVEYS
    AGGREGATE: ClassVar[str] = "survey"

    survey_id: str
    version: int
    snapshot: Snapshot
    closed_at: Instant
