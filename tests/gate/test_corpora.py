import json
from pathlib import Path
from typing import Any

import pytest

from tests.gate.corpora import CORPORA, CorpusFault, check_corpus, family_rows, read_corpus
from tests.gate.offers import open_book
from tools.policies.standard import standard_subject

HONEST = standard_subject()
BODY = (
    "Earn 3X points instead of 1X at Olive Garden and Panera Bread from November 23, 2026 through January 6, 2027. "
    "A minimum spend of $50 applies, on up to $1,500 in purchases. One per member."
)
TEXT = {
    "subject": "3X points at Olive Garden and Panera Bread",
    "preheader": "Spend $50 or more through January 6, 2027. Terms apply.",
    "headline": "3X points on Dining", "body": BODY, "cta": "View offer", "terms": BODY,
}  # fmt: skip
OUTSIDE = ("merchant_ids", "enroll_by", "requires_enrollment", "exclusions", "fulfillment_weeks", "expected_cost_usd")
"""What the sketch of an outside offer leaves out here, so that its short copy states everything."""


def row(number: int, label: str, *, body: str = BODY, **more: Any) -> dict[str, Any]:
    offer = {name: value for name, value in HONEST.offer.items() if name not in OUTSIDE}
    return {
        "id": f"T{number}",
        "label": label,
        "family": "UDAAP",
        "rules": ["UDAAP-06"],
        "send_date": HONEST.send_date.isoformat(),
        "text": {**TEXT, "body": body},
        "offer": offer,
        "member": {"card_type": "Gold"},
        **more,
    }


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)) + "\n\n", encoding="utf-8")
    return path


def test_counts_per_family_keep_what_only_a_judge_can_see_apart(tmp_path: Path) -> None:
    hurry = f"Hurry, only 12 spots left! {BODY}"
    path = write(
        tmp_path / "c.jsonl",
        row(1, "violating", body=hurry),
        row(2, "violating", body=hurry, rules=["FMT-01"]),
        row(3, "violating", body=hurry, rules=["FMT-01"], also=["UDAAP-06"]),
        row(4, "violating"),
        row(5, "violating", judge_only=True),
        row(6, "conforming"),
        row(7, "conforming", body=hurry, family="FMT"),
        row(8, "violating", family="FMT", offer={"offer_type": 3}),
    )
    texts = read_corpus(path)
    fmt, udaap, whole = family_rows(check_corpus(open_book().gate, texts))
    assert (udaap.violating, udaap.caught, udaap.named, udaap.conforming, udaap.blocked) == (4, 3, 2, 1, 0)
    assert (udaap.judge_only, udaap.recall, udaap.false_rate) == (1, 0.75, 0.0)
    assert (fmt.family, fmt.violating, fmt.caught, fmt.unreadable, fmt.blocked, fmt.false_rate) == (
        "FMT",
        1,
        0,
        1,
        1,
        1.0,
    )
    assert (whole.family, whole.violating, whole.caught, whole.conforming) == ("all", 5, 3, 2)


@pytest.mark.parametrize("line", ['{"id": 1', '{"id": 1, "label": "maybe"}', "[]"])
def test_a_corpus_that_can_t_be_read_is_told_by_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(f"{json.dumps(row(1, 'violating'))}\n{line}\n", encoding="utf-8")
    with pytest.raises(CorpusFault, match=r"c\.jsonl:2: "):
        read_corpus(path)


@pytest.mark.parametrize(
    ("name", "named", "blocked"),
    [("strangers_a", 106, 1), ("strangers_b", 106, 0), ("strangers_c", 93, 2), ("strangers_d", 77, 15)],
)
def test_what_was_seen_on_strangers_copy_gets_no_worse(name: str, named: int, blocked: int) -> None:
    whole = family_rows(check_corpus(open_book().gate, read_corpus(CORPORA / f"{name}.jsonl")))[-1]
    assert whole.named >= named
    assert whole.blocked <= blocked
    assert whole.unreadable == 0
