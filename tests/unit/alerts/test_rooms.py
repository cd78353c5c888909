"""Rooms of teams stand in for those of the house, medium by medium."""

from services.alerts.domain.rooms import Rooms, kind_of, named, rooms_of, team_of


def test_a_teams_own_room_stands_in_for_the_houses_of_its_kind_alone() -> None:
    rooms = rooms_of(("slack", "webhook", named("slack", "emea"), named("pagerduty", "product")))
    assert rooms == Rooms(("slack", "webhook"), {"emea": ("slack:emea",), "product": ("pagerduty:product",)})
    assert rooms.of("emea") == ("slack:emea", "webhook")
    assert rooms.of("product") == ("pagerduty:product", "slack", "webhook")
    assert rooms.of("") == rooms.of("another") == ("slack", "webhook")
    assert Rooms().of("emea") == ()


def test_a_channel_says_its_medium_and_whose_it_is() -> None:
    assert (kind_of("slack:emea"), team_of("slack:emea")) == ("slack", "emea")
    assert (kind_of("slack"), team_of("slack"), named("slack", "")) == ("slack", "", "slack")
