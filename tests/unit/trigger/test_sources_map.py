"""Records of others as touchpoints: JMESPath rules, CloudEvents, Salesforce change events."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from services.trigger.domain.reports import Report
from services.trigger.sources.check import read_sources
from services.trigger.sources.definition import Sources
from services.trigger.sources.mapping import SourceDecoder
from shared.bus.model import Record
from shared.contracts.envelope import Event
from shared.errors import Undecodable
from tests.support.webhooks import MS, SECOND, changed

EIGHT = datetime(2026, 3, 3, 8, tzinfo=UTC)
EXAMPLE = Path(__file__).parents[3] / "docs/sources.example.yaml"
ORDER: dict[str, Any] = {
    "status": "DELIVERED", "order_no": 7, "updated_at": MS, "shipment": {"carrier": "DHL"},
    "customer": {"id": 12, "email": "anna@kund.example", "name": "Anna Berg", "language": "sv"},
    "company": {"id": "k9", "name": "Kund AB", "vip": True},
}  # fmt: skip
PROJECT: dict[str, Any] = {
    "id": "p1", "state": "done", "closed_at": "2026-03-03T08:00:00Z", "customer_number": 44,
    "team": [
        {"side": "customer", "mail": "anna@kund.example", "name": "Anna", "lead": True},
        {"side": "us", "mail": "sven@nordlicht.example", "name": "Sven"},
        {"side": "customer", "mail": "bo@kund.example", "name": "Bo"},
        {"side": "customer", "name": "nobody"},
    ],
}  # fmt: skip
CASE: dict[str, Any] = {
    "ChangeEventHeader": {
        "entityName": "Case", "recordIds": ["500A"], "changeType": "UPDATE", "changedFields": ["Status"],
        "commitTimestamp": MS, "transactionKey": "0002343d", "sequenceNumber": 1},
    "Status": "Closed",
}  # fmt: skip


CONTACT_GONE: dict[str, Any] = {
    "ChangeEventHeader": CASE["ChangeEventHeader"] | {"entityName": "Contact", "changeType": "DELETE"}
}
CLOSE_DATE: dict[str, Any] = {
    "ChangeEventHeader": CASE["ChangeEventHeader"] | {"entityName": "Opportunity"},
    "CloseDate": "2026-10-01",
    "Type": "New Business",
}


def sources(text: str = "") -> Sources:
    found, findings = read_sources("sources.yaml", text or EXAMPLE.read_text())
    assert found is not None, findings
    return found


def event(
    topic: str, value: object, *, headers: dict[str, str] | None = None, given: Sources | None = None
) -> Event[Any] | None:
    raw = value if isinstance(value, bytes | None) else json.dumps(value).encode()
    lines = tuple((name, text.encode()) for name, text in (headers or {}).items())
    return SourceDecoder(given or sources())(Record(topic, 1, 5, None, raw, lines, MS))


def reports(topic: str, value: object, **more: Any) -> tuple[Report, ...]:
    found = event(topic, value, **more)
    assert found is not None
    made: tuple[Report, ...] = found.data.reports
    return made


def test_a_record_is_read_by_its_rule() -> None:
    (order,) = reports("shop.orders", ORDER)
    told = order.touchpoint
    assert (order.type, order.id, order.source) == ("order.delivered", "order.delivered/7", "/sources/shop")
    assert told.occurred_at == EIGHT
    (person,) = told.people
    assert (person.id, person.email, person.locale, person.role) == (
        "12",
        "anna@kund.example",
        "sv",
        "recipient",
    )
    assert told.account is not None
    assert (told.account.id, told.account.tier) == ("k9", "key")
    assert told.subject is not None
    assert (told.subject.kind, told.subject.id) == ("order", "7")
    assert told.context == {"carrier": "DHL"}


def test_a_list_of_people_is_read_entry_by_entry() -> None:
    (project,) = reports("erp.projects", PROJECT)
    people = [(one.email, one.persona) for one in project.touchpoint.people]
    assert people == [("anna@kund.example", "decision_maker"), ("bo@kund.example", "user")]
    assert project.id == "project.completed/p1/2026-03-03T08:00:00Z"


@pytest.mark.parametrize(
    ("topic", "value"),
    [
        pytest.param("shop.orders", ORDER | {"status": "NEW"}, id="no rule fits"),
        pytest.param("shop.orders", None, id="a tombstone"),
        pytest.param(
            "salesforce.changes", changed(CASE, "ChangeEventHeader.changeType", "DELETE"), id="a deletion"
        ),
        pytest.param(
            "salesforce.changes", changed(CASE, "ChangeEventHeader.entityName", "Lead"), id="another object"
        ),
        pytest.param(
            "salesforce.changes", changed(CASE, "ChangeEventHeader.recordIds", ["500*"]), id="a wildcard"
        ),
        pytest.param("salesforce.changes", changed(CASE, "Status", ...), id="nothing of interest"),
        pytest.param("salesforce.changes", CONTACT_GONE, id="a deletion that is no merge"),
        pytest.param("salesforce.changes", CLOSE_DATE, id="a day that is no renewal's"),
    ],
)
def test_what_means_nothing_is_ignored(topic: str, value: object) -> None:
    assert event(topic, value) is None


@pytest.mark.parametrize(
    ("topic", "value", "reason"),
    [
        pytest.param("shop.orders", b"{", "shop: body: not readable as JSON", id="no JSON"),
        pytest.param(
            "shop.orders",
            changed(ORDER, "customer.email", {"x": 1}),
            "shop: contact.email: must be a text",
            id="an object",
        ),
        pytest.param(
            "shop.orders",
            ORDER | {"updated_at": "soon"},
            "shop: occurred_at: not an ISO 8601 time",
            id="time",
        ),
        pytest.param("shop.orders", ORDER | {"updated_at": None}, "shop: occurred_at: missing", id="no time"),
        pytest.param("shop.orders", ORDER | {"order_no": None}, "shop: subject.id: missing", id="no subject"),
        pytest.param(
            "shop.orders",
            changed(changed(ORDER, "customer", {}), "company", {}),
            "shop: order.delivered: ",
            id="nobody",
        ),
        pytest.param("platform.events", b"{}", "headers: no ce_id", id="no CloudEvent"),
        pytest.param(
            "salesforce.changes",
            changed(CASE, "ChangeEventHeader.commitTimestamp", "x"),
            "crm: ChangeEventHeader.commitTimestamp: not a time",
            id="salesforce time",
        ),
    ],
)
def test_what_cannot_be_read_is_named_with_source_and_path(topic: str, value: object, reason: str) -> None:
    with pytest.raises(Undecodable) as error:
        event(topic, value)
    assert str(error.value).startswith(reason)


def test_the_number_of_a_schema_is_skipped() -> None:
    (order,) = reports("shop.orders", b"\x00\x00\x00\x00\x07" + json.dumps(ORDER).encode())
    assert order.type == "order.delivered"


@pytest.mark.parametrize(
    ("written", "at"), [(SECOND, EIGHT), (MS, EIGHT), ("2026-03-03T09:00:00+01:00", EIGHT)]
)
def test_times_are_texts_seconds_or_milliseconds(written: object, at: datetime) -> None:
    (order,) = reports("shop.orders", ORDER | {"updated_at": written})
    assert order.touchpoint.occurred_at == at


def test_without_id_and_time_the_record_tells_both() -> None:
    rule = "sources: [{name: a, topics: [t], events: [{type: product.used, product: name}]}]"
    (found,) = reports("t", {"name": "press"}, given=sources(rule))
    assert (found.id, found.touchpoint.occurred_at) == (f"product.used/t/1/5/{MS}", EIGHT)


def test_one_record_may_mean_several_things() -> None:
    rules = "[{type: product.used, product: name}, {type: usage.reported, product: name}]"
    rule = f"sources: [{{name: a, topics: [t], events: {rules}}}]"
    found = reports("t", {"name": "press"}, given=sources(rule))
    assert [report.type for report in found] == ["product.used", "usage.reported"]
    assert len({report.replay for report in found}) == 2


CE = {
    "ce_specversion": "1.0",
    "ce_id": "e1",
    "ce_source": "/shop",
    "ce_type": "order.delivered",
    "ce_time": "2026-03-03T08:00:00Z",
}


def test_a_cloud_event_is_a_touchpoint_as_it_stands() -> None:
    (found,) = reports("platform.events", {"contact": {"id": "c1"}}, headers=CE)
    assert (found.type, found.source, found.id, found.touchpoint.occurred_at) == (
        "order.delivered",
        "/shop",
        "e1",
        EIGHT,
    )
    assert event("platform.events", {}, headers=CE | {"ce_type": "com.Example.Thing"}) is None


def test_a_cloud_event_is_read_by_rules() -> None:
    rule = """
    sources:
      - name: a
        topics: [t]
        format: cloudevents
        events:
          - {type: order.delivered, when: "type == 'com.example.delivered.v1'", contact: {id: data.who}}
    """
    given = sources(rule)
    (found,) = reports("t", {"who": "c1"}, headers=CE | {"ce_type": "com.example.delivered.v1"}, given=given)
    assert (found.id, found.touchpoint.occurred_at) == ("order.delivered/e1", EIGHT)
    assert event("t", {"who": "c1"}, headers=CE, given=given) is None


def change(entity: str, kind: str = "UPDATE", **fields: object) -> dict[str, Any]:
    header = CASE["ChangeEventHeader"] | {"entityName": entity, "changeType": kind}
    return {"ChangeEventHeader": header, **fields}


CHANGES = [
    pytest.param(CASE, "support_ticket.resolved", "", "salesforce:ticket:500A", id="case closed"),
    pytest.param(
        {"schema": {}, "payload": CASE},
        "support_ticket.resolved",
        "",
        "salesforce:ticket:500A",
        id="as Kafka Connect wraps it",
    ),
    pytest.param(
        CASE | {"Status": "Solved"},
        "support_ticket.resolved",
        "",
        "salesforce:ticket:500A",
        id="another word for closed",
    ),
    pytest.param(
        CASE | {"Status": "New"}, "support_ticket.reopened", "", "salesforce:ticket:500A", id="case open"
    ),
    pytest.param(
        change("Case", IsClosed=True, ContactId="003B"),
        "support_ticket.resolved",
        "salesforce:003B",
        "salesforce:003B",
        id="case with contact",
    ),
    pytest.param(
        change("Case", "CREATE", Status="New", ContactId="003B"),
        "support_ticket.opened",
        "salesforce:003B",
        "salesforce:003B",
        id="case opened",
    ),
    pytest.param(
        change("Contract", EndDate="2026-10-01"),
        "contract.renewal_date_set",
        "",
        "salesforce:contract:500A",
        id="contract",
    ),
    pytest.param(
        change("Contract", EndDate=20727, AccountId="001C"),
        "contract.renewal_date_set",
        "",
        "",
        id="contract with account",
    ),
    pytest.param(
        change("Opportunity", StageName="Closed Won"), "deal.closed", "", "salesforce:deal:500A", id="deal"
    ),
    pytest.param(
        change("Opportunity", StageName="Closed Won", AccountId="001C"),
        "deal.closed",
        "",
        "",
        id="deal with account",
    ),
    pytest.param(
        change("Opportunity", Type="Renewal", CloseDate="2026-10-01", AccountId="001C"),
        "contract.renewal_date_set",
        "",
        "",
        id="renewal with account",
    ),
    pytest.param(
        change("Opportunity", Type="Renewal", CloseDate="2026-10-01"),
        "contract.renewal_date_set",
        "",
        "salesforce:deal:500A",
        id="renewal",
    ),
    pytest.param(
        change("Opportunity", Type="Renewal", CloseDate="2026-10-01", StageName="Closed Won"),
        "deal.closed",
        "",
        "salesforce:deal:500A",
        id="a renewal that was won",
    ),
    pytest.param(
        change("Contact", "DELETE", MasterRecordId="003M"),
        "contact.merged",
        "salesforce:003M",
        "",
        id="contact merged",
    ),
    pytest.param(
        change("Contact", Email="a@kund.example", Name={"FirstName": "Anna", "LastName": "Berg"}),
        "contact.updated",
        "salesforce:500A",
        "",
        id="contact",
    ),
    pytest.param(
        change("Account", Name="Kund AB", NumberOfEmployees=40), "account.updated", "", "", id="account"
    ),
]


@pytest.mark.requirement("R54")
@pytest.mark.parametrize(("body", "kind", "person", "missing"), CHANGES)
def test_salesforce_changes(body: dict[str, Any], kind: str, person: str, missing: str) -> None:
    (found,) = reports("salesforce.changes", body)
    told = found.touchpoint
    assert (found.type, told.people[0].id if told.people else "") == (kind, person)
    assert (found.gap.name if found.gap else "") == missing
    assert found.id == "0002343d/1/500A"


def test_a_salesforce_account_that_became_part_of_another_is_merged() -> None:
    (found,) = reports("salesforce.changes", change("Account", "DELETE", MasterRecordId="001M"))
    told = found.touchpoint
    named = [company.id for company in told.companies]
    assert (found.type, named) == ("account.merged", ["salesforce:001M", "salesforce:500A"])
    assert event("salesforce.changes", change("Account", "DELETE")) is None


def test_salesforce_dates_are_texts_or_days() -> None:
    for written in ("2026-10-01", 20727):
        (found,) = reports("salesforce.changes", change("Contract", EndDate=written))
        assert found.touchpoint.renewal_on == date(2026, 10, 1)


def test_a_gap_says_what_was_missed() -> None:
    found = event("salesforce.changes", changed(CASE, "ChangeEventHeader.changeType", "GAP_UPDATE"))
    assert found is not None
    (told,) = found.data.missed
    assert (told.entity, told.record, told.change) == ("Case", "500A", "update")
    assert found.data.reports == ()


def test_a_new_case_says_whose_later_changes_are() -> None:
    (opened,) = reports("salesforce.changes", change("Case", "CREATE", Status="New", ContactId="003B"))
    (closed,) = reports("salesforce.changes", CASE)
    assert closed.gap is not None
    assert opened.aka == (closed.gap.name,)


def test_a_change_of_several_records_is_one_report_each() -> None:
    found = reports("salesforce.changes", changed(CASE, "ChangeEventHeader.recordIds", ["500A", "500B"]))
    assert [report.touchpoint.subject.id for report in found if report.touchpoint.subject] == ["500A", "500B"]
