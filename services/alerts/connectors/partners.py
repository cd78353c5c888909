"""Which helpdesks cases are kept in step with, by the access that is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from services.alerts.connectors.freshdesk import Freshdesk
from services.alerts.connectors.hubspot import HubSpot
from services.alerts.connectors.jira import Jira
from services.alerts.connectors.salesforce import Salesforce
from services.alerts.connectors.zendesk import Zendesk
from services.alerts.domain.helpdesk import Helpdesk
from shared.partners.api import Line
from shared.partners.salesforce import ClientCredentials
from shared.partners.wire import checked
from shared.runtime.clock import Machine
from shared.security.partners import NO_ACCESS, PartnerAccess, basic, bearer


@dataclass(frozen=True, slots=True)
class JiraProject:
    """Where cases go in Jira: the project's key and the type of its issues."""

    key: str = ""
    issue_type: str = "Task"


@dataclass(frozen=True, slots=True)
class Accesses:
    """What is known of every helpdesk.

    Attributes:
        pipeline: id of HubSpot's pipeline that cases go to.
        salesforce: its user is the client id of a connected app, its token the client secret.
    """

    zendesk: PartnerAccess = NO_ACCESS
    jira: PartnerAccess = NO_ACCESS
    project: JiraProject = JiraProject()
    freshdesk: PartnerAccess = NO_ACCESS
    hubspot: PartnerAccess = NO_ACCESS
    pipeline: str = "0"
    salesforce: PartnerAccess = NO_ACCESS


def helpdesks_of(accesses: Accesses, machine: Machine) -> Iterator[Helpdesk]:
    """Each helpdesk that can be asked; each with connections of its own, so that none waits for another.

    Raises:
        ValueError: an address is not https, or Jira has no project.
    """
    line = Line(machine)
    if (zendesk := accesses.zendesk).usable:
        yield Zendesk(line.api(zendesk.url, basic(f"{zendesk.user}/token", zendesk.token)), zendesk.url)
    if (jira := accesses.jira).usable:
        project = accesses.project
        if not project.key:
            raise ValueError("AFTERWORD_ALERTS_JIRA_PROJECT: say which project cases go to")
        api = line.api(jira.url, basic(jira.user, jira.token))
        yield Jira(api, jira.url, project.key, project.issue_type)
    if (freshdesk := accesses.freshdesk).usable:
        yield Freshdesk(line.api(freshdesk.url, basic(freshdesk.token, "X")), freshdesk.url)
    if (hubspot := accesses.hubspot).usable:
        yield HubSpot(line.api(hubspot.url, bearer(hubspot.token)), accesses.pipeline)
    if (salesforce := accesses.salesforce).usable:
        auth = ClientCredentials(checked(salesforce.url), salesforce.user, salesforce.token)
        yield Salesforce(line.api(salesforce.url, {}, auth), salesforce.url)
