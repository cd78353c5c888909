"""`/webhooks/*`: verified over the raw bytes, mapped, answered only after the commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.trigger import metrics
from services.trigger.domain.refused import Refusals
from services.trigger.domain.reports import Report
from services.trigger.handlers.intake import Intake, Taken
from services.trigger.handlers.parking import event_id_of
from services.trigger.webhooks import PROVIDERS
from services.trigger.webhooks.body import BadBodyError
from services.trigger.webhooks.contract import Ignored, Options, Provider, Reading, Rejected
from services.trigger.webhooks.segment import Browsers
from shared.runtime.failpoints import failpoint
from shared.runtime.logging import get_logger
from shared.runtime.service import Platform
from shared.security.schemes import Call
from shared.security.signatures import Refused, Signed, Verdict, WebhookSecret
from shared.web.calls import call_of
from shared.web.problems import Problem

Answer = dict[str, str | dict[str, int] | list[str]]
SIGN = "Sign the body as docs/webhooks.md shows, with the secret that was agreed."
UNREADABLE = "Send the body as docs/webhooks.md shows."
log = get_logger("webhooks")


@dataclass(frozen=True, slots=True)
class Inbound:
    """What is known of the senders.

    Attributes:
        intake: takes in what they report.
        secrets: what each signs with; several at once, so that one can be replaced.
        options: what differs between customers of the same partner.
        refusals: notes who was refused and why.
        browsers: what pages may send to Segment's tracking API.
    """

    intake: Intake
    secrets: Mapping[str, Sequence[WebhookSecret]]
    options: Options = field(default_factory=Options)
    refusals: Refusals = field(default_factory=Refusals)
    browsers: Browsers = field(default_factory=Browsers)

    async def call(self, sender: str, request: Request, platform: Platform) -> Call:
        """The request with its body; one that is too long is refused and noted."""
        try:
            return await call_of(request, platform.settings.public_url, platform.machine)
        except Problem as problem:
            self.refused(sender, problem)
            raise

    def refused(self, sender: str, problem: Problem) -> Problem:
        """The problem, noted: the request is not taken, whatever is in it."""
        metrics.WEBHOOKS.labels(sender, "unreadable").inc()
        self.refusals.note(sender, problem.reason, problem.what_to_do)
        return problem

    def proven(self, sender: str, verdict: Verdict, what_to_do: str = SIGN) -> Signed:
        """Who proved to be the sender; all others learn no more than that they did not."""
        if isinstance(verdict, Refused):
            metrics.WEBHOOKS.labels(sender, verdict.reason).inc()
            log.warning(
                "webhook_refused", sender=sender, reason=verdict.reason, what_to_do=verdict.what_to_do
            )
            self.refusals.note(sender, verdict.reason.value, verdict.what_to_do)
            raise Problem(401, "The signature was not accepted.", what_to_do=what_to_do)
        return verdict

    def unreadable(self, sender: str, reason: str) -> Problem:
        """A body that cannot be used; the reason begins with the path of the field."""
        self.note_unreadable(sender, reason)
        field_path = reason.partition(":")[0]
        return Problem(400, reason, what_to_do=UNREADABLE, field=field_path)

    def note_unreadable(self, sender: str, reason: str) -> None:
        """Note what of a request cannot be used."""
        metrics.WEBHOOKS.labels(sender, "unreadable").inc()
        log.warning("webhook_unreadable", sender=sender, reason=reason)
        self.refusals.note(sender, reason, UNREADABLE)


def router(platform: Platform, inbound: Inbound) -> APIRouter:
    """A route for each sender."""
    routes = APIRouter(prefix="/webhooks", tags=["webhooks"])
    for provider in PROVIDERS:
        _add(routes, platform, provider, inbound)
    return routes


def _add(routes: APIRouter, platform: Platform, provider: Provider, inbound: Inbound) -> None:
    secrets = tuple(inbound.secrets.get(provider.name, ()))

    @routes.head(f"/{provider.name}", include_in_schema=False)
    async def looked_for() -> Response:
        """Partners see by it that the address is there before they save it; Intercom insists on it."""
        return Response()

    @routes.post(f"/{provider.name}", name=f"from_{provider.name}")
    async def receive(request: Request) -> Answer:
        """What this sender reports, signed in its own way."""
        call = await inbound.call(provider.name, request, platform)
        signed = inbound.proven(provider.name, provider.verify(call, secrets))
        reading = _read(provider, call, signed, inbound)
        if isinstance(reading, Ignored):
            metrics.WEBHOOKS.labels(provider.name, "ignored").inc()
            return {"status": "ignored", "reason": reading.why}
        reports = [one for one in reading if isinstance(one, Report)]
        rejected = [one.reason for one in reading if isinstance(one, Rejected)]
        for reason in rejected:
            inbound.note_unreadable(provider.name, reason)
        async with platform.db.begin() as tx:
            taken = await inbound.intake.take(tx, provider.route, reports)
        failpoint("trigger.webhook_taken_before_answer")
        said = answer(provider.name, reports, taken)
        return said | {"rejected": rejected} if rejected else said


def answer(sender: str, reports: Sequence[Report], taken: Sequence[Taken]) -> Answer:
    """What became of a request, by which events; with counts when it held several reports."""
    counts = Counter(taken)
    for what, count in counts.items():
        metrics.WEBHOOKS.labels(sender, what).inc(count)
    status = next((what.value for what in Taken if what in counts), "ignored")
    pairs = zip(reports, taken, strict=True)
    # Of a conflict the first report stands, whose event may be another one.
    events = list(dict.fromkeys(event_id_of(one) for one, what in pairs if what is not Taken.CONFLICT))
    said: Answer = {"status": status}
    if events:
        said["events"] = events
    if len(taken) > 1:
        said["counts"] = {what.value: count for what, count in counts.items()}
    return said


def _read(provider: Provider, call: Call, signed: Signed, inbound: Inbound) -> Reading:
    try:
        return provider.read(call, signed, inbound.options)
    except BadBodyError as error:
        raise inbound.unreadable(provider.name, str(error)) from error
