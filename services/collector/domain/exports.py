"""Exports of SurveyMonkey and Qualtrics: their lines of headers, and rows as answers. Pure.

SurveyMonkey writes two lines: the question, which stands over the first of its columns alone, and beneath it
what each column is of. Qualtrics writes three: the field's name, the question, and a JSON of the field's own
id with the zone of the times.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.collector.domain.form_answers import LONGEST, RefusedError, Told, Trouble
from services.collector.domain.forms import FormRule, Tool
from shared.wrong import nearest

JOINT = " | "
"""Between a question and its column, as in `How did we do? | Speed`."""

HEADER_LINES: Mapping[Tool, int] = {Tool.SURVEYMONKEY: 2, Tool.QUALTRICS: 3}
_TOKEN: Mapping[Tool, str] = {Tool.SURVEYMONKEY: "Respondent ID", Tool.QUALTRICS: "ResponseId"}
_TIME: Mapping[Tool, str] = {Tool.SURVEYMONKEY: "End Date", Tool.QUALTRICS: "RecordedDate"}
_PLAIN = frozenset({"", "response", "open-ended response"})
"""What SurveyMonkey writes beneath a question that has one column."""

_AMERICAN = ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p")
_NO_PERSON = 1 | 2 | 8
"""Bits of Qualtrics' `Status` as a number: preview, test, spam."""

_NO_PERSON_WORDS = re.compile(r"preview|test|spam", re.IGNORECASE)
_ZONE = "timeZone"


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A row that is no answer, and in one word why: `unfinished`, `preview`."""

    why: str


@dataclass(frozen=True, slots=True)
class Export:
    """A file's columns, as a form's rule names them.

    Attributes:
        width: how many columns there are.
        columns: places of each field that the rule names; several where several options can be ticked.
        zone: of the times that name none.
    """

    rule: FormRule
    width: int
    columns: Mapping[str, tuple[int, ...]]
    token: int
    time: int
    status: int | None
    finished: int | None
    zone: ZoneInfo

    def told(self, row: Sequence[str], line: int) -> Told | PassedOver:
        """The answer that a row holds.

        Raises:
            RefusedError: It has no id, or no time that can be read.
        """
        if len(row) != self.width:
            raise RefusedError(
                Trouble("", f"{len(row)} values in {self.width} columns", "Export the file again.")
            )
        if why := self._no_answer(row):
            return PassedOver(why)
        token = row[self.token].strip()
        if not token or len(token) > LONGEST:
            raise RefusedError(
                Trouble("response_id", "the row has no id", "Export the ids of responses too.")
            )
        values = {
            name: given
            for name, places in self.columns.items()
            if (given := tuple(row[place] for place in places if row[place].strip()))
        }
        return Told(token, self._at(row[self.time]), values, line=line)

    def _no_answer(self, row: Sequence[str]) -> str:
        status = row[self.status].strip() if self.status is not None else ""
        if _NO_PERSON & int(status) if status.isdigit() else _NO_PERSON_WORDS.search(status):
            return "preview"
        finished = row[self.finished].strip().lower() if self.finished is not None else ""
        return "unfinished" if finished in {"false", "0"} else ""

    def _at(self, text: str) -> datetime:
        at = _time(text.strip(), self.rule.time_format)
        if at is None:
            advice = "Write time_format as in %d/%m/%Y %H:%M."
            raise RefusedError(Trouble("time", "it is no time that we know how to read", advice))
        try:
            return (at if at.tzinfo else at.replace(tzinfo=self.zone)).astimezone(UTC)
        except OverflowError as error:
            raise RefusedError(Trouble("time", "it is no time of this age")) from error


def open_export(rule: FormRule, headers: Sequence[Sequence[str]]) -> Export | list[Trouble]:
    """Find the rule's fields among the lines of headers, or say which are not there."""
    if defect := _shape(rule, headers):
        return [defect]
    places = _places(rule.tool, headers)
    ticked = _ticked(rule, headers)
    wanted = rule.fields | {
        "response_id": rule.response_id or _TOKEN[rule.tool],
        "time": rule.time or _TIME[rule.tool],
    }
    trouble = [
        _missing(place, field, places)
        for place, field in wanted.items()
        if field not in places and field not in ticked
    ]
    if trouble:
        return trouble
    zone = _zone(rule, headers, places[wanted["time"]])
    if isinstance(zone, Trouble):
        return [zone]
    qualtrics = rule.tool is Tool.QUALTRICS
    return Export(
        rule=rule,
        width=len(headers[0]),
        columns={
            field: (places[field],) if field in places else ticked[field] for field in rule.fields.values()
        },
        token=places[wanted["response_id"]],
        time=places[wanted["time"]],
        status=places.get("Status") if qualtrics else None,
        finished=places.get("Finished") if qualtrics else None,
        zone=zone,
    )


