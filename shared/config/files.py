"""Files that operators write, read as text while we run."""

from __future__ import annotations

from pathlib import Path

MAX_FILE_BYTES = 512 * 1024


def text_of(file: Path) -> str | None:
    """A file's text; None when there is none, text that is no YAML when it is too large or cannot be read."""
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            return "%too large"
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        return "%not UTF-8 text"
