"""The stand-ins of helpdesks answer as the partners do: their own clients understand them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import requests
from hubspot import HubSpot as Client
from hubspot.crm.objects.notes import BatchReadInputSimplePublicObjectId
from hubspot.crm.tickets import SimplePublicObjectInput
from hubspot.crm.tickets.exceptions import NotFoundException
from simple_salesforce.api import Salesforce as Organisation
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceResourceNotFound
from typing_extensions import override

from services.alerts.connectors.hubspot import PROPERTY, HubSpot
from services.alerts.connectors.salesforce import FIELD, Salesforce
from services.alerts.domain.outside import Case, Note
from shared.errors import SendError
from shared.partners.api import Api
from shared.partners.salesforce import ClientCredentials
from shared.runtime.clock import FakeMachine
from shared.runtime.ids import derive
from tests.support.crmdesks import HubSpotDesk, SalesforceDesk
from tests.support.helpdesks import Desk
from tests.support.hubspots import wired

pytestmark = pytest.mark.requirement("R72")
TICKET = derive("ticket")
CASE = Case(TICKET, "Ana Diaz gave 2 of 10", "Nobody called.", "urgent", "ana@acme.test", "Ana Diaz")
SITE = "https://help.my.salesforce.com"


def line(desk: Desk, auth: httpx.Auth | None = None) -> Api:
    client = httpx.AsyncClient(base_url=SITE, transport=httpx.MockTransport(desk), auth=auth)
    return Api(client, FakeMachine())


async def test_hubspots_client_sees_what_the_connector_made() -> None:
    desk, client = HubSpotDesk(), Client(access_token="secret")
    connector = HubSpot(line(desk), "0")
    assert await connector.find(TICKET) is None
    made = await connector.create(CASE)
    await connector.comment(made, Note("17", "Rita: called them."))
    await connector.settle(made, solved=True)
    tickets = wired(client.crm.tickets.basic_api, desk)
    found = tickets.get_by_id(str(TICKET), id_property=PROPERTY)
    assert (found.id, found.properties["hs_pipeline_stage"], found.archived) == (made, "4", False)
    stages = wired(client.crm.pipelines.pipeline_stages_api, desk).get_all("tickets", "0").results
    assert [s.id for s in stages if s.metadata["ticketState"] == "CLOSED"] == ["4"]
    linked = wired(client.crm.associations.v4.basic_api, desk).get_page("tickets", made, "notes").results
    wanted = BatchReadInputSimplePublicObjectId(
        properties=["hs_note_body"], inputs=[{"id": linked[0].to_object_id}], properties_with_history=[]
    )
    (note,) = wired(client.crm.objects.notes.batch_api, desk).read(wanted).results
    assert "Rita: called them." in note.properties["hs_note_body"]
    with pytest.raises(NotFoundException):
        tickets.get_by_id("no-such")


async def test_the_connector_sees_what_hubspots_client_changed() -> None:
    desk = HubSpotDesk()
    connector = HubSpot(line(desk), "0")
    await connector.find(TICKET)
    made = await connector.create(CASE)
    tickets = wired(Client(access_token="secret").crm.tickets.basic_api, desk)
    tickets.update(made, SimplePublicObjectInput(properties={"hs_pipeline_stage": "4"}))
    seen = await connector.read(made)
    assert seen is not None
    assert seen.solved


class Wire(requests.adapters.BaseAdapter):
    """What simple-salesforce makes its requests with."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk

    @override
    def send(self, request: requests.PreparedRequest, *_args: Any, **_options: Any) -> requests.Response:
        assert request.body is None or isinstance(request.body, str | bytes)
        headers = {name: str(value) for name, value in request.headers.items()}
        asked = httpx.Request(request.method or "", request.url or "", content=request.body, headers=headers)
        given = self._desk(asked)
        answer = requests.Response()
        answer.status_code, answer._content = given.status_code, given.content
        answer.headers.update(given.headers)
        answer.request, answer.url = request, request.url or ""
        return answer

    @override
    def close(self) -> None:
        """Nothing is held."""


def organisation(desk: Desk, secret: str) -> Any:
    session = requests.Session()
    session.mount("https://", Wire(desk))
    return Organisation(
        consumer_key="key", consumer_secret=secret, domain="help.my", session=session, version="62.0"
    )


async def test_salesforces_client_sees_what_the_connector_made() -> None:
    desk = SalesforceDesk()
    connector = Salesforce(line(desk, ClientCredentials(SITE, "key", "secret")), SITE)
    made = await connector.create(CASE)
    await connector.comment(made, Note("17", "Rita: called them."))
    client = organisation(desk, "secret")
    assert client.Case.get_by_custom_id(FIELD, str(TICKET))["Id"] == made
    again = client.Case.upsert(f"{FIELD}/{TICKET}", {"Subject": "again"}, raw_response=True)
    assert (again.status_code, again.json()["id"]) == (200, made)
    said = client.query(f"SELECT Id, CommentBody FROM CaseComment WHERE ParentId = '{made}'")
    assert [one["CommentBody"].partition("\n")[0] for one in said["records"]] == ["Rita: called them."]
    assert client.Case.update(made, {"Status": "Closed"}) == 204
    client.CaseComment.create({"ParentId": made, "CommentBody": "We ship.", "IsPublished": False})
    seen = await connector.read(made)
    assert seen is not None
    assert (seen.solved, seen.comments[-1].text) == (True, "We ship.")
    with pytest.raises(SalesforceResourceNotFound):
        client.Case.get("500000000000000")
    with pytest.raises(SalesforceAuthenticationFailed):
        organisation(desk, "wrong")


async def test_a_token_is_fetched_once_and_anew_when_it_has_run_out() -> None:
    desk = SalesforceDesk()
    connector = Salesforce(line(desk, ClientCredentials(SITE, "key", "secret")), SITE)
    made = await connector.create(CASE)
    assert desk.given == 1
    desk.token = "another"
    assert await connector.read(made) is not None
    assert (desk.given, desk.token) == (2, "token-2")


@pytest.mark.parametrize(
    ("secret", "answer", "permanent"),
    [
        ("wrong", None, True),
        ("secret", httpx.Response(503), False),
        ("secret", httpx.Response(429), False),
        ("secret", httpx.Response(200, text="<html>"), False),
        ("secret", httpx.Response(200, json={"access_token": ""}), False),
    ],
)
async def test_a_refused_sign_in_says_whether_to_come_again(
    secret: str, answer: httpx.Response | None, permanent: bool
) -> None:
    desk = SalesforceDesk(fails=[answer] if answer else [])
    connector = Salesforce(line(desk, ClientCredentials(SITE, "key", secret)), SITE)
    with pytest.raises(SendError, match="sign-in") as caught:
        await connector.find(TICKET)
    assert caught.value.permanent is permanent
    assert secret not in str(caught.value)
