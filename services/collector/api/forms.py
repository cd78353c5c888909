"""`/webhooks/typeform`, and what became of answers that were given in form tools."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from services.collector import metrics
from services.collector.domain.form_answers import Trouble
from services.collector.domain.forms import FormsFile, Tool
from services.collector.domain.typeform import BadBodyError, FormResponse, read_webhook
from services.collector.handlers.form_listing import FormListing
from services.collector.handlers.forms import Became, FormIntake, Result
from shared.runtime.clock import Machine
from shared.runtime.logging import get_logger
from shared.security.access import Principal, require_scope
from shared.security.schemes import over_body
from shared.security.signatures import Refused, WebhookSecret, mac_base64
from shared.web.calls import call_of
from shared.web.problems import Problem

TYPEFORM = Tool.TYPEFORM.value
RETRY_SECONDS = 60
"""Typeform itself tries again after two or three minutes, for ten hours."""

Reader = Annotated[Principal, Depends(require_scope("responses:read"))]
After = Annotated[int, Query(ge=0, lt=2**63)]
Limit = Annotated[int, Query(ge=1, le=500)]
log = get_logger("form_webhooks")
_verify = over_body("Typeform-Signature", mac_base64, "sha256=")


@dataclass(frozen=True, slots=True)
class Inbound:
    """What is known of those who send.

    Attributes:
        rules: what forms.yaml says now; None without the file.
        secrets: what Typeform signs with; several at once, so that one can be replaced.
    """

    intake: FormIntake
    rules: Callable[[], FormsFile | None]
    secrets: Sequence[WebhookSecret]


def form_routes(inbound: Inbound, listing: FormListing, machine: Machine, public_url: str) -> APIRouter:
    """The webhook, the forms with their sums, and what could not be used."""
    router = APIRouter(tags=["forms"])

    @router.post("/webhooks/typeform")
    async def typeform(request: Request) -> dict[str, str]:
        """A response to a Typeform, signed by it. Answered when it is stored.

        It is never answered with 404 or 410: by those Typeform switches a webhook off.
        """
        call = await call_of(request, public_url, machine)
        verdict = _verify(call, inbound.secrets)
        if isinstance(verdict, Refused):
            metrics.FORM_ANSWERS.labels(TYPEFORM, verdict.reason).inc()
            log.warning("webhook_refused", reason=verdict.reason, what_to_do=verdict.what_to_do)
            raise Problem(
                401,
                "The signature was not accepted.",
                what_to_do="Give Typeform's webhook the secret of AFTERWORD_COLLECTOR_TYPEFORM_SECRETS.",
            )
        found = await _read(inbound, call.body)
        if found is None:
            metrics.FORM_ANSWERS.labels(TYPEFORM, "ignored").inc()
            return {"status": "ignored", "reason": "not a whole response"}
        return _said(await _take(inbound, found))

    @router.get("/v1/forms")
    async def forms(_: Reader) -> dict[str, Any]:
        """The forms of forms.yaml and what came by each; those that are not in it any more too."""
        return {"forms": [asdict(one) for one in await listing.forms()]}

    @router.get("/v1/forms/findings")
    async def findings(
        _: Reader,
        form: Annotated[str, Query(max_length=300)] = "",
        *,
        mended: bool = False,
        after: After = 0,
        limit: Limit = 100,
    ) -> dict[str, Any]:
        """What could not be used of answers, and why; `mended` shows also what was taken after all."""
        return {"findings": await listing.findings(form, after, limit, mended=mended)}

    return router


async def _read(inbound: Inbound, body: bytes) -> FormResponse | None:
    try:
        return read_webhook(body)
    except BadBodyError as error:
        metrics.FORM_ANSWERS.labels(TYPEFORM, "unreadable").inc()
        field, _, reason = str(error).partition(": ")
        await inbound.intake.refuse(TYPEFORM, "", Trouble(field, reason))
        advice = "Send Typeform's own webhook, as docs/forms.md says."
        raise Problem(400, str(error), what_to_do=advice, field=field) from error


async def _take(inbound: Inbound, found: FormResponse) -> Result:
    rules = inbound.rules()
    key = rules.typeform(found.form_id) if rules else None
    if rules is None or key is None:
        metrics.FORM_ANSWERS.labels(TYPEFORM, Became.REFUSED).inc()
        trouble = Trouble(
            "form_id", f"forms.yaml names no Typeform {found.form_id}", "Add it there: docs/forms.md."
        )
        await inbound.intake.refuse(f"{TYPEFORM}:{found.form_id}", found.told.token, trouble)
        return Result(Became.REFUSED, trouble)
    (result,) = await inbound.intake.take(key, rules.forms[key], [found.told])
    return result


def _said(result: Result) -> dict[str, str]:
    """What Typeform is told; with a refusal it shows the reason, and tries again for some hours."""
    if result.trouble is None or result.became is Became.CONFLICT:
        return {"status": result.became.value}
    later = result.became is Became.NOT_YET
    raise Problem(
        503 if later else 422,
        f"{result.trouble.field}: {result.trouble.reason}.",
        what_to_do=result.trouble.what_to_do,
        field=result.trouble.field,
        retry_after=RETRY_SECONDS if later else None,
    )
