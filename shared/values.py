"""Frozen values that are made and changed by the thousand.

They are msgspec's structs, which are made and copied without Python code: an eighth of the work that a frozen
dataclass with as many fields takes. The garbage collector passes them by, so nothing in them may lead back
to them.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace as altered

__all__ = ["Value", "altered"]


class Value(Struct, frozen=True, gc=False):
    """Base of such values; to change one is to copy it, by `altered`."""
