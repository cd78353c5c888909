"""`/badges/{key}`: a published score, to be embedded in any page: as a frame, or as a picture (R84).

There is no script and no cookie, and the policy of the answer names its one style by hash. It may be kept,
but is asked about each time: words whose writer took them back are gone at once.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from textwrap import wrap
from typing import Any

from babel.dates import format_skeleton
from fastapi import APIRouter, Request
from fastapi.responses import Response
from markupsafe import Markup

from services.scoring.domain.badges import Shown
from services.scoring.domain.histogram import Metric
from services.scoring.domain.metrics import Score
from services.scoring.handlers.showcase import Showcase
from services.scoring.pages.views import Speech
from shared.web.caching import unless_known
from shared.web.dates import babel_locale, number, percent, signed
from shared.web.i18n import negotiate
from shared.web.paths import Key
from shared.web.templates import environment, speaking

HERE = Path(__file__).parent
CATALOGUE = HERE / "locales"
LANGUAGES = ("en", *sorted(file.stem for file in CATALOGUE.glob("*.po")))
"""Those of customers' pages; it is they who read what is published."""

GONE = 410
_LINE, _WIDTH = 20, 44
_GAP = ("gap", "")
_HEIGHTS = {"value": 46, "gap": 6}
_ENV = environment(HERE, CATALOGUE)


def _style(name: str) -> tuple[Markup, str]:
    """A style sheet to stand in the answer itself, and the policy that lets this very one in."""
    text = (HERE / "templates" / name).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Markup(text), f"style-src 'sha256-{digest}'"  # noqa: S704 - a file of ours


_PAGE_STYLE, _PAGE_ALLOWS = _style("badge.css")
_PICTURE_STYLE, _PICTURE_ALLOWS = _style("badge_svg.css")
_CLOSED = "default-src 'none'; base-uri 'none'; form-action 'none'"
_KEPT = {"Cache-Control": "public, no-cache", "Vary": "Accept-Language"}
_PAGE = _KEPT | {"Content-Security-Policy": f"{_CLOSED}; {_PAGE_ALLOWS}; frame-ancestors *"}
_PICTURE = _KEPT | {
    "Content-Security-Policy": f"{_CLOSED}; {_PICTURE_ALLOWS}; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A score in words: the number, what it is a number of, its doubt, its answers and days."""

    value: str
    unit: str
    doubt: str
    basis: str


def badge_pages(showcase: Showcase) -> APIRouter:
    """The page and the picture of a badge, for everybody."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/badges/{key}.svg", methods=["GET", "HEAD"])
    async def picture(request: Request, key: Key, lang: str = "") -> Response:
        """The score as a picture, without words of customers."""
        shown, speech = await showcase.look(key), _speech(request, lang)
        values = _picture(shown, speech) | {"style": _PICTURE_STYLE, "locale": speech.locale}
        return _answer(request, "badge.svg", values, "image/svg+xml", _PICTURE, gone=shown is None)

    @router.api_route("/badges/{key}", methods=["GET", "HEAD"])
    async def page(request: Request, key: Key, lang: str = "") -> Response:
        """The score with words of customers, for a frame."""
        shown, speech = await showcase.look(key), _speech(request, lang)
        values = _page(shown, speech) | {"style": _PAGE_STYLE, "url": f"/badges/{key}"}
        values |= speaking(_ENV, speech.locale)
        return _answer(request, "badge.html", values, "text/html", _PAGE, gone=shown is None)

    return router


def _speech(request: Request, wanted: str) -> Speech:
    locale = negotiate(wanted or None, request.headers.get("accept-language"), LANGUAGES)
    texts = speaking(_ENV, locale)
    return Speech(locale, texts["_"], texts["ngettext"])


def _answer(
    request: Request,
    name: str,
    values: Mapping[str, Any],
    media_type: str,
    headers: Mapping[str, str],
    *,
    gone: bool,
) -> Response:
    body = _ENV.get_template(name).render(values)
    if gone:
        return Response(body, GONE, dict(headers), media_type)
    return unless_known(request, body.encode(), f"{media_type}; charset=utf-8", headers)


def _page(shown: Shown | None, speech: Speech) -> dict[str, Any]:
    score = shown.score if shown else None
    values: dict[str, Any] = {
        "label": shown.badge.wanted.label if shown else "",
        "gone": shown is None,
        "score": score,
        "quotes": [(one, _month(one.day, speech)) for one in shown.quotes] if shown else [],
    }
    if shown and score:
        words = told(shown, score, speech)
        values |= {"value": words.value, "unit": words.unit, "doubt": words.doubt, "basis": words.basis}
        values |= {"zero": score.difference, "bar": _bar(score)}
    return values


def told(shown: Shown, score: Score, speech: Speech) -> Told:
    """A score in plain words, for whoever knows nothing of statistics."""
    say = speech.say
    points = _points(score.metric, speech.locale)
    units = {
        Metric.NPS: say("points of recommendation (NPS), from −100 to +100"),
        Metric.NPS5: say("points of recommendation (NPS), from −100 to +100"),
        Metric.CSAT: say("of customers are satisfied"),
        Metric.CES: say("of customers found it easy"),
    }
    doubt = say("If everybody had answered, it would most likely lie between %(low)s and %(high)s.")
    basis = say("%(num)s answers, %(first)s to %(last)s")
    return Told(
        points(score.value or 0),
        units[score.metric],
        doubt % {"low": points(score.low or 0), "high": points(score.high or 0)},
        basis
        % {
            "num": number(score.n, speech.locale),
            "first": speech.day(shown.span.first),
            "last": speech.day(shown.span.last),
        },
    )


def _points(metric: Metric, locale: str) -> Callable[[float], str]:
    if metric in (Metric.NPS, Metric.NPS5):
        return lambda value: signed(round(value), locale)
    return lambda value: percent(round(value) / 100, locale)


def _bar(score: Score) -> dict[str, float]:
    """Places on a scale of 200 units."""
    low, at, high = (
        (value or 0) + 100 if score.difference else 2 * (value or 0)
        for value in (score.low, score.value, score.high)
    )
    return {"low": round(low, 1), "width": round(max(high - low, 1), 1), "at": round(min(at, 198), 1)}


def _month(day: date, speech: Speech) -> str:
    text: str = format_skeleton("yMMMM", day, locale=babel_locale(speech.locale))
    return text


def _picture(shown: Shown | None, speech: Speech) -> dict[str, Any]:
    """Lines of text that fit a card 360 units wide."""
    say = speech.say
    label = shown.badge.wanted.label if shown else say("Customer survey")
    rows: list[tuple[str, str]] = [("label", line) for line in wrap(label, _WIDTH - 6)]
    if shown is None:
        rows += _wrapped("", say("This score is no longer published."))
    elif shown.score is None:
        rows += _wrapped("", say("Not enough customers have answered yet to publish a score."))
    else:
        words = told(shown, shown.score, speech)
        rows += [("value", words.value), _GAP, *_wrapped("", words.unit)]
        rows += [_GAP, *_wrapped("", words.doubt), _GAP, *_wrapped("muted", words.basis)]
    lines, y = [], 12
    for look, text in rows:
        y += _HEIGHTS.get(look, _LINE)
        if text:
            lines.append({"look": look, "text": text, "y": y})
    return {
        "title": label,
        "said": " ".join(text for look, text in rows if text and look != "label"),
        "lines": lines,
        "height": y + 18,
    }


def _wrapped(look: str, text: str) -> Sequence[tuple[str, str]]:
    return [(look, line) for line in wrap(text, _WIDTH)]
