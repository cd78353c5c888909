"""A small browser without JavaScript: pages, links and forms as a person uses them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from ssl import create_default_context
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import httpx
from typing_extensions import override

from demo.patience import Away, patiently

TRUST = create_default_context()
"""Read once: to read all the certificates anew for every browser would take longer than its visit."""


@dataclass(slots=True)
class Control:
    """A field of a form; `options` are the values of a radio group or a selection."""

    name: str
    kind: str
    value: str = ""
    options: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Form:
    """A form as the page shows it; `buttons` are named submit buttons."""

    action: str
    method: str
    controls: dict[str, Control] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)

    def filled(self, **typed: str) -> dict[str, str]:
        """Values to send: what the page preset, overlaid by what was typed; a survey page notices a hand."""
        if typed and "hand" in self.controls:
            typed = {"hand": "touched"} | typed
        preset = {c.name: c.value for c in self.controls.values() if c.value or c.kind == "hidden"}
        return preset | typed


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self._open: Form | None = None
        self._select: Control | None = None

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "form":
            self._open = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._open)
        elif self._open is not None and given.get("name"):
            self._control(tag, given)
        elif tag == "option" and self._select is not None:
            self._select.options.append(given.get("value", ""))
            if "selected" in given:
                self._select.value = given.get("value", "")

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select":
            self._select = None

    @override
    def handle_data(self, data: str) -> None:
        if data.strip():
            self.text.append(data.strip())

    def _control(self, tag: str, given: dict[str, str]) -> None:
        form, name, kind = self._open, given["name"], given.get("type", tag)
        if form is None:
            return
        if tag == "button" or kind == "submit":
            form.buttons.append((name, given.get("value", "")))
            return
        control = form.controls.setdefault(name, Control(name, kind))
        if kind in ("radio", "checkbox"):
            control.options.append(given.get("value", "on"))
            if "checked" in given:
                control.value = given.get("value", "on")
        elif tag == "select":
            self._select = control
        else:
            control.value = given.get("value", "")


@dataclass(frozen=True, slots=True)
class Page:
    """What came back."""

    url: str
    status: int
    forms: list[Form]
    links: list[str]
    text: str


class Browser:
    """One person's browser: keeps cookies, follows redirects, tries again while the service is away."""

    def __init__(self, address: str, agent: str) -> None:
        headers = {"User-Agent": agent, "X-Forwarded-For": address, "Accept": "text/html"}
        self._client = httpx.AsyncClient(follow_redirects=True, timeout=20, headers=headers, verify=TRUST)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the browser."""
        await self._client.aclose()

    async def get(self, url: str) -> Page:
        """Open a page."""
        return await self._ask("GET", url)

    async def head(self, url: str) -> int:
        """Ask for the headers alone, as gateways do."""
        return (await self._ask("HEAD", url)).status

    async def submit(self, page: Page, form: Form, **typed: str) -> Page:
        """Press the button of a form."""
        return await self._ask("POST", urljoin(page.url, form.action), form.filled(**typed))

    async def _ask(self, method: str, url: str, data: dict[str, str] | None = None) -> Page:
        async def attempt() -> httpx.Response:
            origin = {"Origin": _origin(url)} if method == "POST" else {}
            answer = await self._client.request(method, url, data=data, headers=origin)
            if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                raise Away(url)
            return answer

        answer = await patiently(attempt)
        reader = _Reader()
        reader.feed(answer.text)
        return Page(str(answer.url), answer.status_code, reader.forms, reader.links, " ".join(reader.text))


def _origin(url: str) -> str:
    parsed = httpx.URL(url)
    return f"{parsed.scheme}://{parsed.netloc.decode()}"
