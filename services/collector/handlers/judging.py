"""Judge all versions of an answer by what is stored about its survey."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.collector.domain.mood import primary_of
from services.collector.domain.settling import Due, Judged, Patience, Waiting, due
from services.collector.domain.verdict import Judgement, Surroundings, judge, weigh
from services.collector.store.settling import Case, StoredAnswer
from shared.contracts.forms import SCALES, Form
from shared.contracts.responses import Mood, Verdict


@dataclass(frozen=True, slots=True)
class JudgedCase:
    """A case with the judgement of each of its versions."""

    case: Case
    form: Form
    judged: tuple[Judged, ...]


def judged(case: Case, form: Form) -> JudgedCase:
    """Judge every version by today's rules; all that may decide is in the case."""
    lowest, highest = SCALES[primary_of(form).type]
    around = Surroundings(case.observations, case.handed_over_by_mail, highest - lowest + 1)
    versions = tuple(Judged(one.version, _judge(one, around, erased=case.erased)) for one in case.answers)
    return JudgedCase(case, form, versions)


def _judge(answer: StoredAnswer, around: Surroundings, *, erased: bool) -> Judgement:
    """A person who vouched for an answer outweighs all evidence; what erasure blurred is not seen anew."""
    judgement = _blurred(answer) if erased else None
    judgement = judgement or judge(answer.sent, around)
    return Judgement(Verdict.HUMAN, judgement.evidence) if answer.released_by else judgement


def _blurred(answer: StoredAnswer) -> Judgement | None:
    """What was found before erasure; without the word of a person that was taken back."""
    return weigh(answer.judged.evidence) if answer.judged and answer.taken_back else answer.judged


def leaves(case: Case, patience: Patience) -> Due:
    """When the answers of a case may be judged and announced."""
    return due(_waiting(case), patience)


def moment(at: Due, case: Case) -> datetime:
    """The one of both instants that holds for a case."""
    return at.ready_at if case.fate_known else at.at_latest


def _waiting(case: Case) -> Waiting:
    """One whole answer is enough to leave: what comes after it, perhaps from a machine, holds up nobody."""
    first = case.answers[0].sent.at
    seen = min((one.at for one in case.observations), default=first)
    unhappy = any(one.mood is Mood.UNHAPPY for one in case.answers)
    return Waiting(
        first_seen_at=min(seen, first),
        received_at=case.answers[-1].sent.at,
        complete=any(one.complete for one in case.answers),
        mood=Mood.UNHAPPY if unhappy else case.answers[-1].mood,
        closes_at=case.closes_at,
        draft=all(one.draft for one in case.answers),
    )
