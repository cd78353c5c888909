"""`forms.yaml` as it stands: a changed file is taken up without a restart, a broken one changes nothing."""

from __future__ import annotations

from pathlib import Path

from services.collector import metrics
from services.collector.domain.forms import FormsFile, read_forms
from shared.config.check import Complaint
from shared.config.files import text_of
from shared.runtime.logging import get_logger

log = get_logger("forms")


class LiveForms:
    """What the file says, and what is wrong with it if it is not fit to run."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen: str | None = None
        self.current: FormsFile | None = None
        self.complaints: tuple[Complaint, ...] = ()

    async def run(self) -> int:
        """Look at the file; there is never more to do."""
        self.refresh()
        return 0

    def refresh(self) -> None:
        """Take up what changed; a file that is gone or not fit goes on as it was, and why is in the log."""
        text = text_of(self._file)
        if text == self._seen:
            return
        self._seen = text
        if text is None:
            gone = Complaint(1, "", "the file is gone; what it said last goes on", "Write it again.")
            self.complaints = (gone,) if self.current else ()
        else:
            checked = read_forms(text)
            self.complaints = checked.complaints
            if checked.value is not None:
                self.current = checked.value
                log.info("forms_read", forms=len(checked.value.forms))
        metrics.FORMS_FINDINGS.set(len(self.complaints))
        for one in self.complaints:
            log.error(
                "forms_unfit", line=one.line, path=one.path, reason=one.reason, what_to_do=one.what_to_do
            )


def forms_of(file: Path) -> LiveForms:
    """What the file says at the start; none of it where there is no file.

    Raises:
        ValueError: It is not fit to run; the message has every complaint.
    """
    forms = LiveForms(file)
    forms.refresh()
    if forms.complaints:
        raise ValueError(
            "\n".join(f"{file}:{c.line}: {c.path}: {c.reason}. {c.what_to_do}" for c in forms.complaints)
        )
    return forms
