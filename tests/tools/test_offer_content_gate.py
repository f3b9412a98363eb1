from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from shutil import copytree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gate.offers import POLICIES, SEND_DATE, Book, Compliant, offer_of, open_book
from tests.tools.offer_content import Case, cases, long_named_terms, menus
from tools.copy_blocks import Block
from tools.errors import PolicyInvalid
from tools.menus import load_menus
from tools.offer_terms import terms_from
from tools.policies.load import load_policies
from tools.report import ComplianceReport, Stage
from tools.subject import Scope
from tools.terms import OfferTerms
from tools.vocabulary import CopyField

BEFORE_MESSAGE: tuple[Stage, ...] = ("member", "terms", "copy")


@cache
def book() -> Book:
    return open_book()


def suitable(case: Case) -> dict[CopyField, tuple[Block, ...]]:
    found = book().blocks.blocks_for(case.option, domain=case.domain, strategy=case.strategy, card_type=case.card_type)
    return dict(found)


def judged(
    case: Case,
    terms: OfferTerms,
    blocks: dict[CopyField, Block],
    day: date,
    stages: tuple[Stage, ...] = BEFORE_MESSAGE,
) -> ComplianceReport:
    menu = book().menus.menu_for(case.domain, case.card_type, case.strategy)
    offer: Compliant = offer_of(
        book(), "content", blocks, terms, (case.card_type, case.strategy, case.option, menu, day)
    )
    return book().gate.check(offer.subject, stages=stages)


def assert_passes(case: Case, report: ComplianceReport) -> None:
    assert not report.violations, (case.option.option_id, report.violations[0])
    assert report.verdict == "pass"


def every_block_once(case: Case) -> Iterator[dict[CopyField, Block]]:
    groups = suitable(case)
    for turn in range(max(map(len, groups.values()))):
        yield {field: group[turn % len(group)] for field, group in groups.items()}


def test_menus_keep_the_limits_of_the_policies_in_force() -> None:
    assert book().menus.menus == menus().menus


def test_every_option_passes_the_whole_gate_with_every_block_that_suits_it() -> None:
    for case, terms in long_named_terms():
        scope = Scope(case.domain, case.card_type, terms.channel, terms.offer_type)
        before = book().gate.policies.clauses(scope, ("member", "terms"))
        assert not [clause.key for clause in before if "copy" in clause.depends_on]  # so once per option is enough
        for turn, blocks in enumerate(every_block_once(case)):
            stages: tuple[Stage, ...] = ("copy",) if turn else BEFORE_MESSAGE
            assert_passes(case, judged(case, terms, blocks, terms.start_date, stages))


@settings(max_examples=60)
@given(st.data())
def test_any_blocks_any_merchants_and_any_day_pass_the_whole_gate(data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(list(cases())))
    menu = book().menus.menu_for(case.domain, case.card_type, case.strategy)
    candidates = book().catalogue.candidates(
        case.domain,
        campaign=data.draw(st.sampled_from(("online", "autumn", "4"))),
        view_digest=str(data.draw(st.integers(0, 500))),
        channels={option.channel for option in menu.options},
    )
    merchants = data.draw(st.permutations(candidates))[: data.draw(st.integers(2, 4))]
    blocks = {field: data.draw(st.sampled_from(group)) for field, group in suitable(case).items()}
    day = SEND_DATE + timedelta(days=data.draw(st.integers(0, 400)))
    terms = terms_from(case.option, merchants, domain=case.domain, card_type=case.card_type, send_date=day)
    assert_passes(case, judged(case, terms, blocks, day))


# A limit lives in one place: menus and clauses both follow it.


def edited(tmp_path: Path, policy: str, old: str, new: str) -> Path:
    folder = tmp_path / "policies"
    copytree(POLICIES, folder)
    path = folder / f"{policy}.md"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    return folder


def test_a_lowered_limit_changes_the_menu_and_the_clause(tmp_path: Path) -> None:
    folder = edited(tmp_path, "electronics_offer_policy", "max_multiplier: 4", "max_multiplier: 3")
    policies = load_policies(folder, detectors=book().gate.detectors, run_examples=False)
    before = book().menus.menu_for("Electronics", "platinum", "persuadable").option("electronics_points_max_platinum")
    lowered = load_menus(folder / "ladders.yaml", policies.limit)
    after = lowered.menu_for("Electronics", "platinum", "persuadable").option("electronics_points_max_platinum")
    assert before is not None and after is not None
    assert (before.reward_value, after.reward_value) == (4, 3)

    case = next(case for case in cases() if case.option == before)
    terms = next(terms for of, terms in long_named_terms() if of == case)
    offer = offer_of(
        book(),
        "content",
        next(every_block_once(case)),
        terms,
        (case.card_type, case.strategy, case.option, lowered.menu_for(*case[:3]), terms.start_date),
    )
    stricter = type(book().gate)(policies=policies, detectors=book().gate.detectors)
    broken = {
        result.policy_id
        for result in stricter.check(offer.subject, stages=("terms",)).results
        if result.result == "violate"
    }
    assert broken == {"electronics_offer_policy"}


def test_a_limit_that_leaves_a_rung_outside_is_refused_with_the_rung(tmp_path: Path) -> None:
    folder = edited(tmp_path, "entertainment_offer_policy", "max_multiplier: 3", "max_multiplier: 2")
    policies = load_policies(folder, detectors=book().gate.detectors, run_examples=False)
    with pytest.raises(PolicyInvalid, match="entertainment_points_show_gold is over max_multiplier 2"):
        load_menus(folder / "ladders.yaml", policies.limit)
