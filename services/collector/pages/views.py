"""Each page of a survey link with its words and its status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from services.collector.domain.answers import Problem
from services.collector.domain.permissions import granted, open_request
from services.collector.domain.sharing import LONGEST_ADDRESS
from services.collector.domain.texts import offered_languages, text_in
from services.collector.handlers.visits import TooEarly, Visit
from services.collector.pages.fields import HONEYPOT, PREFIX, WHO, FieldView, Typed, given_of, typed_of, views
from services.collector.pages.frame import (
    ENVIRONMENT,
    SURVEY_JS,
    Asker,
    asker_of,
    chosen_language,
    languages_of,
    render,
)
from shared.contracts.forms import Permission
from shared.contracts.responses import Mood
from shared.web import dates
from shared.web.templates import speaking

REFRESH_SECONDS = 5
HTTPS = "https://"
PAGE = "page"
"""The parameter by which a style sheet says whose it is."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(milliseconds=1)
_DIGITS = 14


@dataclass(frozen=True, slots=True)
class PageState:
    """What a rendering of the survey page is made of, beside the survey."""

    path: str
    nonce: str
    rendered_at: datetime
    typed: Typed
    problems: Mapping[str, Problem]
    status: int
    ask_who: bool = False
    """They came by a shared link, and may say who they are."""
    kept: bool = False
    """What was sent is stored as far as it could be read."""


def survey(request: Request, visit: Visit, state: PageState) -> Response:
    """The questions."""
    offered = offered_languages(visit.form)
    language = _language_of(request, visit, state.typed)
    answer = visit.row.answer
    keep = {name: request.query_params[name] for name in ("score", "edit") if name in request.query_params}
    return render(
        "survey.html",
        language,
        asker_of(visit.organisation, language),
        {
            "title": text_in(visit.form.title, language, visit.slots),
            "fields": views(visit, language, state.typed, state.problems),
            "incentive": text_in(visit.row.incentive, language, visit.slots),
            "problems": state.problems,
            "kept": state.kept,
            "who": WHO if state.ask_who else "",
            "said_who": (state.typed.get(WHO) or [""])[-1][:LONGEST_ADDRESS],
            "identified": visit.row.identified,
            "shared": visit.row.shared,
            "stale": state.status == 409,  # noqa: PLR2004 - the status of a page that was too old
            "answered": answer is not None and answer.complete,
            "begun": answer is not None and not answer.complete,
            "draft": answer is not None and answer.draft,
            "action": state.path,
            "survey_js": SURVEY_JS,
            "own_css": _own_style(asker_of(visit.organisation, language), state),
            "nonce": state.nonce,
            "closes_at": visit.row.closes_at,
            "test": visit.row.test,
            "zone": visit.row.zone,
            # Switching would lose what was typed; once a form came back, its language stays.
            "languages": languages_of(state.path, keep, offered) if request.method == "GET" else (),
        },
        state.status,
    )


def _own_style(asker: Asker, state: PageState) -> str:
    """The brand's style sheet at an address of this very page: no cache has it, and it tells which page."""
    name = asker.css.rpartition("/")[2]
    return f"{state.path}/{name}?{urlencode({PAGE: (state.rendered_at - _EPOCH) // _TICK})}"


def rendered_at_of(text: str) -> datetime | None:
    """The reverse: when the page was rendered, to the millisecond, as its nonce says it too."""
    return _EPOCH + int(text) * _TICK if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def thanks(request: Request, visit: Visit, state: PageState) -> Response:
    """The answer is here: what was said, the way to change it, and what comes next for this score group."""
    language = _language_of(request, visit, {})
    asker = asker_of(visit.organisation, language)
    answer = visit.row.answer
    assert answer is not None  # noqa: S101 - callers looked
    loop, path = visit.row.close_the_loop, state.path
    context = {
        **_onward(visit, answer.mood, language, state),
        "own_css": _own_style(asker, state),
        "name": visit.slots["first_name"],
        "unknown": state.ask_who and not visit.row.identified,
        "who": WHO,
        "test": visit.row.test,
        "mood": answer.mood.value,
        "contact_within_hours": loop.contact_within_hours
        if loop.ticket and answer.mood is Mood.UNHAPPY
        else 0,
        "incentive": text_in(visit.row.incentive, language, visit.slots),
        "given": _given(visit, language),
        "wrote": bool(visit.words),
        "open": True,
        "edit": f"{path}?{urlencode({'edit': 1, 'lang': language})}",
        "closes_at": visit.row.closes_at,
        "zone": visit.row.zone,
        "languages": languages_of(path, {}, offered_languages(visit.form)),
    }
    return render("thanks.html", language, asker, context)


