"""Pages from templates: escaped always, strict about names, in the reader's language and zone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from shared.security.people import Session
from shared.security.roles import Role
from shared.web import dates
from shared.web.i18n import DEFAULT, language_name, negotiate, translations
from shared.web.static import static_url

SHARED_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class NavItem:
    """An entry of the main navigation, shown from a role upwards."""

    key: str
    label: str
    path: str
    role: Role


NAVIGATION: Sequence[NavItem] = (
    NavItem("inbox", "Inbox", "/inbox", Role.REP),
    NavItem("scores", "Scores", "/scores", Role.VIEWER),
    NavItem("why", "Why", "/why", Role.REP),
    NavItem("programmes", "Programmes", "/programmes", Role.VIEWER),
    NavItem("settings", "Settings", "/settings", Role.REP),
)


@cache
def environment(folder: Path, catalogue: Path | None = None) -> Environment:
    """The templates of a service over the shared ones (`base.html`, `ui.html`); one for all who ask alike.

    Args:
        folder: The service's package; its templates lie here or in `templates/` below.
        catalogue: Folder of the service's `<locale>.po` files, if it has its own texts.
    """
    folders = [folder, folder / "templates"]
    env = Environment(
        loader=ChoiceLoader(
            [*(FileSystemLoader(path) for path in folders), FileSystemLoader(SHARED_TEMPLATES)]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals |= _defaults() | {
        "static": static_url,
        "language_name": language_name,
        "catalogues": (catalogue,) if catalogue else (),
        "navigation": NAVIGATION,
        "countdown": dates.countdown,
    }
    env.filters |= {
        "instant": _instant,
        "day": _day,
        "clock_time": _clock_time,
        "span": _span,
        "number": _number,
        "signed": _signed,
        "percent": _percent,
    }
    return env


def _defaults() -> dict[str, Any]:
    """What a page knows when it is rendered for nobody in particular."""
    return {"me": None, "csrf": "", "zone": "UTC", "path": "", **_speech(DEFAULT, ())}


def _speech(locale: str, catalogues: Sequence[Path]) -> dict[str, Any]:
    texts = translations(locale, *catalogues)
    return {"locale": locale, "_": texts.gettext, "ngettext": texts.ngettext}


def speaking(env: Environment, locale: str) -> dict[str, Any]:
    """The part of a page's context that makes it speak a language: `locale`, `_` and `ngettext`."""
    catalogues: Sequence[Path] = env.globals["catalogues"]  # type: ignore[assignment]  # as `environment` puts them there
    return _speech(locale, catalogues)


def page(  # a response needs all of these; everything after the name is optional
    request: Request,
    env: Environment,
    name: str,
    context: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
    locale: str | None = None,
) -> HTMLResponse:
    """Render a page for whoever asks.

    Args:
        request: For the signed-in person, the path and the language.
        env: From `environment`.
        name: The template.
        context: Its values; the page also has `me`, `csrf`, `locale`, `zone`, `path`, `_` and `ngettext`.
        status: HTTP status.
        locale: Overrules the person's and the browser's language.
    """
    session: Session | None = getattr(request.state, "session", None)
    known = session.user if session else None
    chosen = negotiate(locale or (known.locale if known else None), request.headers.get("accept-language"))
    values = {
        "me": known,
        "csrf": session.csrf if session else "",
        "zone": known.zone if known else "UTC",
        "path": request.url.path,
        **speaking(env, chosen),
        **(context or {}),
    }
    return HTMLResponse(env.get_template(name).render(values), status_code=status)


def _reader(context: Context) -> tuple[str, str]:
    return str(context.resolve("zone")), str(context.resolve("locale"))


@pass_context
def _instant(context: Context, at: datetime, style: dates.Style = "medium") -> str:
    return dates.instant(at, *_reader(context), style)


@pass_context
def _day(context: Context, at: datetime, style: dates.Style = "medium") -> str:
    return dates.day(at, *_reader(context), style)


@pass_context
def _clock_time(context: Context, at: datetime) -> str:
    return dates.clock_time(at, *_reader(context))


@pass_context
def _span(context: Context, length: timedelta) -> str:
    return dates.span(length, _reader(context)[1])


@pass_context
def _number(context: Context, value: float, digits: int = 0) -> str:
    return dates.number(value, _reader(context)[1], digits)


@pass_context
def _signed(context: Context, value: float, digits: int = 0) -> str:
    return dates.signed(value, _reader(context)[1], digits)


@pass_context
def _percent(context: Context, share: float, digits: int = 0) -> str:
    return dates.percent(share, _reader(context)[1], digits)
