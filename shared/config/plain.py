"""Files of plain values that ship with the product and that an operator may replace by a setting."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from shared.errors import AfterwordError

M = TypeVar("M", bound=BaseModel)


def plain_file(kind: type[M], file: Path, setting: str) -> M:
    """Read a file whose values are all text: for YAML itself the Spanish and English "no" is false.

    Args:
        kind: what it holds.
        file: where it is.
        setting: the environment variable that names it, for whoever has to mend it.

    Raises:
        AfterwordError: the file cannot be used; the message names the setting and the place.
    """
    try:
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CBaseLoader)  # noqa: S506 - text alone
        return kind.model_validate(content)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise AfterwordError(f"{setting}, {file}: {error}") from error
