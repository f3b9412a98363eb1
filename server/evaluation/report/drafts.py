"""The drafts of two versions side by side: which cases differ, worst first, and word by word in what."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, Literal

from server.evaluation.measures import first_attempt, passed_first
from server.evaluation.pairing import Pair, Pairing
from server.evaluation.records import AttemptResult
from tools.vocabulary import COPY_FIELDS

Change = Literal["worse", "better", "other words"]
Side = Literal["same", "gone", "new"]

MOST_SHOWN: Final = 40
"""Cases a report shows; it counts the others."""
_TOKENS: Final = re.compile(r"\s+|\{\w*\}|\w+(?:['’-]\w+)*|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that both versions hold, or only one."""

    kind: Side
    text: str


@dataclass(frozen=True, slots=True)
class FieldDraft:
    """One copy field of both first drafts, in pieces; empty where a version has no draft."""

    name: str
    a: tuple[Piece, ...]
    b: tuple[Piece, ...]

    @property
    def differs(self) -> bool:
        """Whether the texts are not the same."""
        return any(piece.kind != "same" for piece in (*self.a, *self.b))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the gate said of one first draft, by how many drafts, and what came of it."""

    passes: bool
    said: str
    clauses: tuple[tuple[str, str], ...]
    option_id: str
    merchants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaseDraft:
    """One case that the two versions drafted differently; `gained` is the difference of its shares of passes."""

    case_id: str
    repeat: int
    change: Change
    gained: float
    a: Outcome
    b: Outcome
    fields: tuple[FieldDraft, ...]


def differing(pairing: Pairing) -> tuple[CaseDraft, ...]:
    """Return one pair of each case that differs: first those that got worse, then better, then otherwise worded."""
    drafts = [draft for pairs in pairing.cases.values() if (draft := _case(pairs)) is not None]
    places: dict[Change, int] = {"worse": 0, "better": 1, "other words": 2}
    return tuple(sorted(drafts, key=lambda draft: (places[draft.change], -abs(draft.gained), draft.case_id)))


def _case(pairs: Sequence[Pair]) -> CaseDraft | None:
    gained = sum(passed_first(pair.b) - passed_first(pair.a) for pair in pairs) / len(pairs)
    change: Change = "worse" if gained < 0 else "better" if gained > 0 else "other words"
    pair = next(
        (one for one in pairs if (passed_first(one.b) - passed_first(one.a)) * gained > 0),
        next((one for one in pairs if _texts(one) != (None, None) and _texts(one)[0] != _texts(one)[1]), None),
    )
    if pair is None:
        return None
    return CaseDraft(
        case_id=pair.a.case_id,
        repeat=pair.a.repeat,
        change=change,
        gained=gained,
        a=_outcome(first_attempt(pair.a)),
        b=_outcome(first_attempt(pair.b)),
        fields=tuple(_fields(pair)),
    )


def _texts(pair: Pair) -> tuple[dict[str, str] | None, dict[str, str] | None]:
    a, b = (first_attempt(one) for one in (pair.a, pair.b))
    return _copy(a), _copy(b)


def _copy(attempt: AttemptResult | None) -> dict[str, str] | None:
    if attempt is None or attempt.draft is None:
        return None
    return {str(name): text for name, text in attempt.draft.text.fields().items()}


def _fields(pair: Pair) -> Iterator[FieldDraft]:
    a, b = _texts(pair)
    for name in COPY_FIELDS:
        yield FieldDraft(name, *compared((a or {}).get(name, ""), (b or {}).get(name, "")))


def compared(a: str, b: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Return both texts cut into pieces that are the same, gone or new, word by word. Joined, they are the texts."""
    before, after = _TOKENS.findall(a), _TOKENS.findall(b)
    left, right = list[Piece](), list[Piece]()
    for kind, start, end, from_, to in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        _add(left, "same" if kind == "equal" else "gone", "".join(before[start:end]))
        _add(right, "same" if kind == "equal" else "new", "".join(after[from_:to]))
    return tuple(left), tuple(right)


def _add(pieces: list[Piece], kind: Side, text: str) -> None:
    """Add a stretch of text; a mere blank between two changes is shown as part of them, which is easier to read."""
    if not text:
        return
    if kind != "same" and len(pieces) > 1 and pieces[-1].kind == "same" and not pieces[-1].text.strip():
        blank, earlier = pieces.pop(), pieces.pop()
        text = earlier.text + blank.text + text
    pieces.append(Piece(kind, text))


def _outcome(attempt: AttemptResult | None) -> Outcome:
    if attempt is None or attempt.draft is None:
        return Outcome(False, "no draft", (), "", ())
    said = {"pass": "passes", "violate": "breaks", "unknown": "can't be shown to hold"}[attempt.verdict]
    return Outcome(
        passes=attempt.verdict == "pass",
        said=said,
        clauses=tuple((clause, attempt.quotes.get(clause, "")) for clause in dict.fromkeys(attempt.violations)),
        option_id=attempt.draft.option_id,
        merchants=attempt.draft.merchant_ids,
    )
