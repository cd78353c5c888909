"""What a manager reads about a gap in a rota."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from services.alerts.domain.alarm import Text
from services.alerts.domain.routing import Team

SHARED = "On call"
"""The name of the rota that everybody shares."""


def warning(team: Team, starts_at: datetime, ends_at: datetime, why: str, base: str) -> Text:
    """The warning, in the team's own time; `base` is the address of the pages."""
    name, zone = team.name or SHARED, ZoneInfo(team.zone)
    since, until = (f"{at.astimezone(zone):%a %d %b %Y, %H:%M}" for at in (starts_at, ends_at))
    return Text(
        subject=f"Nobody is on call from {since}: {name}",
        headline=f"Nobody is on call for {name} from {since} to {until}.",
        quote="",
        facts=(("Time zone", team.zone), ("Why", why)),
        action="Cases of that time go to whoever stands in for the team, else to all managers. Fill the gap:"
        " set a stand-in on the page, or change the rota.",
        link=f"{base}/rota?{urlencode({'team': team.key})}",
        button="Open the rota",
    )
