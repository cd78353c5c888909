"""What a route takes is what its description says: nothing that is described is refused as unknown."""

from __future__ import annotations

import pytest
from fastapi.routing import APIRoute

from shared.security.access import Needs
from shared.web.app import web_app
from shared.web.description import asked
from shared.web.queries import parameters_of
from shared.web.routing import join
from tests.support.assembled import SERVICES, assemble, platform


@pytest.mark.parametrize("name", SERVICES)
async def test_known_parameters_are_those_that_are_described(name: str) -> None:
    app = web_app(platform(name).access, "https://ask.example.com")
    join(app, (await assemble(name)).router)
    described = app.openapi()["paths"]
    guarded = [
        route
        for route in app.routes
        if isinstance(route, APIRoute)
        and route.include_in_schema
        and any(isinstance(one, Needs) for one in asked(route.dependant))
    ]
    assert guarded
    for route in guarded:
        for method in route.methods or ():
            told = described[route.path_format][method.lower()].get("parameters", ())
            queries = {one["name"] for one in told if one["in"] == "query"}
            assert set(parameters_of(route.dependant)) == queries, (method, route.path)
