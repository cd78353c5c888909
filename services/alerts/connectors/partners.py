"""Which helpdesks cases are kept in step with, by the access that is there."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx

from services.alerts.connectors.api import Api, basic
from services.alerts.connectors.jira import Jira
from services.alerts.connectors.zendesk import Zendesk
from services.alerts.domain.helpdesk import Helpdesk
from services.alerts.domain.wire import checked
from shared.runtime.clock import Machine


@dataclass(frozen=True, slots=True)
class Access:
    """Where a helpdesk's API is, and with what it is asked; without address or token it is not."""

    url: str = ""
    user: str = ""
    token: str = field(default="", repr=False)

    @property
    def usable(self) -> bool:
        """Whether the helpdesk can be asked."""
        return bool(self.url and self.token)


@dataclass(frozen=True, slots=True)
class JiraProject:
    """Where cases go in Jira: the project's key and the type of its issues."""

    key: str = ""
    issue_type: str = "Task"


def helpdesks_of(zendesk: Access, jira: Access, project: JiraProject, machine: Machine) -> Iterator[Helpdesk]:
    """Each helpdesk that can be asked.

    Raises:
        ValueError: an address is not https, or Jira has no project.
    """
    trusted = httpx.create_ssl_context()
    if zendesk.usable:
        yield Zendesk(_api(zendesk, "/token", trusted, machine), zendesk.url)
    if jira.usable:
        if not project.key:
            raise ValueError("AFTERWORD_ALERTS_JIRA_PROJECT: say which project cases go to")
        yield Jira(_api(jira, "", trusted, machine), jira.url, project.key, project.issue_type)


def _api(access: Access, suffix: str, trusted: ssl.SSLContext, machine: Machine) -> Api:
    client = httpx.AsyncClient(
        base_url=checked(access.url),
        headers=basic(f"{access.user}{suffix}", access.token),
        verify=trusted,
        trust_env=False,
        follow_redirects=False,
    )
    return Api(client, machine)
