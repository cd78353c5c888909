"""`forms.yaml` as it stands: a changed file is taken up without a restart, a broken one changes nothing."""

from __future__ import annotations

from pathlib import Path

from services.collector import metrics
from services.collector.domain.forms import FormsFile, read_forms
from shared.config.check import Complaint
from shared.runtime.logging import get_logger

MAX_FILE_BYTES = 512 * 1024
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
        text = self._read()
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

    def _read(self) -> str | None:
        """The file's text; None when there is none, text that is no YAML when it cannot be read."""
        try:
            if self._file.stat().st_size > MAX_FILE_BYTES:
                return "%too large"
            return self._file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError):
            return "%not UTF-8 text"


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
