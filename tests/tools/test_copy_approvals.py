"""Approvals of copy: what stands, what a letter, a version, a scope or a missing clause ends."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.offer_content import POLICIES, blocks, cases
from tests.tools.policies.written import DETECTORS, clause, write_policy
from tools.copy_approvals import FILE, Approval, covers_of, read_approvals, with_approval, write_approvals
from tools.copy_blocks import BlockScope, CopyBlocks, load_copy_blocks, text_sha
from tools.copy_cover import required_cover, unapproved_by
from tools.errors import PolicyInvalid
from tools.policies import PolicySet, load_policies
from tools.policies.clauses import question_sha
from tools.subject import Scope
from tools.vocabulary import COPY_FIELDS

DAY = date(2026, 3, 1)
ASKED = question_sha("Does the copy shame the reader?")
REF = f"house_policy/a_judge@1.0.0#{ASKED}"


def approval(blocks_: dict[str, str], *covers: str, by: str = "Kim", at: date = DAY) -> Approval:
    return Approval(approved_by=by, approved_at=at, covers=covers, blocks=blocks_)


def policies(folder: Path, *clauses: dict[str, object], **front: object) -> PolicySet:
    write_policy(folder, *clauses, **front)
    return load_policies(folder, detectors=DETECTORS, run_examples=False)


def library(tmp_path: Path, *approvals: Approval) -> CopyBlocks:
    """The issuer's blocks with more approvals than the file holds, as a ledger would add them."""
    return load_copy_blocks(POLICIES / "copy").with_approvals(approvals)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    assert read_approvals(tmp_path) == ()
    records = (approval({"a": "0" * 64}, REF), approval({"b": "1" * 64}, by="Ü. Łee: #1"))
    write_approvals(tmp_path, records)
    assert read_approvals(tmp_path) == records
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("- {approved_by: Kim, approved_at: 2026-03-01, covers: [x], blocks: {a: 0}}", "covers"),
        ("- {approved_by: Kim, approved_at: soon, covers: [], blocks: {}}", "approved_at"),
        ("- {approved_by: '', approved_at: 2026-03-01, blocks: {a: 1}}", "approved_by"),
        ("- {approved_by: Kim, approved_at: 2026-03-01, blocks: {a: abc}}", "blocks"),
        ("- {approved_by: Kim, approved_at: 2026-03-01, blocks: {}}", "blocks"),
        ("- {approved_by: Kim, until: 2026-03-01}", "approved_at|until"),
        ("approved: all", "file|list|tuple"),
    ],
)
def test_a_file_of_another_form_is_refused_by_field(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(PolicyInvalid, match=named):
        read_approvals(tmp_path)


def test_only_what_stands_as_signed_is_covered() -> None:
    records = (approval({"a": "0" * 64, "b": "1" * 64}, REF), approval({"a": "0" * 64}, "p/c@2.0.0"))
    standing = {"a": "0" * 64, "b": "2" * 64, "c": "3" * 64}
    assert covers_of(records, standing) == {"a": frozenset({REF, "p/c@2.0.0"})}


def test_a_new_record_joins_its_like_and_drops_what_stands_no_longer() -> None:
    standing = {"a": "0" * 64, "b": "1" * 64}
    old = (approval({"a": "0" * 64, "gone": "4" * 64}, REF), approval({"b": "9" * 64}))
    assert with_approval(old, approval({"b": "1" * 64}, REF), standing) == (
        approval({"a": "0" * 64, "b": "1" * 64}, REF),
    )
    assert len(with_approval(old, approval({"b": "1" * 64}, REF, by="Lee"), standing)) == 2


@given(
    text=st.text(min_size=1, max_size=40),
    place=st.integers(0, 39),
    letter=st.characters(),
    field=st.sampled_from(COPY_FIELDS),
)
def test_one_letter_changes_what_is_signed(text: str, place: int, letter: str, field: str) -> None:
    place %= len(text)
    changed = text[:place] + letter + text[place + 1 :]
    try:
        same = text_sha(field, text) == text_sha(field, changed)  # type: ignore[arg-type]
    except UnicodeEncodeError:
        return
    assert same == (changed == text)


def test_every_part_of_a_scope_changes_what_is_signed() -> None:
    scopes = [
        BlockScope(), BlockScope(domains=("Travel",)), BlockScope(domains=("Dining",)), BlockScope(channels=("any",)),
        BlockScope(offer_types=("cashback",)), BlockScope(strategies=("sure_thing",)), BlockScope(card_types=("gold",)),
        BlockScope(enrollment=("required",)),
    ]  # fmt: skip
    assert len({text_sha("cta", "View offer", scope) for scope in scopes}) == len(scopes)


def test_a_clause_names_the_blocks_it_would_unapprove_before_it_is_active(tmp_path: Path) -> None:
    found = unapproved_by(policies(tmp_path, clause("judge"), clause(), status="draft").policies, blocks())
    assert {ref: len(ids) for ref, ids in found.items()} == {REF: len(blocks().blocks)}
    everything = {block.id: block.text_sha for block in blocks().blocks}
    assert unapproved_by(policies(tmp_path, clause("judge")).active, library(tmp_path, approval(everything, REF))) == {}
    but_one = {name: sha for name, sha in everything.items() if name != "any_cta_enroll_1"}
    found = unapproved_by(policies(tmp_path, clause("judge")).active, library(tmp_path, approval(but_one, REF)))
    assert found == {REF: ("any_cta_enroll_1",)}
    newer = policies(tmp_path, clause("judge"), version="1.0.1")
    assert list(unapproved_by(newer.active, library(tmp_path, approval(everything, REF)))) == [
        f"house_policy/a_judge@1.0.1#{ASKED}"
    ]
    assert unapproved_by(policies(tmp_path, clause("judge", severity="warn")).active, blocks()) == {}


def test_another_question_under_the_same_version_is_approved_by_nobody(tmp_path: Path) -> None:
    everything = {block.id: block.text_sha for block in blocks().blocks}
    approved = library(tmp_path, approval(everything, REF), approval(everything, "house_policy/a_judge@1.0.0"))
    asked = clause("judge", question="Does the copy\n shame the reader?\n")
    assert unapproved_by(policies(tmp_path, asked).active, approved) == {}
    other = clause("judge", question="Does the copy flatter the reader?")
    (missing,) = unapproved_by(policies(tmp_path, other).active, approved).values()
    assert set(missing) == set(everything)


def test_only_blocks_that_may_be_used_under_the_policy_are_named(tmp_path: Path) -> None:
    scoped = policies(tmp_path, clause("judge"), scope={"offer_types": ["statement_credit"], "domains": ["Dining"]})
    (named,) = unapproved_by(scoped.active, blocks()).values()
    kinds = {blocks().by_id[name].scope.offer_types for name in named}
    assert kinds == {(), ("statement_credit",)}
    assert required_cover(scoped, Scope("Dining", "gold", "any", "statement_credit")) == {REF}
    assert required_cover(scoped, Scope("Travel", "gold", "any", "statement_credit")) == frozenset()


def test_without_a_judge_only_blocks_that_cover_every_clause_are_chosen(tmp_path: Path) -> None:
    ours = policies(tmp_path, clause("judge"))
    half = {block.id: block.text_sha for block in blocks().blocks if not block.id.endswith("1")}
    plain = library(tmp_path, approval(half, REF))
    held = plain.held_to(lambda scope: required_cover(ours, scope), judged=False)
    judged = plain.held_to(lambda scope: required_cover(ours, scope), judged=True)
    for case in cases():
        where = {"domain": case.domain, "strategy": case.strategy, "card_type": case.card_type}
        offered = held.blocks_for(case.option, **where)  # type: ignore[arg-type]
        assert all(block.id in half for group in offered.values() for block in group)
        assert judged.blocks_for(case.option, **where) == plain.blocks_for(case.option, **where)  # type: ignore[arg-type]
        if all(offered.values()):
            _, ids = judged.fallback_copy(case.option, **where, cohort_hash="c")  # type: ignore[arg-type]
            assert set(ids.values()) <= set(half), "a fallback asks no judge while it can do without"
    nothing = blocks().held_to(lambda scope: required_cover(ours, scope), judged=False)
    first = next(cases())
    gaps: Sequence[str] = nothing.gaps(
        [first.option], domain=first.domain, strategy=first.strategy, card_type=first.card_type
    )
    assert len(gaps) == len(COPY_FIELDS)
