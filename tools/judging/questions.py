"""What a judge is asked about one draft: questions in a keyed order, the offer and the copy as quoted data.

Whoever wrote the copy may have written it for the judge. So nothing that steers an answer can be known beforehand: the
marks around the data, the name of each question and their order come from a keyed hash of offer and copy. The same
draft gives the same bytes, so that its completion is cached. Nothing of a member goes in.

One question more than the clauses ask has an answer that code knows: whether some words stand in the copy, taken from
the copy itself. A judge that is talked into approving everything, or that doesn't read, gets it wrong, and then none of
its approvals count. It can't show that a judge is right, only that one is not at work.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tools.chat.calls import Ask
from tools.judging.reply import JudgeReply
from tools.policies.clauses import ActiveClause
from tools.policies.facts import OFFER_FACTS, TEXT_FIELDS, UNQUOTED, typed
from tools.policies.schema import JudgeClause
from tools.prompt_files import Prompt
from tools.prompt_steps import REPLY_SCHEMA, TEXT, listed, record
from tools.prompt_steps import Step as PromptStep
from tools.subject import Subject

STEP: Final = "judge"
JUDGE_STEP: Final = PromptStep(
    variables={
        "questions": listed(record("name", "text", "wrong")),
        "opening": TEXT,
        "closing": TEXT,
        "offer": listed(),
        "copy": listed(),
    },
    schemas=(STEP,),
)
"""What a judge's prompt is given and answers to."""
CONTROL_WORDS: Final = 4
"""Words of the copy the control question quotes, or fewer when the field has fewer."""
LONGEST_CONTROL: Final = 60
"""Characters of them: a word without end would be a text of the copy's writer outside the marks."""

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Question:
    """One question as the judge reads it. `wrong` says what an answer of violation means."""

    name: str
    text: str
    wrong: str


@dataclass(frozen=True, slots=True)
class Paper:
    """All a judge is given about one draft. `clauses` tells whose each question is; the control is in none of them."""

    questions: tuple[Question, ...]
    clauses: Mapping[str, Key]
    control: str
    control_words: str
    text: Mapping[str, str]
    offer: Mapping[str, object]
    mark: str

    def ask(self, prompt: Prompt) -> Ask[JudgeReply]:
        """Return the prompt and the form of its answer: exactly one entry per question."""
        schema = _schema([question.name for question in self.questions], list(self.text))
        messages = prompt.render(
            {
                REPLY_SCHEMA: schema,
                "questions": self.questions,
                "opening": f"<<<{self.mark}",
                "closing": f"{self.mark}>>>",
                "offer": [f"{name}: {_quoted(value)}" for name, value in self.offer.items()],
                "copy": [f"{name}: {_quoted(value)}" for name, value in self.text.items()],
            }
        )
        return Ask(
            name=STEP,
            messages=messages,
            schema=schema,
            reply=JudgeReply,
            temperature=prompt.header.temperature,
            max_tokens=prompt.header.max_tokens,
        )


def paper_of(subject: Subject, clauses: Sequence[ActiveClause], *, secret: bytes) -> Paper:
    """Return what to ask about a draft: a function of its copy, its offer, the clauses and the secret alone.

    The copy must not be blank: a gate doesn't put judge clauses to a draft without any.
    """
    text = written(subject)
    offer = {name: value for name, value in typed(subject.offer, OFFER_FACTS)[0].items() if name not in UNQUOTED}
    draft = json.dumps([text, offer], sort_keys=True).encode()

    def keyed(purpose: str, *parts: str) -> str:
        return hmac.new(secret, "\0".join((STEP, purpose, *parts)).encode() + b"\0" + draft, hashlib.sha256).hexdigest()

    names = {f"q{keyed('name', *clause.key)[:12]}": clause for clause in clauses}
    control, words = f"q{keyed('control')[:12]}", _control_words(text, keyed("words"))
    asked = [_question(name, clause) for name, clause in names.items()]
    asked.append(
        Question(
            control,
            f"Does the copy contain the words {_quoted(words)}?",
            "These words stand in the copy; quote them.",
        )
    )
    return Paper(
        questions=tuple(sorted(asked, key=lambda question: keyed("order", question.name))),
        clauses={name: clause.key for name, clause in names.items()},
        control=control,
        control_words=words,
        text=text,
        offer=offer,
        mark=keyed("mark")[:24],
    )


def written(subject: Subject) -> dict[str, str]:
    """Return the fields of a subject that hold any text, in reading order: the copy, then the terms."""
    return {name: text for name in TEXT_FIELDS if (text := subject.text.get(name, "")).strip()}


def _question(name: str, active: ActiveClause) -> Question:
    clause = active.clause
    assert isinstance(clause, JudgeClause)
    return Question(name, " ".join(clause.question.split()), " ".join(clause.message.split()))


def _control_words(text: Mapping[str, str], key: str) -> str:
    """Choose consecutive words of the longest field: what the copy's writer can't foresee."""
    words = max(text.values(), key=len).split()
    start = int(key, 16) % max(1, len(words) - CONTROL_WORDS + 1)
    return " ".join(words[start : start + CONTROL_WORDS])[:LONGEST_CONTROL].rstrip()


def _quoted(value: object) -> str:
    """Return a value as JSON on one line, with characters that show nothing spelled out."""
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in quoted)


def _schema(names: list[str], fields: list[str]) -> dict[str, Any]:
    properties = {
        "question": {"type": "string", "enum": names},
        "result": {"type": "string", "enum": ["ok", "violation"]},
        "field": {"type": "string", "enum": ["", *fields]},
        "quote": {"type": "string"},
    }
    answers = {"type": "array", "items": _object(properties), "minItems": len(names), "maxItems": len(names)}
    return _object({"answers": answers})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
