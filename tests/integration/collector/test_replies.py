"""A number that came back by text message is an answer: once, a person's, and open to be completed."""

from __future__ import annotations

import pytest

from shared.contracts.deliveries import DeliveryReplied
from shared.contracts.model import Channel
from shared.contracts.responses import Answered, ResponseAmended, ResponseStarted, ResponseSubmitted, Verdict
from shared.runtime.ids import derive
from tests.support.collector import NPS, Collector, snapshot, survey_id

ONE = NPS.model_copy(update={"questions": NPS.questions[:2]})
"""A score and an optional comment: the number is a whole answer."""


def reply(collector: Collector, score: int, reply_id: str = "SM1", number: int = 1) -> DeliveryReplied:
    return DeliveryReplied(
        delivery_id=str(derive("delivery", number)),
        version=1,
        survey_id=str(survey_id(number)),
        channel=Channel.SMS,
        snapshot=snapshot(number),
        at=collector.clock.now(),
        reply_id=reply_id,
        score=score,
    )


@pytest.mark.requirement("R52")
async def test_a_number_sent_back_is_an_answer_of_a_person(collector: Collector) -> None:
    await collector.asked(1, ONE)
    await collector.handed_over(1)
    assert await collector.feed(reply(collector, 9)) == []
    collector.wait(3600)
    told = [one for one in await collector.settle() if isinstance(one, Answered)]
    assert [(one.TYPE, one.primary_score.value, one.verdict) for one in told] == [
        (ResponseSubmitted.TYPE, 9, Verdict.HUMAN)
    ]


async def test_the_same_reply_heard_again_is_no_second_version(collector: Collector) -> None:
    await collector.asked(1, ONE)
    await collector.handed_over(1)
    await collector.feed(reply(collector, 9))
    await collector.feed(reply(collector, 9), reply(collector, 9))
    collector.wait(3600)
    answers = [one for one in await collector.settle() if isinstance(one, Answered)]
    assert len(answers) == 1


async def test_a_second_thought_amends_the_first(collector: Collector) -> None:
    await collector.asked(1, ONE)
    await collector.handed_over(1)
    await collector.feed(reply(collector, 3), reply(collector, 10, "SM2"))
    collector.wait(3600)
    answers = [one for one in await collector.settle() if isinstance(one, Answered)]
    assert answers[-1].primary_score.value == 10
    assert {one.TYPE for one in answers} <= {ResponseSubmitted.TYPE, ResponseAmended.TYPE}
    assert not any(isinstance(one, ResponseStarted) for one in answers)


@pytest.mark.parametrize("score", [11, -1])
async def test_a_number_off_the_scale_is_put_aside(collector: Collector, score: int) -> None:
    await collector.asked(1, ONE)
    assert len(await collector.feed(reply(collector, score))) == 1


async def test_a_reply_to_an_unknown_survey_is_put_aside(collector: Collector) -> None:
    assert len(await collector.feed(reply(collector, 9, number=77))) == 1


async def test_a_closed_survey_takes_no_reply(collector: Collector) -> None:
    await collector.asked(1, ONE)
    collector.wait(31 * 86400)
    assert await collector.feed(reply(collector, 9)) == []
    assert await collector.settle() == []
