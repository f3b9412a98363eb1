"""The golden set holds what it says, evenly, in any first N cases."""

from collections import Counter
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest

from graph.case import case_of
from graph.deps import Deps, screening_limits
from graph.rulebook import load_rulebook
from graph.settings import load_settings
from server.evaluation.golden import CASES, MEMBERS, GoldenCase, GoldenSet, load_golden
from server.evaluation.services import evaluation_settings
from tests.golden.__main__ import FOLDER, files, smallest
from tests.golden.tricky import TRICKY
from tools.columns import NAMES
from tools.errors import InputInvalid
from tools.screening import screen
from tools.screening_case import Usage
from tools.signals import read_signals
from tools.views import MemberView
from tools.vocabulary import CARD_TYPES, DOMAINS, STRATEGIES

GOLDEN = load_golden(FOLDER)


@cache
def parts() -> Any:
    """All that screening asks of the services."""
    settings = evaluation_settings(load_settings(_env_file=None))
    rulebook = load_rulebook(settings)
    found: Any = SimpleNamespace(settings=settings, rulebook=rulebook)
    found.limits = lambda domain: screening_limits(rulebook.policies, settings, domain)
    found.attested = lambda name, today: Deps.attested(found, name, today)
    found.unattested = lambda today: Deps.unattested(found, today)
    return found


def view_of(case: GoldenCase) -> MemberView | None:
    return read_signals(GOLDEN.members[case.user_id], GOLDEN.send_date).view(case.domain)


def test_the_files_are_what_the_script_draws() -> None:
    assert {name: (FOLDER / name).read_text(encoding="utf-8") for name in files()} == files()


def test_each_case_is_held_back_for_the_reason_it_names_or_drafted() -> None:
    state: Any
    for case in GOLDEN.cases:
        member = GOLDEN.members[case.user_id]
        run = SimpleNamespace(send_date=GOLDEN.send_date, campaign="online")
        prediction = SimpleNamespace(domain=case.domain, confidence_score=case.confidence)
        state = {"run": run, "prediction": prediction}
        holds = screen(case_of(state, member, Usage(), parts()))
        assert (holds[0][0] if holds else "drafts") == case.expect, (case, holds)


@pytest.mark.parametrize("count", [18, 36, 54, 100, 200, 400])
def test_any_first_cases_hold_domains_cards_and_strategies_evenly(count: int) -> None:
    views = [view_of(case) for case in GOLDEN.cases[:count] if case.kind == "regular"]
    assert all(views)
    for name, values in (("domain", DOMAINS), ("card_type", CARD_TYPES), ("strategy", STRATEGIES)):
        seen = Counter(getattr(view, name) for view in views)
        assert set(seen) == set(values)
        assert max(seen.values()) - min(seen.values()) <= 2
    cells = Counter((view.domain, view.card_type, view.strategy) for view in views if view)
    assert max(cells.values()) - (min(cells.values()) if len(cells) == 54 else 0) <= 1


def test_each_drafted_case_has_a_view_of_its_own() -> None:
    views = [view_of(case) for case in GOLDEN.cases if case.expect == "drafts"]
    assert len(views) == len(set(views)) == 385
    for name in MemberView.model_fields:
        assert {getattr(view, name) for view in views if view} == set(_values(name))


def _values(name: str) -> tuple[str, ...]:
    from typing import get_args

    return get_args(MemberView.model_fields[name].annotation)


def test_every_tricky_kind_is_there_and_the_smallest_menu_is() -> None:
    assert {case.kind for case in GOLDEN.cases} == {"regular", *(tricky.kind for tricky in TRICKY)}
    view = view_of(next(case for case in GOLDEN.cases if case.kind == "smallest_menu"))
    menus = parts().rulebook.menus
    assert view is not None
    options = len(menus.menus[view.domain, view.card_type, view.strategy].options)
    assert options == len(menus.menus[smallest(menus)].options) == min(len(m.options) for m in menus.menus.values())


def test_members_are_invented_and_complete() -> None:
    assert len(GOLDEN.members) == len(GOLDEN.cases) == 400
    header = (FOLDER / MEMBERS).read_text(encoding="utf-8").splitlines()[0].split(",")
    assert header[:40] == list(NAMES)
    for member in GOLDEN.members.values():
        assert member.user_id.startswith("GOLDEN_")
        assert (member.location or "").endswith("ville, ZZ")
        assert (member.email or "").endswith("@members.example")


@pytest.fixture
def copied(tmp_path: Any) -> Any:
    for name in files():
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    return tmp_path


@pytest.mark.parametrize(
    "name, old, new, said",
    [
        (CASES, '"domain": "Travel"', '"domain": "Trevel"', r"cases.jsonl:1: domain"),
        (CASES, "GOLDEN_0001", "GOLDEN_9999", r"cases.jsonl:1: user_id 'GOLDEN_9999' is not in members.csv"),
        (CASES, "case-0001", "case-0002", r"cases.jsonl:2: case_id 'case-0002' is used twice"),
        (MEMBERS, "2026-01-27", "2026-13-27", r"members.csv:2: card_activation_date is '2026-13-27'"),
        (MEMBERS, "user_id,name", "user_id,nom", r"members.csv:1: the columns are"),
    ],
)
def test_a_fault_is_named_with_its_line(copied: Any, name: str, old: str, new: str, said: str) -> None:
    path = copied / name
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputInvalid, match=said):
        load_golden(copied)


@pytest.mark.parametrize(
    "name, raw, said",
    [
        (CASES, b"\n", r"cases.jsonl holds no case; write one a line"),
        (MEMBERS, b"a\n\xff", r"members.csv:2: byte 0xff"),
    ],
)
def test_an_empty_set_and_bytes_that_are_no_text_are_named(copied: Any, name: str, raw: bytes, said: str) -> None:
    (copied / name).write_bytes(raw)
    with pytest.raises(InputInvalid, match=said):
        load_golden(copied)


def test_a_missing_set_says_what_to_do(tmp_path: Any) -> None:
    with pytest.raises(InputInvalid, match="--golden DIR"):
        load_golden(tmp_path)


async def test_members_are_read_as_the_table_reads_them() -> None:
    golden: GoldenSet = GOLDEN
    loud = next(case for case in golden.cases if case.kind == "spelt_otherwise")
    member = await golden.load(loud.user_id)
    assert member is not None and member.card_type in ("Basic", "Gold", "Platinum")
    silent = next(case for case in golden.cases if case.kind == "signals_unknown")
    member = await golden.load(silent.user_id)
    assert member is not None and member.total_app_opens_90d is None
    assert await golden.load("USER_000001") is None
