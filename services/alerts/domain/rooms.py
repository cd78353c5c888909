"""Rooms that teams share, and those of one team: `slack` is the house's, `slack:emea` that of the team emea.

A room of a team is a channel of its own: what it is given, how fast, and what it could not be given hold no
other room back. It stands in for the house's room of its kind; where a team has none, the house's is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_OF = ":"


def named(kind: str, team: str) -> str:
    """The channel of a team's own room; that of the house without a team."""
    return f"{kind}{_OF}{team}" if team else kind


def kind_of(channel: str) -> str:
    """Which medium a channel is: `slack`."""
    return channel.partition(_OF)[0]


def team_of(channel: str) -> str:
    """Whose room it is; "" for one that all share."""
    return channel.partition(_OF)[2]


@dataclass(frozen=True, slots=True)
class Rooms:
    """All rooms there are, by their channels.

    Attributes:
        shared: the house's.
        own: those of teams, by team.
    """

    shared: tuple[str, ...] = ()
    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def of(self, team: str) -> tuple[str, ...]:
        """Where a team is told."""
        mine = self.own.get(team, ())
        kinds = {kind_of(channel) for channel in mine}
        return (*mine, *(channel for channel in self.shared if channel not in kinds))


NO_ROOMS = Rooms()


def rooms_of(channels: tuple[str, ...]) -> Rooms:
    """Sort the channels that reach rooms by whose they are."""
    teams = dict.fromkeys(team_of(channel) for channel in channels if team_of(channel))
    return Rooms(
        tuple(channel for channel in channels if not team_of(channel)),
        {team: tuple(c for c in channels if team_of(c) == team) for team in teams},
    )
