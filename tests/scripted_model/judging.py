"""How a judge answers by script: the paper it was given read back, and one entry per question."""

import json
import re
from collections.abc import Mapping
from typing import Any

from tests.scripted_model.replies import Call

QUESTION = re.compile(r"^\[(q[0-9a-f]+)\] (.*)$", re.MULTILINE)
CONTROL = re.compile(r'^Does the copy contain the words ("(?:[^"\\]|\\.)*")\? ')
LINE = re.compile(r'^(\w+): (".*")$', re.MULTILINE)


class JudgeCall:
    """What one call asks: questions by name, the control's name and words, and the copy by field."""

    def __init__(self, call: Call) -> None:
        asked = next(str(said["content"]) for said in call.body["messages"] if said["role"] == "user")
        self.questions = dict(QUESTION.findall(asked))
        data = asked[asked.index("The copy:") :]
        self.copy: dict[str, str] = {name: json.loads(text) for name, text in LINE.findall(data)}
        self.control, self.words = next(
            (name, json.loads(match[1])) for name, text in self.questions.items() if (match := CONTROL.match(text))
        )

    def names(self, containing: str = "") -> list[str]:
        """Return the names of the clauses' questions that hold these words."""
        return [name for name, text in self.questions.items() if name != self.control and containing in text]

    def where(self, words: str) -> str:
        """Return a field in which the words stand."""
        return next((name for name, text in self.copy.items() if words in " ".join(text.split())), "")


def entry(question: str, result: str = "ok", field: str = "", quote: str = "") -> dict[str, str]:
    """Return one answer."""
    return {"question": question, "result": result, "field": field, "quote": quote}


def judged(call: Call, *, violations: Mapping[str, tuple[str, str]] | None = None) -> dict[str, Any]:
    """Return a judge's sensible answer: the control right, ok for every question but those holding given words.

    `violations` maps words of a question to the field and the quote of a violation.
    """
    asked = JudgeCall(call)
    answers = [entry(asked.control, "violation", asked.where(asked.words), asked.words)]
    for name in asked.names():
        broken = next((found for words, found in (violations or {}).items() if words in asked.questions[name]), None)
        answers.append(entry(name) if broken is None else entry(name, "violation", *broken))
    return {"answers": answers}
