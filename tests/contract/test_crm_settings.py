"""Which CRMs scoring writes to, by its settings, and over a real connection what each is told of who asks."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from pydantic import ValidationError

from services.scoring.app import build
from services.scoring.connectors.partners import Accesses, crms_of
from services.scoring.domain.crm import Crm, Kind, Subject
from services.scoring.handlers import SUBSCRIPTIONS, TOUCHING_SUBSCRIPTIONS
from services.scoring.settings import Settings
from shared.errors import SendError
from shared.runtime.clock import FakeMachine
from shared.runtime.ids import derive
from shared.security.partners import PartnerAccess
from tests.support.assembled import platform
from tests.support.partner import Fault, Partner, listening

pytestmark = pytest.mark.requirement("R71")
ALL = {
    "hubspot_token": "t",
    "salesforce_url": "https://northwind.my.salesforce.com",
    "salesforce_client_id": "id",
    "salesforce_client_secret": "s",
    "gainsight_url": "https://northwind.gainsightcloud.com",
    "gainsight_key": "k",
    "totango_service": "SP-0000-01",
    "totango_token": "t",
}


async def loops(**given: str) -> set[str]:
    built = await build(Settings.model_validate(given), platform("scoring"))
    return {loop.name for loop in built.loops if loop.name.startswith("crm")}


async def test_without_access_nothing_is_written_and_nothing_is_noted() -> None:
    built = await build(Settings(), platform("scoring"))
    assert built.subscriptions is SUBSCRIPTIONS
    assert await loops() == set()


async def test_each_crm_with_access_has_loops_of_its_own() -> None:
    built = await build(Settings.model_validate(ALL), platform("scoring"))
    assert built.subscriptions is TOUCHING_SUBSCRIPTIONS
    assert await loops(**ALL) == {
        "crm", "crm.gauge", "crm.hubspot.contact", "crm.hubspot.account", "crm.salesforce.contact",
        "crm.salesforce.account", "crm.gainsight.account", "crm.totango.account",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"salesforce_url": "http://northwind.example", "salesforce_client_secret": "s"}, "https"),
        ({"totango_token": "t"}, "AFTERWORD_SCORING_TOTANGO_SERVICE"),
    ],
)
async def test_settings_that_cannot_be_used_stop_the_start_and_say_why(
    given: dict[str, str], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        await loops(**given)


@pytest.mark.parametrize("key", ["hubspot_company_key", "salesforce_account_key", "gainsight_company_key"])
@pytest.mark.parametrize("wrong", ["", "Name) OR (Id", "a-b"])
def test_a_key_that_is_no_name_of_a_field_is_refused(key: str, wrong: str) -> None:
    with pytest.raises(ValidationError, match=key):
        Settings.model_validate({key: wrong})


def crm(name: str, url: str) -> Crm:
    access: dict[str, Any] = {name: PartnerAccess(url, "SP-0000-01", "secret")}
    (made,) = crms_of(Accesses(**access), FakeMachine())
    return made


@pytest.mark.parametrize(
    ("name", "header", "value"),
    [("hubspot", "authorization", "Bearer secret"), ("gainsight", "accesskey", "secret")],
)
async def test_each_is_told_who_asks_the_way_it_wants(name: str, header: str, value: str) -> None:
    says = json.dumps({"results": [], "result": True, "data": {"records": []}})
    async with listening(Partner(says=says)) as partner:
        await crm(name, partner.url).find(Kind.ACCOUNT, [Subject(derive("a"), name="Acme")])
        assert [one.headers[header] for one in partner.taken] == [value]


async def test_salesforce_is_signed_in_to_once_and_then_told_the_token() -> None:
    says = json.dumps({"access_token": "fresh", "records": []})
    async with listening(Partner(says=says)) as partner:
        salesforce = crm("salesforce", partner.url)
        for _ in range(2):
            await salesforce.find(Kind.ACCOUNT, [Subject(derive("a"), name="Acme")])
        told = [one.headers.get("authorization") for one in partner.taken]
        assert told == [None, "Bearer fresh", "Bearer fresh"]
        assert parse_qs(partner.taken[0].body.decode())["client_secret"] == ["secret"]


@pytest.mark.parametrize("name", ["hubspot", "salesforce", "gainsight"])
@pytest.mark.parametrize(
    "fault",
    [Fault.BUSY, Fault.BROKEN, Fault.GARBAGE, Fault.PORTAL, Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.DOWN],
)
async def test_whatever_a_connection_does_it_is_tried_again(name: str, fault: Fault) -> None:
    async with listening(Partner(fault=fault)) as partner:
        with pytest.raises(SendError) as caught:
            await crm(name, partner.url).find(Kind.ACCOUNT, [Subject(derive("a"), name="Acme")])
    assert not caught.value.permanent