def _onward(visit: Visit, mood: Mood, language: str, state: PageState) -> dict[str, Any]:
    """Where a person of this group may go on to: a review, a referral, a call (R45, R74)."""
    loop, given = visit.row.close_the_loop, given_of(state.typed)
    links = {Mood.HAPPY: loop.happy_links, Mood.PASSIVE: loop.neutral_links}.get(mood, ())
    wanted = Permission.CONTACT in granted(visit.form, given)
    call_me = open_request(visit.form, given, Permission.CONTACT) if mood is Mood.UNHAPPY else ""
    return {
        "links": [
            {"href": link.url, "text": text_in(link.text, language, visit.slots)}
            for link in links
            if link.url.startswith(HTTPS)
        ],
        "booking": loop.booking_url
        if loop.booking_url.startswith(HTTPS) and (wanted or mood is Mood.UNHAPPY)
        else "",
        "will_call": wanted,
        "call_me": PREFIX + call_me if call_me else "",
        "kept": [(name, value) for name, values in state.typed.items() for value in values],
        "action": state.path,
        "nonce": state.nonce,
        "survey_js": SURVEY_JS if call_me else "",
    }


def thanks_path(path: str, typed: Typed) -> str:
    """Where a browser goes after it sent an answer, so that reloading sends nothing."""
    language = (typed.get("lang") or [""])[-1]
    return f"{path}?{urlencode({'lang': language})}" if language else path


def over(request: Request, visit: Visit, path: str, nonce: str) -> Response:
    """The survey takes no answers any more, but a person may still want to be heard.

    Of somebody unknown, who came by a shared link, nothing is promised: nobody could get in touch.
    """
    language, row = _language_of(request, visit, {}), visit.row
    _ = speaking(ENVIRONMENT, language)["_"]
    if row.withdrawn:
        lines = [
            _("Thank you for coming. Whoever shared this link has ended the survey earlier than planned.")
        ]
    else:
        lines = [_("Thank you for taking the time. Answers could be given until %(day)s.")]
        lines[0] %= {"day": _day(visit, language)}
    if row.shared and row.answer and row.answer.complete:
        lines.append(_("Your answer arrived and stays as it is."))
    if row.identified:
        lines.append(_("Is there something we should know? We gladly get in touch with you."))
    extra = {"contact": f"{path}/contact", "nonce": nonce} if row.identified else {}
    return _notice(request, visit, _("This survey is closed"), lines, 410, **extra)


def contact_noted(request: Request, visit: Visit) -> Response:
    """The wish to be contacted is stored."""
    _ = speaking(ENVIRONMENT, _language_of(request, visit, {}))["_"]
    lines = [_("We have noted that you would like to hear from us.")]
    return _notice(request, visit, _("Thank you"), lines, 200)


def gone(request: Request, visit: Visit) -> Response:
    """The person asked to be forgotten: nothing about them is shown, not even that they were asked."""
    language = chosen_language(request)
    _ = speaking(ENVIRONMENT, language)["_"]
    lines = [_("What belonged to it was deleted.")]
    return _notice(request, visit, _("This link no longer exists"), lines, 410)


def nothing_here(request: Request, path: str) -> Response:
    """The page behind the hidden link; a person who gets there finds the way to the survey."""
    _ = speaking(ENVIRONMENT, chosen_language(request))["_"]
    return _notice(
        request, None, _("Nothing to see here"), [_("The survey is one page further.")], 200, again=path
    )


def unknown_link(request: Request) -> Response:
    """No signature of ours, or an altered one."""
    _ = speaking(ENVIRONMENT, chosen_language(request))["_"]
    lines = [_("Please open the link from your message again; parts of it may have been lost on the way.")]
    return _notice(request, None, _("We do not know this link"), lines, 404)


