"""One suite over every CRM that scores are written to, each against its documented API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
from hubspot import HubSpot as Client
from hubspot.crm.contacts import BatchReadInputSimplePublicObjectId

from services.scoring.connectors.batches import REMEMBERED
from services.scoring.connectors.gainsight import Gainsight
from services.scoring.connectors.hubspot import HubSpot
from services.scoring.connectors.salesforce import Salesforce
from services.scoring.connectors.totango import Totango
from services.scoring.domain.crm import FIGURES, Crm, Figures, Found, Kind, Refused, Subject, Taken, Update
from shared.errors import SendError
from shared.partners.api import Api
from shared.runtime.clock import FakeMachine
from shared.runtime.ids import derive
from tests.support.crm import CrmDesk, GainsightCrm, HubSpotCrm, SalesforceCrm, TotangoCrm
from tests.support.hubspots import wired

pytestmark = pytest.mark.requirement("R71")
ANA, BO = derive("ana"), derive("bo")
SITE = "https://crm.test"
SAID: Figures = {"nps": 9, "nps_date": "2026-03-03", "nps_trend": "up", "ces": None}
SCORED: Figures = {"health": 71, "csat_transactional": 83.3, "csat_transactional_n": 6}
FIGURES_OF = {Kind.CONTACT: SAID, Kind.ACCOUNT: SCORED}


@dataclass
class Bench:
    """A connector in front of a CRM."""

    of: Crm
    desk: CrmDesk
    machine: FakeMachine

    async def writes(self, kind: Kind, record: str, figures: Figures) -> Taken | Refused:
        return (await self.of.write(kind, [Update(ANA, record, figures)]))[ANA]


def hubspot(api: Api, key: str = "") -> Crm:
    return HubSpot(api, key or "name")


def salesforce(api: Api, key: str = "") -> Crm:
    return Salesforce(api, key or "Name")


def gainsight(api: Api, key: str = "") -> Crm:
    return Gainsight(api, key or "Name")


def totango(api: Api, _key: str = "") -> Crm:
    return Totango(api, "SP-0000-01")


def gainsights_desk() -> CrmDesk:
    return GainsightCrm(FIGURES[Kind.ACCOUNT])


def salesforces_desk() -> CrmDesk:
    return SalesforceCrm({*FIGURES[Kind.CONTACT], *FIGURES[Kind.ACCOUNT]})


BENCHES: dict[str, tuple[Callable[[], CrmDesk], Callable[..., Crm]]] = {
    "hubspot": (HubSpotCrm, hubspot),
    "salesforce": (salesforces_desk, salesforce),
    "gainsight": (gainsights_desk, gainsight),
    "totango": (TotangoCrm, totango),
}
KEYS = {
    "hubspot": "customer_number", "salesforce": "Customer_Number__c", "gainsight": "Customer_Number__gc",
}  # fmt: skip
SEARCHED = ("hubspot", "salesforce", "gainsight")
"""CRMs in which records are looked for."""


def bench_of(name: str, key: str = "") -> Bench:
    kind, build = BENCHES[name]
    desk, machine = kind(), FakeMachine()
    headers = {"authorization": "Bearer secret"}
    client = httpx.AsyncClient(base_url=SITE, transport=httpx.MockTransport(desk), headers=headers)
    return Bench(build(Api(client, machine), key), desk, machine)


def kinds_of(*names: str) -> list[tuple[str, Kind]]:
    return [(name, kind) for name in names for kind in Kind if kind in bench_of(name).of.kinds]


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest) -> Bench:
    return bench_of(request.param)


def subject(kind: Kind, key: str, number: int = 0, external: str = "") -> Subject:
    one = (ANA, BO)[number]
    return Subject(one, external, email=key) if kind is Kind.CONTACT else Subject(one, external, name=key)


def key_of(kind: Kind, name: str = "ana") -> str:
    return f"{name}@acme.test" if kind is Kind.CONTACT else f"{name.title()}'s (EMEA)"


@pytest.mark.parametrize(("name", "kind"), kinds_of(*SEARCHED))
async def test_a_record_is_found_by_address_or_name_and_nobody_is_made(name: str, kind: Kind) -> None:
    bench = bench_of(name)
    record = bench.desk.add(kind, key_of(kind).swapcase() if kind is Kind.ACCOUNT else key_of(kind), 7)
    wanted = [subject(kind, key_of(kind)), subject(kind, key_of(kind, "bo"), 1)]
    found = await bench.of.find(kind, wanted)
    assert found[ANA] == Found(record)
    assert isinstance(found[BO], Refused)
    assert list(bench.desk.records[kind]) == [record]


@pytest.mark.parametrize(("name", "kind"), kinds_of(*SEARCHED))
async def test_the_own_id_of_the_crm_names_the_record(name: str, kind: Kind) -> None:
    bench = bench_of(name)
    record = bench.desk.add(kind, key_of(kind), 7)
    bench.desk.add(kind, key_of(kind, "bo"), 8)
    external = f"{bench.of.name}:{record}"
    found = await bench.of.find(kind, [subject(kind, key_of(kind, "bo"), external=external)])
    assert found[ANA] == Found(record)


@pytest.mark.parametrize(("name", "kind"), kinds_of(*SEARCHED))
async def test_an_own_id_that_leads_nowhere_falls_back_to_what_is_known(name: str, kind: Kind) -> None:
    bench = bench_of(name)
    record = bench.desk.add(kind, key_of(kind), 7)
    gone = record.replace("7", "6")
    found = await bench.of.find(kind, [subject(kind, key_of(kind), external=f"{bench.of.name}:{gone}")])
    assert found[ANA] == Found(record)


@pytest.mark.parametrize("name", SEARCHED)
async def test_of_two_companies_of_one_name_none_is_guessed(name: str) -> None:
    bench = bench_of(name)
    for number in (7, 8):
        bench.desk.add(Kind.ACCOUNT, "Acme", number)
    found = await bench.of.find(Kind.ACCOUNT, [subject(Kind.ACCOUNT, "Acme")])
    refused = found[ANA]
    assert isinstance(refused, Refused)
    assert "several" in refused.reason


@pytest.mark.parametrize("name", SEARCHED)
async def test_accounts_are_found_by_the_field_that_holds_their_number(name: str) -> None:
    bench = bench_of(name, KEYS[name])
    record = bench.desk.add(Kind.ACCOUNT, "Acme", 7)
    bench.desk.records[Kind.ACCOUNT][record][KEYS[name]] = "C-17"
    found = await bench.of.find(Kind.ACCOUNT, [subject(Kind.ACCOUNT, "Other", external="C-17")])
    assert found[ANA] == Found(record)


async def test_an_account_of_which_nothing_is_known_is_refused_and_not_looked_for(bench: Bench) -> None:
    found = await bench.of.find(Kind.ACCOUNT, [Subject(ANA)])
    assert isinstance(found[ANA], Refused)
    assert bench.desk.asked == []


@pytest.mark.parametrize(("name", "kind"), kinds_of(*BENCHES))
async def test_figures_are_written_replaced_and_cleared(name: str, kind: Kind) -> None:
    bench = bench_of(name)
    record, figures = bench.desk.add(kind, "acme", 7), FIGURES_OF[kind]
    for _ in range(2):
        assert await bench.writes(kind, record, figures) == Taken(frozenset(figures))
        shown = bench.desk.shown(kind, record)
        assert shown == {n: v if shown[n] == v else str(v) for n, v in figures.items() if v is not None}
    cleared: Figures = dict.fromkeys(figures)
    assert await bench.writes(kind, record, cleared) == Taken(frozenset(figures))
    assert bench.desk.shown(kind, record) == {}


@pytest.mark.parametrize("name", SEARCHED)
async def test_one_record_that_is_gone_spoils_no_other(name: str) -> None:
    bench = bench_of(name)
    record = bench.desk.add(Kind.ACCOUNT, "Acme", 7)
    gone = record.replace("7", "6")
    done = await bench.of.write(Kind.ACCOUNT, [Update(BO, gone, SCORED), Update(ANA, record, SCORED)])
    refused = done[BO]
    assert isinstance(refused, Refused)
    assert refused.gone
    assert done[ANA] == Taken(frozenset(SCORED))


@pytest.mark.parametrize("name", ["hubspot", "gainsight"])
async def test_one_record_that_spoils_its_batch_is_written_apart_and_refused_alone(name: str) -> None:
    bench = bench_of(name)
    ids = [derive("account", number) for number in range(5)]
    records = [bench.desk.add(Kind.ACCOUNT, f"{number}", number + 1) for number in range(5)]
    updates = [Update(one, record, SCORED) for one, record in zip(ids, records, strict=True)]
    updates[2] = Update(ids[2], records[2], {"csat_transactional_date": "yesterday"})
    done = await bench.of.write(Kind.ACCOUNT, updates)
    refused = done[ids[2]]
    assert isinstance(refused, Refused)
    assert refused.reason in {"HTTP 400 VALIDATION_ERROR", "HTTP 400 GSOBJ_1006"}
    assert [done[one] for one in ids if one != ids[2]] == [Taken(frozenset(SCORED))] * 4


@pytest.mark.parametrize(
    ("answer", "permanent", "wait", "said"),
    [
        pytest.param(
            httpx.Response(403, json=[{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "x"}]),
            True, None, "HTTP 403 REQUEST_LIMIT_EXCEEDED", id="used up",
        ),
        pytest.param(
            httpx.Response(403, json={"category": "MISSING_SCOPES", "message": "x"}),
            True, None, "HTTP 403 MISSING_SCOPES", id="no right",
        ),
        pytest.param(httpx.Response(401), True, None, "HTTP 401", id="refused"),
        pytest.param(
            httpx.Response(429, headers={"retry-after": "30"}), False, 30, "HTTP 429", id="too many"
        ),
        pytest.param(
            httpx.Response(429, json={"result": False, "errorCode": "GU_2400"}),
            False, None, "HTTP 429 GU_2400", id="too many, and no word for how long",
        ),
        pytest.param(httpx.Response(503), False, None, "HTTP 503", id="broken"),
        pytest.param(httpx.ReadTimeout("slow"), False, None, "no answer", id="silent"),
    ],
)  # fmt: skip
async def test_what_fails_together_says_why_and_whether_to_come_again(
    bench: Bench, answer: httpx.Response | Exception, permanent: bool, wait: int | None, said: str
) -> None:
    record = bench.desk.add(Kind.ACCOUNT, "Acme", 7)
    bench.desk.fails_writing = [answer]
    with pytest.raises(SendError, match=said) as caught:
        await bench.writes(Kind.ACCOUNT, record, SCORED)
    assert caught.value.permanent is permanent
    assert caught.value.retry_after == (timedelta(seconds=wait) if wait else None)


@pytest.mark.parametrize("name", SEARCHED)
@pytest.mark.parametrize("answer", ["<html>", "{}", "[]", '{"results": []}'])
async def test_an_answer_that_says_nothing_of_the_record_is_no_success(name: str, answer: str) -> None:
    bench = bench_of(name)
    record = bench.desk.add(Kind.ACCOUNT, "Acme", 7)
    bench.desk.fails_writing = [httpx.Response(200, text=answer)]
    with pytest.raises(SendError) as caught:
        await bench.writes(Kind.ACCOUNT, record, SCORED)
    assert not caught.value.permanent


async def test_hubspot_gets_properties_of_the_right_type_once_and_only_those_needed() -> None:
    bench = bench_of("hubspot")
    assert isinstance(bench.desk, HubSpotCrm)
    record = bench.desk.add(Kind.CONTACT, "ana@acme.test", 7)
    for _ in range(2):
        await bench.writes(Kind.CONTACT, record, SAID)
    made = {name: one["type"] for name, one in bench.desk.properties[Kind.CONTACT].items() if one}
    assert made == {
        "afterword_nps": "number", "afterword_nps_date": "date", "afterword_nps_trend": "enumeration"
    }  # fmt: skip
    assert sum(one.url.path.endswith("/batch/create") for one in bench.desk.asked) == 1


async def test_hubspot_finds_a_contact_by_a_second_address() -> None:
    bench = bench_of("hubspot")
    record = bench.desk.add(Kind.CONTACT, "ana@new.test", 7)
    bench.desk.records[Kind.CONTACT][record]["hs_additional_emails"] = "x@old.test;ana@acme.test"
    found = await bench.of.find(Kind.CONTACT, [subject(Kind.CONTACT, "ana@acme.test")])
    assert found[ANA] == Found(record)


async def test_an_address_that_is_none_does_not_hide_the_others_from_hubspot() -> None:
    bench = bench_of("hubspot")
    record = bench.desk.add(Kind.CONTACT, "ana@acme.test", 7)
    wanted = [subject(Kind.CONTACT, "ana@acme.test"), subject(Kind.CONTACT, "by phone alone", 1)]
    found = await bench.of.find(Kind.CONTACT, wanted)
    assert found[ANA] == Found(record)
    assert isinstance(found[BO], Refused)


async def test_hubspots_own_client_sees_what_was_written() -> None:
    bench = bench_of("hubspot")
    bench.desk.add(Kind.CONTACT, "ana@acme.test", 7)
    await bench.writes(Kind.CONTACT, "7", SAID)
    contacts = wired(Client(access_token="secret").crm.contacts.batch_api, bench.desk)
    wanted = BatchReadInputSimplePublicObjectId(
        properties=["afterword_nps"], properties_with_history=[], id_property="email",
        inputs=[{"id": "ana@acme.test"}],
    )  # fmt: skip
    (found,) = contacts.read(wanted).results
    assert (found.id, found.properties["afterword_nps"]) == ("7", "9")


async def test_salesforce_gets_only_fields_that_are_there_and_may_be_written() -> None:
    bench = bench_of("salesforce")
    assert isinstance(bench.desk, SalesforceCrm)
    record = bench.desk.add(Kind.CONTACT, "ana@acme.test", 7)
    bench.desk.fields[Kind.CONTACT] = {"AFTERWORD_NPS__c": True, "Afterword_nps_date__c": False}
    assert await bench.writes(Kind.CONTACT, record, SAID) == Taken(frozenset({"nps"}))
    assert bench.desk.records[Kind.CONTACT][record]["AFTERWORD_NPS__c"] == 9
    bench.desk.fields[Kind.CONTACT]["Afterword_nps_date__c"] = True
    bench.machine.advance(REMEMBERED)
    assert await bench.writes(Kind.CONTACT, record, SAID) == Taken(frozenset({"nps", "nps_date"}))


async def test_salesforce_without_any_of_the_fields_is_asked_nothing() -> None:
    bench = bench_of("salesforce")
    assert isinstance(bench.desk, SalesforceCrm)
    bench.desk.fields[Kind.CONTACT] = {"LastName": True}
    refused = await bench.writes(Kind.CONTACT, "003000000000001AAA", SAID)
    assert isinstance(refused, Refused)
    assert "fields" in refused.reason
    assert bench.desk.writes == 0


async def test_a_rule_of_the_organisation_refuses_one_record_and_names_the_field() -> None:
    bench = bench_of("salesforce")
    assert isinstance(bench.desk, SalesforceCrm)
    record = bench.desk.add(Kind.CONTACT, "ana@acme.test", 7)
    bench.desk.wrong = {"Afterword_nps__c"}
    refused = await bench.writes(Kind.CONTACT, record, SAID)
    assert refused == Refused("FIELD_CUSTOM_VALIDATION_EXCEPTION Afterword_nps__c")


async def test_gainsight_gets_only_fields_that_are_there() -> None:
    bench = bench_of("gainsight")
    assert isinstance(bench.desk, GainsightCrm)
    record = bench.desk.add(Kind.ACCOUNT, "Acme", 7)
    bench.desk.fields = {"Name", "Gsid", "AFTERWORD_health__gc"}
    assert await bench.writes(Kind.ACCOUNT, record, SCORED) == Taken(frozenset({"health"}))
    assert bench.desk.records[Kind.ACCOUNT][record]["AFTERWORD_health__gc"] == 71
    bench.desk.fields = {"Name"}
    bench.machine.advance(REMEMBERED)
    refused = await bench.writes(Kind.ACCOUNT, record, SCORED)
    assert isinstance(refused, Refused)
    assert "fields" in refused.reason


@pytest.mark.parametrize(
    ("external", "known"),
    [
        ("C-17", Found("C-17")), ("totango:acc_1", Found("acc_1")), ("hubspot:17", None), ("a b", None),
        ("", None),
    ],
)  # fmt: skip
async def test_totango_knows_accounts_by_ids_of_its_own_kind(external: str, known: Found | None) -> None:
    bench = bench_of("totango")
    found = (await bench.of.find(Kind.ACCOUNT, [Subject(ANA, external, name="Acme")]))[ANA]
    assert found == known if known else isinstance(found, Refused)
    assert bench.desk.asked == []
