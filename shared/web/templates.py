"""Pages from templates: escaped always, strict about names, in the reader's language and zone."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context, Macro
from jinja2.utils import internalcode
from typing_extensions import override

from shared.security.people import Session
from shared.security.roles import Role
from shared.web import dates
from shared.web.i18n import DEFAULT, language_name, negotiate, translations
from shared.web.static import static_url

SHARED_TEMPLATES = Path(__file__).parent / "templates"
_MADE = " made"
"""Where a page's context keeps all that were made for it; a name that no template can say."""

_PLAIN = (FunctionType, MethodType, BuiltinFunctionType, partial)


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
    env.context_class = _PageContext
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
    made: list[Context] = []
    values = {
        "me": known,
        "csrf": session.csrf if session else "",
        "zone": known.zone if known else "UTC",
        "path": request.url.path,
        **speaking(env, chosen),
        **(context or {}),
        _MADE: made,
    }
    try:
        text = env.get_template(name).render(values)
    finally:
        for one in made:
            one.vars.clear()
            one.parent.clear()
    return HTMLResponse(text, status_code=status)


class _PageContext(Context):
    """What a template knows while it is rendered.

    Its macros lead back to it, and it to all values of the page. So that these go at once when the page is
    made, and are not left in heaps for the cycle collector, `page` empties all that were made for it.
    """

    def __init__(
        self,
        environment: Environment,
        parent: dict[str, Any],
        name: str | None,
        blocks: dict[str, Callable[[Context], Iterator[str]]],
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - named by Jinja
    ) -> None:
        super().__init__(environment, parent, name, blocks, globals)
        made: list[Context] | None = parent.get(_MADE)
        if made is not None:
            made.append(self)

    @override
    @internalcode
    def call(
        self,
        called: Callable[..., object],
        /,
        *args: object,
        _loop_vars: object = None,
        _block_vars: object = None,
        **named: object,
    ) -> object:
        """Call what a template calls, a thousand times for a page: the usual kinds without looking far."""
        if type(called) is Macro:
            return called(self.eval_ctx, *args, **named)
        if type(called) in _PLAIN and not hasattr(called, "jinja_pass_arg"):
            return called(*args, **named)
        return super().call(called, *args, _loop_vars=_loop_vars, _block_vars=_block_vars, **named)


def _reader(context: Context) -> tuple[str, str]:
    return str(context.resolve("zone")), _locale(context)


def _locale(context: Context) -> str:
    return str(context.resolve("locale"))


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
    return dates.span(length, _locale(context))


@pass_context
def _number(context: Context, value: float, digits: int = 0) -> str:
    return dates.number(value, _locale(context), digits)


@pass_context
def _signed(context: Context, value: float, digits: int = 0) -> str:
    return dates.signed(value, _locale(context), digits)


@pass_context
def _percent(context: Context, share: float, digits: int = 0) -> str:
    return dates.percent(share, _locale(context), digits)
