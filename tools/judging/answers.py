"""A judge's answer read: what can be shown to stand in the copy counts, and nothing else.

| the answer | what becomes of the clause |
|---|---|
| violation, with a quote that stands in its field | violated, with the quote's place in the copy as written |
| ok, nothing quoted or a quote that stands | passes, if the control question was answered right |
| ok, and the control question answered wrong, twice or not at all | unknown: `judge_not_trusted` |
| any other: left out, answered twice, a quote that isn't there | unknown: `judge_no_answer` |
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Final

from tools.folding import fold
from tools.judging.questions import Key, Paper, written
from tools.judging.reply import Answer, JudgeReply
from tools.policies.evaluation import JudgeFinding, NoFinding
from tools.report import Evidence
from tools.subject import Subject

NO_ANSWER: Final = NoFinding("judge_no_answer", "the judge gave no answer to it that can be checked against the copy")
NOT_TRUSTED: Final = NoFinding(
    "judge_not_trusted", "the judge got a control question wrong, so that its approvals don't count"
)


@dataclass(frozen=True, slots=True)
class Findings:
    """What a judge found in one draft, by clause. For other copy or another offer it has no answer.

    `offer` is a copy of what was read: one that is changed since is another offer.
    `whole` tells whether every question has an answer that counts: only then is the reply worth keeping.
    """

    text: Mapping[str, str]
    offer: Mapping[str, object]
    found: Mapping[Key, JudgeFinding | NoFinding]

    @property
    def whole(self) -> bool:
        """Whether every clause has a finding."""
        return all(isinstance(finding, JudgeFinding) for finding in self.found.values())

    def finding(self, subject: Subject, policy_id: str, clause_id: str) -> JudgeFinding | NoFinding | None:
        """Return the finding for a clause about the draft that was read."""
        if written(subject) != self.text or subject.offer != self.offer:
            return None
        return self.found.get((policy_id, clause_id))


def findings_of(paper: Paper, subject: Subject, reply: JudgeReply) -> Findings:
    """Read a judge's reply to a paper about this subject."""
    answers = _answered_once(reply.answers)
    trusted = _is_right(paper, answers.get(paper.control))
    found = {key: _finding(paper, answers.get(name), trusted=trusted) for name, key in paper.clauses.items()}
    return Findings(written(subject), deepcopy(dict(subject.offer)), found)


def silent_about(paper: Paper, subject: Subject, reason: NoFinding) -> Findings:
    """Return the findings of a judge that gave no reply, for one reason."""
    return Findings(written(subject), deepcopy(dict(subject.offer)), dict.fromkeys(paper.clauses.values(), reason))


def _answered_once(answers: Iterable[Answer]) -> dict[str, Answer]:
    answers = tuple(answers)
    times = Counter(answer.question for answer in answers)
    return {answer.question: answer for answer in answers if times[answer.question] == 1}


def _is_right(paper: Paper, answer: Answer | None) -> bool:
    """Tell whether the control question was answered: a violation, quoting the words where they stand."""
    if answer is None or answer.result != "violation" or _evidence(paper, answer) is None:
        return False
    words = fold(paper.control_words).text.strip()
    return bool(words) and _pattern(words).search(fold(answer.quote).text) is not None


def _finding(paper: Paper, answer: Answer | None, *, trusted: bool) -> JudgeFinding | NoFinding:
    if answer is None:
        return NO_ANSWER
    evidence = _evidence(paper, answer)
    if answer.result == "violation":
        return NO_ANSWER if evidence is None else JudgeFinding(violated=True, evidence=(evidence,))
    if evidence is None and (answer.quote or answer.field):
        return NO_ANSWER
    return JudgeFinding(violated=False) if trusted else NOT_TRUSTED


def _evidence(paper: Paper, answer: Answer) -> Evidence | None:
    """Find the quote in its field, whatever its case, spacing and look-alikes; quote what is written there."""
    text = paper.text.get(answer.field)
    if text is None or not fold(answer.quote).text.split():
        return None
    folded = fold(text)
    match = _pattern(answer.quote).search(folded.text)
    if match is None:
        return None
    start, end = folded.span(*match.span())
    return Evidence(field=answer.field, quote=text[start:end], start=start, end=end)


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(r"\s+".join(map(re.escape, fold(words).text.split())), re.IGNORECASE)
