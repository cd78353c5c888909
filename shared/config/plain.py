"""Files of plain values that ship with the product and that an operator may replace by a setting."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from shared.config.check import check
from shared.errors import AfterwordError

M = TypeVar("M", bound=BaseModel)


def plain_file(kind: type[M], file: Path, setting: str, *, begins: str, described: str) -> M:
    """Read a file whose values are all text: for YAML itself the Spanish and English "no" is false.

    Args:
        kind: what it holds.
        file: where it is.
        setting: the environment variable that names it, for whoever has to mend it.
        begins: the first line that is meant, for the advice.
        described: the page that describes it, for the advice.

    Raises:
        AfterwordError: the file cannot be used; the message names the setting and each mistake with its line,
            field and reason, and what to do.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        reason = (
            f"{file} cannot be read: {error.strerror}. Let {setting} name a file that can, or take it out"
        )
        raise AfterwordError(f"{setting}: {reason}.") from error
    except UnicodeDecodeError as error:
        raise AfterwordError(f"{setting}: {file} is not UTF-8. Save it as UTF-8.") from error
    checked = check(text, kind, begins=begins, described=described, plain=True)
    if checked.value is None:
        raise AfterwordError("\n".join(f"{setting}: {one.at(file)}" for one in checked.complaints))
    return checked.value
