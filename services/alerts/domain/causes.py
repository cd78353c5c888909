"""Why customers were unhappy: a short configured list, so that cases can be counted by cause (R72, R76)."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Needs(StrEnum):
    """What must have happened before a case may end with a cause."""

    CONTACT = "contact"
    ATTEMPTS = "attempts"
    NOTHING = "nothing"


class Cause(BaseModel):
    """One cause. `attempts` counts only where attempts are needed."""

    model_config = ConfigDict(frozen=True)

    key: str = Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")
    label: str
    needs: Needs = Needs.CONTACT
    attempts: int = 3


DEFAULT_CAUSES: tuple[Cause, ...] = (
    Cause(key="product_defect", label="Something in the product is broken"),
    Cause(key="missing_feature", label="Something they need is missing"),
    Cause(key="hard_to_use", label="Hard to use or understand"),
    Cause(key="onboarding", label="Start-up or training fell short"),
    Cause(key="support_slow", label="Support was too slow"),
    Cause(key="support_quality", label="Support did not solve it"),
    Cause(key="delivery", label="Delivery late, wrong or damaged"),
    Cause(key="price", label="Price or invoice"),
    Cause(key="communication", label="We did not keep them informed"),
    Cause(key="expectation", label="Promised something else"),
    Cause(key="other", label="Something else"),
    Cause(key="not_reached", label="Could not be reached after several tries", needs=Needs.ATTEMPTS),
    Cause(key="mistake", label="Answered by mistake or not meant for us", needs=Needs.NOTHING),
)


def find(causes: tuple[Cause, ...], key: str) -> Cause | None:
    """The cause of that key, if it is on the list."""
    return next((cause for cause in causes if cause.key == key), None)
