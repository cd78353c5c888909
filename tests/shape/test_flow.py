"""What the documents say a service reads is what it subscribes to when it is put together."""

import pytest

from shared.contracts.topics import Topic
from shared.contracts.touchpoints import Touchpoint
from tests.support.assembled import assemble
from tools import flow


@pytest.mark.parametrize("part", [pytest.param(part, id=part.service) for part in flow.parts()])
async def test_a_service_reads_what_its_documents_say(part: flow.Part) -> None:
    service = await assemble(part.service)
    routed = {name for s in service.subscriptions for route in s.routes for name in route.types}
    told = {Touchpoint.TYPE if name == "*" else name for name in routed}
    assert told == {flow.BY_NAME[name].TYPE for name in part.reads}
    topics = {topic for subscription in service.subscriptions for topic in subscription.topics}
    assert topics == set(part.topics(part.reads))
    assert topics <= set(Topic)
