"""What every survey page shares: who asks, in which colours and languages, and how pages are rendered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.collector.domain.agents import HAND
from services.collector.domain.answers import MAX_TEXT, Problem
from services.collector.domain.texts import LANGUAGES, text_in
from services.collector.pages import brand
from services.collector.pages.fields import HONEYPOT
from shared.contracts.directory import OrganisationChanged
from shared.web.i18n import babel_locale, language_name, negotiate
from shared.web.security_headers import CSP, SCRIPT
from shared.web.static import ASK_EACH_TIME, FOR_EVER, load
from shared.web.templates import environment, speaking

FOLDER = Path(__file__).parent
STATIC = load(FOLDER / "static")
SURVEY_CSS = f"/s/-/survey.css?v={STATIC['survey.css'].version}"
SURVEY_JS = f"/s/-/survey.js?v={STATIC['survey.js'].version}"
WIDGET_JS = "widget.js"

ENVIRONMENT = environment(FOLDER, FOLDER / "locales")


@dataclass(frozen=True, slots=True)
class Asker:
    """The organisation as its customers see it; `logo` is an https address or empty."""

    name: str
    logo: str
    css: str
    privacy: str
    address: str


@dataclass(frozen=True, slots=True)
class Language:
    """A language to switch to, by a plain link."""

    tag: str
    name: str
    href: str


def asker_of(organisation: OrganisationChanged | None, language: str) -> Asker:
    """How the organisation looks; a plain page while its settings have not arrived."""
    if organisation is None:
        return Asker("", "", _brand_css(brand.DEFAULT_COLOUR), "", "")
    style = organisation.brand
    logo = style.logo_url if style.logo_url.startswith("https://") else ""
    return Asker(
        name=style.name or organisation.name,
        logo=logo,
        css=_brand_css(style.colour),
        privacy=text_in(organisation.privacy_note, language, {}),
        address=style.address,
    )


def _brand_css(colour: str) -> str:
    return f"/s/-/brand-{brand.colour_of(colour)[1:]}.css"


def chosen_language(
    request: Request, survey: str = "", typed: str = "", offered: Sequence[str] = LANGUAGES
) -> str:
    """The language of a page: the one clicked, else the survey's, else the browser's."""
    return negotiate(
        request.query_params.get("lang") or typed or survey or None,
        request.headers.get("accept-language"),
        offered,
    )


def languages_of(path: str, keep: Mapping[str, str], offered: Sequence[str]) -> list[Language]:
    """Links to the same page in other languages."""
    return [
        Language(tag, language_name(tag), f"{path}?{urlencode({**keep, 'lang': tag})}") for tag in offered
    ]


def render(
    name: str, language: str, asker: Asker, context: Mapping[str, Any], status: int = 200
) -> HTMLResponse:
    """One page. What its template names and the context lacks is empty."""
    speech = speaking(ENVIRONMENT, language)
    values = {
        "asker": asker,
        "survey_css": SURVEY_CSS,
        "survey_js": "",
        "own_css": "",
        "hand": HAND,
        "languages": (),
        "direction": babel_locale(language).text_direction,
        "refresh": 0,
        "test": False,
        "honeypot": HONEYPOT,
        "max_text": MAX_TEXT,
        "complaint": lambda problem: complaint(problem, speech["_"]),
        **speech,
        **context,
    }
    response = HTMLResponse(ENVIRONMENT.get_template(name).render(values), status_code=status)
    response.headers["Content-Security-Policy"] = _allowed(asker, scripts=bool(values["survey_js"]))
    return response


def _allowed(asker: Asker, *, scripts: bool) -> str:
    """The logo from where it lies, and on pages with a form our one script, which may send it to us."""
    allowed = CSP
    if asker.logo:
        parts = urlsplit(asker.logo)
        allowed = allowed.replace("img-src 'self'", f"img-src 'self' {parts.scheme}://{parts.netloc}")
    return f"{allowed}; {SCRIPT}" if scripts else allowed


def complaint(problem: Problem, _: Any) -> str:  # noqa: ANN401 - gettext of the page's language
    """What is wrong with a field, in words."""
    words = {
        Problem.MISSING: _("Please answer this question."),
        Problem.NOT_ON_SCALE: _("Please choose one of the numbers."),
        Problem.NOT_AN_OPTION: _("Please choose from the list."),
        Problem.NOT_A_TEXT: _("Please write a text."),
        Problem.TOO_LONG: _("Please shorten this to 4,000 characters."),
        Problem.NOT_AN_ADDRESS: _("This is not an e-mail address. Your answer is kept."),
    }
    text: str = words[problem]
    return text


async def static_file(request: Request) -> Response:
    """The pages' own files; the brand's style sheet is made from its colour."""
    name = request.path_params["name"]
    if name in STATIC:
        found = STATIC[name]
        known = request.query_params.get("v") == found.version
        headers = {"Cache-Control": FOR_EVER if known else ASK_EACH_TIME}
        if name == WIDGET_JS:
            # Pages of other origins may load it, and have its hash checked.
            headers |= {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
        return found.response(request, headers)
    style = brand_style(name.removesuffix(".css") if name.endswith(".css") else "")
    if style.status_code == 200:  # noqa: PLR2004 - OK
        style.headers["Cache-Control"] = FOR_EVER
    return style


def brand_style(name: str) -> Response:
    """The style sheet `brand-` and a colour; asked for anew each time unless the caller says otherwise."""
    colour = name.removeprefix("brand-")
    if name != f"brand-{colour}" or brand.colour_of(colour) != f"#{colour}":
        return Response("There is no such file.", 404, media_type="text/plain")
    return Response(brand.style_sheet(f"#{colour}"), media_type="text/css")
