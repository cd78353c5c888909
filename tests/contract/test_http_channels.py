"""What every channel over HTTP promises (`services.dispatch.channels.port.Channel`), fault by fault."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from services.dispatch.channels.inhouse import InHouse
from services.dispatch.channels.port import Channel, Outgoing, RefusedError
from services.dispatch.channels.sms import SmsChannel, SmsProvider
from services.dispatch.channels.webhook import WebhookChannel, WebhookTarget
from shared.contracts.reasons import Reason
from shared.errors import SendError
from shared.runtime.clock import SystemMachine
from shared.security.signatures import WebhookSecret
from tests.support.provider import Provider, Reply

SECONDS = 30.0
SHORT = 0.5
SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
NUMBER = "+46701740605"


@dataclass(slots=True)
class Bench:
    """A channel in front of a provider that keeps what it took."""

    name: str
    channel: Channel
    provider: Provider


def message(content: str = "How is Cloud? 0 to 10: https://ask.example/s/x") -> Outgoing:
    return Outgoing("1f0a7d1e-8f3c-5e0e-9d5a-3a1f6d1f0a7d", "", NUMBER, content.encode())


def webhook(provider: Provider, *, drops_repeats: bool = False, seconds: float = SECONDS) -> WebhookChannel:
    secret = WebhookSecret.standard(SECRET)
    target = WebhookTarget(f"{provider.url}/asks", secret, drops_repeats, seconds=seconds)
    return WebhookChannel(target, SystemMachine())


@pytest.fixture(params=["sms", "webhook"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    provider = Provider()
    await provider.start()
    if request.param == "sms":
        account = SmsProvider(
            "AC1", "secret", "+46700000000", "https://ask.example/hooks/twilio/status", provider.url,
            seconds=SECONDS,
        )  # fmt: skip
        channel: Channel = SmsChannel(account)
    else:
        channel = webhook(provider)
    yield Bench(request.param, channel, provider)
    await channel.close()
    await provider.stop()


async def failed(bench: Bench, *replies: Reply) -> SendError:
    bench.provider.replies += replies
    with pytest.raises(SendError) as caught:
        await bench.channel.send(message())
    assert NUMBER not in str(caught.value)
    return caught.value


@pytest.mark.requirement("R52")
async def test_what_is_taken_arrives_once_and_unchanged(bench: Bench) -> None:
    await bench.channel.send(message("Hej Åsa & Öberg, 100 %? 😀"))
    [taken] = bench.provider.taken
    if bench.name == "sms":
        assert taken.path == "/2010-04-01/Accounts/AC1/Messages.json"
        assert taken.headers["authorization"] == "Basic " + base64.b64encode(b"AC1:secret").decode()
        assert taken.form == {
            "To": NUMBER,
            "From": "+46700000000",
            "Body": "Hej Åsa & Öberg, 100 %? 😀",
            "StatusCallback": f"https://ask.example/hooks/twilio/status?delivery={message().key}",
        }
    else:
        assert taken.headers["webhook-id"] == message().key
        assert taken.body.decode() == "Hej Åsa & Öberg, 100 %? 😀"


@pytest.mark.requirement("R52")
async def test_a_webhook_passes_the_official_verifier() -> None:
    provider = Provider()
    await provider.start()
    channel = webhook(provider)
    await channel.send(message('{"type":"survey.ask"}'))
    [taken] = provider.taken
    assert Webhook(SECRET).verify(taken.body, taken.headers) == {"type": "survey.ask"}
    await channel.close()
    await provider.stop()


async def test_many_at_once_all_arrive_over_kept_connections(bench: Bench) -> None:
    async with asyncio.TaskGroup() as tasks:
        for _ in range(30):
            tasks.create_task(bench.channel.send(message()))
    assert len(bench.provider.taken) == 30
    assert bench.provider.connections <= 8


async def test_a_provider_that_is_busy_is_asked_again_when_it_says(bench: Bench) -> None:
    error = await failed(bench, Reply(429, b"{}", ("retry-after: 17",)))
    assert isinstance(error, RefusedError)
    assert (error.permanent, error.uncertain, error.retry_after) == (False, False, timedelta(seconds=17))


@pytest.mark.parametrize("value", ["soon", "-1", "9" * 40, ""])
async def test_an_unreadable_wait_is_no_wait(bench: Bench, value: str) -> None:
    error = await failed(bench, Reply(429, b"{}", (f"retry-after: {value}",)))
    assert error.retry_after is None


async def test_a_provider_out_of_service_may_be_asked_again(bench: Bench) -> None:
    error = await failed(bench, Reply(503, b"<html>"))
    assert (error.permanent, error.uncertain) == (False, False)


async def test_wrong_credentials_lose_no_survey(bench: Bench) -> None:
    error = await failed(bench, Reply(401, b'{"code":20003}'))
    assert (error.permanent, error.uncertain) == (False, False)


async def test_what_can_never_work_is_given_up(bench: Bench) -> None:
    error = await failed(bench, Reply(400, b'{"code":21602,"message":"to +46701740605"}'))
    assert isinstance(error, RefusedError)
    assert (error.permanent, error.uncertain, error.reason) == (True, False, Reason.BOUNCED)


async def test_a_connection_lost_without_an_answer_is_uncertain(bench: Bench) -> None:
    error = await failed(bench, Reply(0))
    assert (error.permanent, error.uncertain) == (False, True)


@pytest.mark.parametrize("kind", ["sms", "webhook"])
async def test_an_answer_that_comes_too_late_is_uncertain(kind: str) -> None:
    provider = Provider([Reply(seconds=SECONDS)])
    await provider.start()
    channel: Channel = webhook(provider, seconds=SHORT)
    if kind == "sms":
        channel = SmsChannel(SmsProvider("AC1", "secret", "MG1", url=provider.url, seconds=SHORT))
    with pytest.raises(SendError) as caught:
        await channel.send(message())
    assert (caught.value.permanent, caught.value.uncertain) == (False, True)
    await channel.close()
    await provider.stop()


async def test_an_answer_that_comes_in_time_is_an_answer(bench: Bench) -> None:
    bench.provider.replies.append(Reply(seconds=SHORT / 2))
    await bench.channel.send(message())
    assert len(bench.provider.taken) == 1


async def test_a_provider_that_is_away_was_certainly_not_told(bench: Bench) -> None:
    await bench.provider.stop()
    error = await failed(bench)
    assert (error.permanent, error.uncertain) == (False, False)


async def test_a_kept_connection_that_died_is_replaced(bench: Bench) -> None:
    await bench.channel.send(message())
    await bench.provider.stop()
    await asyncio.sleep(0)
    await bench.provider.start()
    await bench.channel.send(message())
    assert len(bench.provider.taken) == 2


async def test_a_redirect_is_not_followed(bench: Bench) -> None:
    error = await failed(bench, Reply(307, b"", (f"location: {bench.provider.url}/else",)))
    assert error.uncertain is False
    assert len(bench.provider.taken) == 1


async def test_closed_twice_it_still_sends(bench: Bench) -> None:
    await bench.channel.close()
    await bench.channel.close()
    await bench.channel.send(message())
    assert len(bench.provider.taken) == 1


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (21211, Reason.INVALID_ADDRESS),
        (21614, Reason.INVALID_ADDRESS),
        (21610, Reason.OPTED_OUT),
        (21408, Reason.BOUNCED),
    ],
)
async def test_a_number_that_is_dead_or_said_stop_is_told_apart(code: int, reason: Reason) -> None:
    provider = Provider([Reply(400, f'{{"code":{code}}}'.encode())])
    await provider.start()
    channel = SmsChannel(SmsProvider("AC1", "secret", "MG1", url=provider.url))
    with pytest.raises(RefusedError) as caught:
        await channel.send(message())
    assert (caught.value.permanent, caught.value.reason) == (True, reason)
    assert provider.taken[0].form["MessagingServiceSid"] == "MG1"
    await channel.close()
    await provider.stop()


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_a_provider_that_broke_down_over_a_text_message_may_have_taken_it(status: int) -> None:
    provider = Provider([Reply(status)])
    await provider.start()
    channel = SmsChannel(SmsProvider("AC1", "secret", "MG1", url=provider.url))
    with pytest.raises(SendError) as caught:
        await channel.send(message())
    assert caught.value.uncertain
    await channel.close()
    await provider.stop()


@pytest.mark.parametrize("number", ["", "0701740605", "+46701740605,+46700000001", "+46701740605\r\nX: y"])
async def test_only_one_international_number_is_written_to(number: str) -> None:
    channel = SmsChannel(SmsProvider("AC1", "secret", "MG1", url="http://127.0.0.1:9"))
    with pytest.raises(RefusedError) as caught:
        await channel.send(Outgoing("k", "", number, b"x"))
    assert caught.value.reason is Reason.UNSENDABLE
    await channel.close()


@pytest.mark.parametrize("drops_repeats", [True, False])
async def test_an_unanswered_webhook_is_repeated_only_where_repeats_are_dropped(
    *, drops_repeats: bool
) -> None:
    provider = Provider([Reply(0)])
    await provider.start()
    channel = webhook(provider, drops_repeats=drops_repeats)
    with pytest.raises(SendError) as caught:
        await channel.send(message())
    assert caught.value.uncertain is not drops_repeats
    await channel.send(message())
    assert len({taken.headers["webhook-id"] for taken in provider.taken}) == 1
    await channel.close()
    await provider.stop()


async def test_what_stays_in_the_house_cannot_fail() -> None:
    channel = InHouse()
    await channel.send(message())
    await channel.close()
