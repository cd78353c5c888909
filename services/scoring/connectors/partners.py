"""Which CRMs scores are written to, by the access that is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from services.scoring.connectors.gainsight import Gainsight
from services.scoring.connectors.hubspot import HubSpot
from services.scoring.connectors.salesforce import Salesforce
from services.scoring.connectors.totango import Totango
from services.scoring.domain.crm import Crm
from shared.partners.api import Line
from shared.partners.salesforce import ClientCredentials
from shared.partners.wire import checked
from shared.runtime.clock import Machine
from shared.security.partners import NO_ACCESS, PartnerAccess, bearer


@dataclass(frozen=True, slots=True)
class Accesses:
    """What is known of every CRM.

    Attributes:
        hubspot_key: property of companies by which accounts are found.
        salesforce: its user is the client id of a connected app, its token the client secret.
        salesforce_key: field of accounts by which they are found.
        gainsight_key: field of companies by which they are found.
        totango: its user is the id of the service.
    """

    hubspot: PartnerAccess = NO_ACCESS
    hubspot_key: str = "name"
    salesforce: PartnerAccess = NO_ACCESS
    salesforce_key: str = "Name"
    gainsight: PartnerAccess = NO_ACCESS
    gainsight_key: str = "Name"
    totango: PartnerAccess = NO_ACCESS


def crms_of(accesses: Accesses, machine: Machine) -> Iterator[Crm]:
    """Each CRM that can be asked; each with connections of its own, so that none waits for another.

    Raises:
        ValueError: an address is not https, or Totango has no service.
    """
    line = Line(machine)
    if (hubspot := accesses.hubspot).usable:
        yield HubSpot(line.api(hubspot.url, bearer(hubspot.token)), accesses.hubspot_key)
    if (salesforce := accesses.salesforce).usable:
        auth = ClientCredentials(checked(salesforce.url), salesforce.user, salesforce.token)
        yield Salesforce(line.api(salesforce.url, {}, auth), accesses.salesforce_key)
    if (gainsight := accesses.gainsight).usable:
        yield Gainsight(line.api(gainsight.url, {"accesskey": gainsight.token}), accesses.gainsight_key)
    if (totango := accesses.totango).usable:
        if not totango.user:
            raise ValueError("AFTERWORD_SCORING_TOTANGO_SERVICE: say which service (SP-...) accounts are of")
        headers = {"authorization": f"app-token {totango.token}"}
        yield Totango(line.api(totango.url, headers), totango.user)
