"""The strangers' corpora: copy by people who never saw the rules, frozen before it was run, and what the gate says."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tools.policies import Gate
from tools.standalone import Checker, CheckReply, Unreadable, parse_json

CORPORA: Final = Path(__file__).with_name("corpora")
_REQUEST: Final = ("id", "send_date", "text", "offer", "member", "profile_text")


@dataclass(frozen=True, slots=True)
class Text:
    """One line of a corpus: the request, and what its author says of it."""

    corpus: str
    id: str
    family: str
    violating: bool
    judge_only: bool
    rules: frozenset[str]
    request: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Checked:
    """A text and the gate's reply to it."""

    text: Text
    reply: CheckReply

    @property
    def violates(self) -> bool:
        """Whether the gate blocks it."""
        return self.reply.verdict == "violate"

    @property
    def is_named(self) -> bool:
        """Whether a rule its author named is among those it breaks."""
        return any(item.policy_id in self.text.rules for item in self.reply.violations)


class CorpusFault(ValueError):
    """A corpus can't be read: `file:line: reason`."""


def read_corpus(path: Path) -> list[Text]:
    """Read one corpus. Raises CorpusFault with file and line; texts are not repeated."""
    texts = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = parse_json(line)
        except Unreadable as error:
            raise CorpusFault(f"{path}:{number}: {error}") from error
        if not isinstance(row, dict) or row.get("label") not in ("violating", "conforming"):
            raise CorpusFault(f"{path}:{number}: a row is an object whose label is violating or conforming")
        texts.append(
            Text(
                corpus=path.stem,
                id=str(row.get("id", number)),
                family=str(row.get("family", "none")),
                violating=row["label"] == "violating",
                judge_only=bool(row.get("judge_only", False)),
                rules=frozenset(map(str, (*row.get("rules", ()), *row.get("also", ())))),
                request={name: row[name] for name in _REQUEST if name in row},
            )
        )
    return texts


def check_corpus(gate: Gate, texts: Iterable[Text], *, advance: Callable[[], object] = lambda: None) -> list[Checked]:
    """Check every text by the deterministic part alone. A request that can't be read counts as not caught, by name."""
    checker = Checker.of(gate, judged=False)
    checked = []
    for text in texts:
        checked.append(Checked(text, checker.answer(json.dumps(text.request))))
        advance()
    return checked


@dataclass(frozen=True, slots=True)
class FamilyRow:
    """Counts of one family of texts; `judge_only` ones stand apart and are in no rate."""

    family: str
    violating: int
    caught: int
    named: int
    conforming: int
    blocked: int
    judge_only: int
    unreadable: int

    @property
    def recall(self) -> float | None:
        """The share of violating texts that are blocked; None without any."""
        return self.caught / self.violating if self.violating else None

    @property
    def false_rate(self) -> float | None:
        """The share of conforming texts that are blocked; None without any."""
        return self.blocked / self.conforming if self.conforming else None


def family_rows(checked: Sequence[Checked]) -> list[FamilyRow]:
    """Return a row per family in order of name, and one of all texts."""
    families = sorted({item.text.family for item in checked})
    rows = [_row(name, [item for item in checked if item.text.family == name]) for name in families]
    return [*rows, _row("all", checked)]


def _row(name: str, checked: Sequence[Checked]) -> FamilyRow:
    asked = [item for item in checked if not item.text.judge_only]
    violating = [item for item in asked if item.text.violating]
    conforming = [item for item in asked if not item.text.violating]
    return FamilyRow(
        family=name,
        violating=len(violating),
        caught=sum(item.violates for item in violating),
        named=sum(item.violates and item.is_named for item in violating),
        conforming=len(conforming),
        blocked=sum(item.violates for item in conforming),
        judge_only=len(checked) - len(asked),
        unreadable=sum(item.reply.error is not None for item in checked),
    )
