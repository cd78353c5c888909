"""Every failpoint of the product, read off its source."""

from __future__ import annotations

import ast

from tests.support.rooms import ROOT, SERVICES


def failpoint_names() -> list[str]:
    """Names in `failpoint("…")` calls of services and shared; those of shared code once for each service.

    Raises:
        TypeError: a call names its failpoint by anything but plain text, so nobody could enumerate it.
    """
    found: set[str] = set()
    for folder in ("services", "shared"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text("utf-8")
            if "failpoint(" not in text:
                continue  # to read every file as a tree takes seconds
            tree = ast.parse(text)
            calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
            for call in calls:
                if isinstance(call.func, ast.Name) and call.func.id == "failpoint":
                    name, *service = call.args
                    if not isinstance(name, ast.Constant) or not isinstance(name.value, str):
                        raise TypeError(f"{path.name}:{call.lineno}: the failpoint has no plain name")
                    found |= {f"{one}/{name.value}" for one in SERVICES} if service else {name.value}
    return sorted(found)