def _shape(rule: FormRule, headers: Sequence[Sequence[str]]) -> Trouble | None:
    """Whether these are the lines of headers that the tool writes."""
    tool = rule.tool
    widths = {len(line) for line in headers}
    if len(headers) < HEADER_LINES[tool] or len(widths) != 1:
        reason = f"the file does not begin with {HEADER_LINES[tool]} lines of headers"
        return Trouble("", reason, f"Export all responses from {tool} as CSV and change nothing in it.")
    if tool is Tool.QUALTRICS and not any("ImportId" in name for name in headers[2]):
        return Trouble("", "the third line is not Qualtrics' own", "Export as CSV, not in the legacy format.")
    if tool is Tool.SURVEYMONKEY and _answered_already(rule, headers):
        reason = "the second line is an answer, where SurveyMonkey says what each column is of"
        return Trouble("", reason, "Export all responses from surveymonkey as CSV and change nothing in it.")
    return None


def _answered_already(rule: FormRule, headers: Sequence[Sequence[str]]) -> bool:
    """Whether a line of headers is missing: nothing is ever written beneath the header of the ids."""
    ids = rule.response_id or _TOKEN[Tool.SURVEYMONKEY]
    return any(
        name.strip() == ids and beneath.strip().isdigit()
        for name, beneath in zip(headers[0], headers[1], strict=True)
    )


def _ticked(rule: FormRule, headers: Sequence[Sequence[str]]) -> dict[str, tuple[int, ...]]:
    """Columns of questions of SurveyMonkey in which several options can be ticked: each has one."""
    if rule.tool is not Tool.SURVEYMONKEY:
        return {}
    wanted = {answer.field for answer in rule.questions.values() if answer.scale is None}
    found: dict[str, list[int]] = {}
    asked = Counter(name.strip() for name in headers[0])
    question = ""
    for place, name in enumerate(headers[0]):
        question = name.strip() or question
        if question in wanted and asked[question] == 1:
            found.setdefault(question, []).append(place)
    return {name: tuple(places) for name, places in found.items()}


def _places(tool: Tool, headers: Sequence[Sequence[str]]) -> dict[str, int]:
    """Where each name stands; one that stands twice is left out, unless its longer form tells them apart."""
    names = list(_names(tool, headers))
    count = Counter(name for _, name in names)
    return {name: place for place, name in names if count[name] == 1}


def _names(tool: Tool, headers: Sequence[Sequence[str]]) -> Iterator[tuple[int, str]]:
    question = ""
    for place, (first, second) in enumerate(zip(headers[0], headers[1], strict=True)):
        if tool is Tool.QUALTRICS:
            yield place, first.strip()
            continue
        question = first.strip() or question
        if second.strip().lower() in _PLAIN:
            yield place, question
        else:
            yield place, f"{question}{JOINT}{second.strip()}"


def _missing(place: str, field: str, places: Mapping[str, int]) -> Trouble:
    close = nearest(field, places) or next((name for name in places if field and field in name), "")
    advice = f"Did you mean {close!r}?" if close else f"There are: {', '.join(list(places)[:20])}."
    return Trouble(place, f"there is no one column {field!r}", advice)


def _zone(rule: FormRule, headers: Sequence[Sequence[str]], time: int) -> ZoneInfo | Trouble:
    """The zone of the times: the rule's, else what Qualtrics says of the column."""
    if rule.zone:
        return ZoneInfo(rule.zone)
    said = _own_zone(headers[2][time]) if rule.tool is Tool.QUALTRICS else ""
    if not said:
        return Trouble("zone", "nobody says of which zone the times are", _ZONE_ADVICE)
    try:
        return ZoneInfo("UTC" if said == "Z" else said)
    except (ZoneInfoNotFoundError, ValueError):
        return Trouble("zone", "the zone that the file names is not known", _ZONE_ADVICE)


_ZONE_ADVICE = "Write zone: the one that the export was made in, as Europe/Stockholm."


def _own_zone(text: str) -> str:
    try:
        said = json.loads(text)
    except ValueError:
        return ""
    zone = said.get(_ZONE) if isinstance(said, dict) else None
    return zone if isinstance(zone, str) else ""


def _time(text: str, written: str) -> datetime | None:
    for form in (written,) if written else ("", *_AMERICAN):
        try:
            return datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007 - the zone is added
        except ValueError:
            continue
    return None
