"""What the documents say a service reads is what it subscribes to when it is put together."""

import pytest

from shared.contracts.topics import Topic
from shared.contracts.touchpoints import Touchpoint
from tests.support.assembled import assemble
from tools import flow


@pytest.mark.parametrize("name", flow.SERVICES)
async def test_a_service_reads_what_its_documents_say(name: str) -> None:
    part, service = flow.part_of(name), await assemble(name)
    routed = {kind for s in service.subscriptions for route in s.routes for kind in route.types}
    told = {Touchpoint.TYPE if kind == "*" else kind for kind in routed}
    assert told == {flow.BY_NAME[model].TYPE for model in part.reads}
    topics = {topic for subscription in service.subscriptions for topic in subscription.topics}
    assert topics == set(part.topics(part.reads))
    assert topics <= set(Topic)
