"""Parts of `alerts.yaml` that say which answers are meant."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.model import Persona, Snapshot, Tier

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class Rule(BaseModel):
    """A part of the file: what it does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Match(Rule):
    """What a case must be; of each list one is enough, and all keys that are written must fit."""

    programme: tuple[str, ...] = ()
    touchpoint: tuple[str, ...] = ()
    product: tuple[str, ...] = ()
    service_type: tuple[str, ...] = ()
    stage: tuple[str, ...] = ()
    tier: tuple[Tier, ...] = ()
    persona: tuple[Persona, ...] = ()
    industry: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    language: tuple[str, ...] = Field((), description="sv fits sv-SE too")
    attributes: Mapping[str, tuple[str, ...]] = Field(
        default_factory=dict, description="attributes of the event that was asked about, by name"
    )

    themes: tuple[Key, ...] = Field(
        (),
        description="what the words are about, by keys of the dictionary; praise does not count",
    )

    def fits(self, case: Snapshot, themes: Collection[str] = ()) -> bool:
        """Whether a case is meant.

        Args:
            case: what was asked about, and whom.
            themes: what the words are about, as far as they are known.
        """
        return (
            (not self.themes or any(one in themes for one in self.themes))
            and all(not wanted or value in wanted for wanted, value in self._plain(case))
            and (not self.language or any(_speaks(case.locale, one) for one in self.language))
            and all(case.context.get(name) in wanted for name, wanted in self.attributes.items())
        )

    def _plain(self, case: Snapshot) -> Iterator[tuple[tuple[str, ...], str | None]]:
        yield self.programme, case.programme
        yield self.touchpoint, case.touchpoint
        yield self.product, case.product
        yield self.service_type, case.service_type
        yield self.stage, case.stage
        yield self.tier, case.tier
        yield self.persona, case.persona
        yield self.industry, case.industry
        yield self.region, case.region


ANYTHING = Match()
"""Every answer."""


def _speaks(locale: str, language: str) -> bool:
    return locale.lower().replace("_", "-").partition("-")[0] == language.lower().partition("-")[0]
