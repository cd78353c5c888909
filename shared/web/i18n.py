"""Languages: catalogues of translations, and which language to speak with whom.

A catalogue is a folder with one `<locale>.po` per language; English is the text in the code. The files are
compiled when they are loaded, so nothing compiled is kept beside them.
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LOCALES = ("en", "es", "sv")
DEFAULT = "en"
OWN_CATALOGUE = Path(__file__).parent / "locales"
MAX_HEADER_CHARS = 500


def negotiate(
    explicit: str | None, accept_language: str | None = None, supported: Sequence[str] = LOCALES
) -> str:
    """The language to use: the one that was chosen, else the best that the browser asks for, else English.

    Args:
        explicit: A stored or clicked choice; a tag like `es-MX` also matches `es`.
        accept_language: The request header.
        supported: What there is, most general tags first.
    """
    wanted = [explicit] if explicit else []
    wanted += _preferences((accept_language or "")[:MAX_HEADER_CHARS])
    for tag in wanted:
        found = _match(tag, supported)
        if found is not None:
            return found
    return DEFAULT if DEFAULT in supported else supported[0]


def _match(tag: str, supported: Sequence[str]) -> str | None:
    low = tag.strip().lower().replace("_", "-")
    by_low = {known.lower(): known for known in supported}
    while low:
        if low in by_low:
            return by_low[low]
        low = low.rpartition("-")[0]
    return None


def _preferences(header: str) -> list[str]:
    """The tags of an Accept-Language header, the most wanted first; unreadable parts are left out."""
    weighted: list[tuple[float, int, str]] = []
    for position, part in enumerate(header.split(",")):
        tag, _, parameter = part.partition(";")
        weight = parameter.strip().removeprefix("q=") or "1"
        try:
            quality = float(weight)
        except ValueError:
            continue
        if tag.strip() and 0 < quality <= 1:
            weighted.append((-quality, position, tag))
    return [tag for _, _, tag in sorted(weighted)]


@cache
def translations(locale: str, *folders: Path) -> NullTranslations:
    """The texts of a language: of the given catalogues in order, then of the shared pages, then English."""
    result = NullTranslations()
    for folder in reversed((*folders, OWN_CATALOGUE)):
        path = folder / f"{locale}.po"
        if path.exists():
            found = _load(path, locale)
            found.add_fallback(result)
            result = found
    return result


def _load(path: Path, locale: str) -> Translations:
    with path.open("rb") as file:
        catalogue = read_po(file, locale=locale, abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


@lru_cache(maxsize=64)
def babel_locale(tag: str) -> Locale:
    """Babel's idea of a language tag; English for one it does not know."""
    try:
        return Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale.parse(DEFAULT)


def language_name(tag: str) -> str:
    """A language's name in itself: `español`."""
    locale = babel_locale(tag)
    return (locale.get_display_name(tag) or tag).capitalize()
