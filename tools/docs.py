"""Write every generated document, or with --check say which are out of date: `make docs`, `make check`."""

import sys
from pathlib import Path

from tools import (
    architecture,
    asyncapi,
    dashboard,
    events,
    metrics,
    openapi,
    pages,
    performance,
    programmes,
    views,
)

ROOT = Path(__file__).parents[1]


def documents() -> dict[Path, str]:
    """Return all generated texts by the file they belong in."""
    made = {
        events.PATH: events.render(),
        asyncapi.PATH: asyncapi.render(),
        metrics.PATH: metrics.render(),
        dashboard.PATH: dashboard.render(),
        **events.schemas(),
        **programmes.schemas(),
        **openapi.render(),
    }
    for page in (architecture, pages, performance, views):
        if (ROOT / page.PATH).exists():
            made[page.PATH] = page.render()
    return made


def stale(made: dict[Path, str]) -> list[str]:
    """Return the files that say something else, and schemas of events that are no more."""
    differ = [path for path, text in made.items() if _text(path) != text]
    left = [path.relative_to(ROOT) for path in (ROOT / events.SCHEMAS).glob("*.json")]
    return sorted(str(path) for path in (*differ, *(path for path in left if path not in made)))


def _text(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8") if (ROOT / path).exists() else ""


def write(made: dict[Path, str]) -> None:
    """Bring all files to what they should say."""
    for path in stale(made):
        if Path(path) in made:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(made[Path(path)], encoding="utf-8")
        else:
            (ROOT / path).unlink()
        print(f"docs: {path}")


def main(arguments: list[str]) -> int:
    """Write, or check and return 1 when something is out of date."""
    made = documents()
    if "--check" not in arguments:
        write(made)
        return 0
    old = stale(made)
    for path in old:
        print(f"docs: {path} is out of date; make docs writes it anew")
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
