"""Pages from templates: escaped always, strict about names, in the reader's language and zone."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from keyword import iskeyword
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, nodes, pass_context
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context
from markupsafe import Markup, escape
from typing_extensions import override

from shared.security.people import Session
from shared.security.roles import Role
from shared.web import dates
from shared.web.i18n import DEFAULT, language_name, negotiate, translations
from shared.web.paths import encoded
from shared.web.static import static_url

SHARED_TEMPLATES = Path(__file__).parent / "templates"
_MADE = " made"
"""Where a page's context keeps all that were made for it; a name that no template can say."""


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
    env = _Pages(
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
        "urlencode": _urlencode,
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


def written(value: object) -> str:
    """What a template writes, safe to stand in a page.

    As `escape`, but the text is not marked as safe: it is joined with what stands around it, a thousand times
    for a page, and to mark each piece takes longer than to look for what could need it.
    """
    if type(value) is Markup:
        return value
    if type(value) is not str:
        return escape(value)
    unsafe = "<" in value or "&" in value or ">" in value or '"' in value or "'" in value
    return escape(value) if unsafe else value


class _Writing(CodeGenerator):
    """Templates as Python code: a page writes and calls by the thousand, and most of it is plain.

    What is written goes through `written`. What is called is called as it is: no function of ours asks for
    the context (a filter may), and to look whether it does takes as long as the usual call.
    """

    @override
    def _output_child_pre(
        self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo
    ) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("environment.written(")

    @override
    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:
        spread = node.dyn_args or node.dyn_kwargs or any(iskeyword(one.key) for one in node.kwargs)
        if forward_caller or spread:
            super().visit_Call(node, frame, forward_caller=forward_caller)
            return
        self.visit(node.node, frame)
        self.write("(")
        for one in (*node.args, *node.kwargs):
            self.visit(one, frame)
            self.write(", ")
        self.write(")")


class _Pages(Environment):
    """An environment whose templates are rendered as pages are: for somebody, and often."""

    context_class: type[Context] = _PageContext
    code_generator_class: type[CodeGenerator] = _Writing
    written = staticmethod(written)


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


def _urlencode(value: str | Mapping[str, object]) -> str:
    """A part of an address, or what stands behind its question mark."""
    return quote(value) if isinstance(value, str) else encoded(value)
