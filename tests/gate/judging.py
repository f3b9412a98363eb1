"""A judge for the suite: it finds what was planted and nothing else, since what a real one finds no test can fix."""

from dataclasses import dataclass

from tools.policies import JudgeFinding
from tools.report import Evidence
from tools.subject import Subject


@dataclass(frozen=True, slots=True)
class ScriptedJudge:
    """Answers one clause: violated, with the quote, where a planted sentence stands in the copy it is asked about."""

    policy_id: str
    clause_id: str
    sentences: tuple[str, ...]

    def finding(self, subject: Subject, policy_id: str, clause_id: str) -> JudgeFinding | None:
        """Return the answer for the clause that was planted, None for any other."""
        if (policy_id, clause_id) != (self.policy_id, self.clause_id):
            return None
        found = tuple(
            Evidence(field=name, quote=sentence, start=text.index(sentence), end=text.index(sentence) + len(sentence))
            for sentence in self.sentences
            for name, text in subject.text.items()
            if sentence in text
        )
        return JudgeFinding(bool(found), found)