def unknown_shared_link(request: Request) -> Response:
    """The same for a link that stands on a wall or in a newsletter: nobody got a message with it."""
    _ = speaking(ENVIRONMENT, chosen_language(request))["_"]
    lines = [_("Please scan the code or type the address again; parts of it may have been lost on the way.")]
    return _notice(request, None, _("We do not know this link"), lines, 404)


def too_early(request: Request, visit: TooEarly) -> Response:
    """The link was faster than its survey; the page comes back by itself."""
    return _wait_page(request, visit, 503)


def away(request: Request) -> Response:
    """Postgres is away while somebody opens a link."""
    return _wait_page(request, None, 503)


def _wait_page(request: Request, visit: TooEarly | None, status: int) -> Response:
    _ = speaking(ENVIRONMENT, chosen_language(request))["_"]
    lines = [_("Your survey is being prepared. This page opens it by itself in a few seconds.")]
    response = _notice(
        request,
        visit,
        _("One moment, please"),
        lines,
        status,
        refresh=REFRESH_SECONDS,
        again=str(request.url.path),
    )
    response.headers["Retry-After"] = str(REFRESH_SECONDS)
    return response


def too_often(request: Request, seconds: int) -> Response:
    """More requests than people make."""
    _ = speaking(ENVIRONMENT, chosen_language(request))["_"]
    response = _notice(request, None, _("A little slower, please"), [_("Try again in a minute.")], 429)
    response.headers["Retry-After"] = str(seconds)
    return response


def too_large(request: Request) -> Response:
    """More than a person can have typed."""
    _ = speaking(ENVIRONMENT, chosen_language(request))["_"]
    lines = [_("Please go back, shorten what you wrote and send it again.")]
    return _notice(request, None, _("This is too much for one answer"), lines, 413)


def not_saved(request: Request, path: str, typed: Typed) -> Response:
    """The answer could not be stored in time; it is kept in the page, all of it, and can be sent again."""
    language = chosen_language(request, typed=(typed.get("lang") or [""])[-1])
    pairs = [(name, value) for name, values in typed.items() for value in values]
    texts = [(n, v) for n, v in pairs if n.startswith(PREFIX) and ":" not in n and not _short(v)]
    context = {
        "action": path,
        "texts": texts,
        "hidden": [pair for pair in pairs if pair not in texts and pair[0] != HONEYPOT],
    }
    response = render("retry.html", language, asker_of(None, language), context, 503)
    response.headers["Retry-After"] = str(REFRESH_SECONDS)
    return response


def _short(value: str) -> bool:
    """A score, an option's id: something that was chosen, not written."""
    return len(value) <= 40 and " " not in value  # noqa: PLR2004 - ids are short


def _notice(
    request: Request,
    visit: Visit | TooEarly | None,
    heading: str,
    lines: Sequence[str],
    status: int,
    **extra: Any,  # noqa: ANN401 - further values of the template
) -> Response:
    language = _language_of(request, visit, {}) if isinstance(visit, Visit) else chosen_language(request)
    context = {"heading": heading, "lines": lines, "contact": "", "again": "", **extra}
    return render(
        "notice.html", language, asker_of(visit.organisation if visit else None, language), context, status
    )


def _language_of(request: Request, visit: Visit, typed: Typed) -> str:
    chosen = (typed.get("lang") or [""])[-1]
    return chosen_language(request, visit.row.locale, chosen, offered_languages(visit.form))


def _day(visit: Visit, language: str) -> str:
    return dates.day(visit.row.closes_at, visit.row.zone, language, "long")


def _given(visit: Visit, language: str) -> list[dict[str, str]]:
    """What was said, for the person who said it; only what was answered."""
    entries: list[dict[str, str]] = []
    for field in views(visit, language, typed_of(visit), {}):
        entries.extend(_entries(field))
    return entries


def _entries(field: FieldView) -> list[dict[str, str]]:
    if field.rows:
        return [
            {
                "question": row.text or field.text,
                "answer": option.text,
                "of": "" if option.text != option.value else row.options[-1].value,
            }
            for row in field.rows
            for option in row.options
            if option.chosen
        ]
    chosen = ", ".join(option.text for option in field.options if option.chosen)
    answer = "" if field.kind == "consent" else chosen or field.value
    return [{"question": field.text, "answer": answer, "of": ""}] if answer else []
