"""Whom this process trusts when it calls others over TLS."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


@cache
def authorities() -> ssl.SSLContext:
    """The known certificate authorities, read once: that takes 50 ms, in which nothing else goes on."""
    return httpx.create_ssl_context()
