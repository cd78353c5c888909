"""The auditor: reads what is left of a run and names each promise that was broken. It writes nothing.

`audit(evidence)` gives the anomalies, `examine(evidence)` also what was and what could not be checked.
"""

from tests.chaos.audit.examine import audit, examine

__all__ = ["audit", "examine"]
