import shutil
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from tests.gate.mutate import planted
from tests.gate.offers import POLICIES, SEND_DATE, Book, Compliant, compliant_offers, delivered, open_book
from tests.gate.plants import Plant, PlantFault, Plants, read_plants
from tests.gate.suite import BASES, Row, run_clean, run_suite
from tools.errors import PolicyInvalid
from tools.vocabulary import CARD_TYPES, DOMAINS, OFFER_TYPES, STRATEGIES

IDS = sorted(path.stem for path in POLICIES.glob("*.md") if path.name != "README.md")


@cache
def book() -> Book:
    return open_book()


@cache
def bases() -> tuple[Compliant, ...]:
    return tuple(compliant_offers(book(), turns=2))


@cache
def every_delivery() -> tuple[Compliant, ...]:
    return (*bases(), *delivered(bases()))


@cache
def plants() -> Plants:
    return read_plants(book().gate.policies)


def rows_of(policy_id: str, gate_book: Book | None = None, given: Plants | None = None) -> list[Row]:
    return list(run_suite(gate_book or book(), every_delivery(), given or plants(), only=policy_id))


def write(folder: Path, text: str, name: str = "UDAAP-06") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("policy_id", IDS)
def test_each_clause_catches_every_violation_planted_for_it(policy_id: str) -> None:
    assert [miss for row in rows_of(policy_id) for miss in row.misses] == []


def test_the_bases_are_of_every_domain_card_strategy_and_offer_type() -> None:
    assert len(bases()) >= 300
    assert {base.terms.domain for base in bases()} == set(DOMAINS)
    assert {base.terms.offer_type for base in bases()} == set(OFFER_TYPES)
    assert {base.subject.scope.card_type for base in bases()} == set(CARD_TYPES)
    assert {base.strategy for base in bases()} == set(STRATEGIES)


def test_no_compliant_offer_is_blocked_or_held() -> None:
    offers = compliant_offers(book(), turns=1, send_date=SEND_DATE + timedelta(days=40), spread_days=300)
    clean = run_clean(book().gate, [*bases()[::2], *offers[::2]])
    assert clean.offers >= 300
    assert clean.lines() == []


def test_a_clause_that_catches_less_than_before_is_told_with_the_plant_s_line(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    shutil.copytree(POLICIES, folder)
    path = folder / "frequency_policy.md"
    rule = "check: member.offers_this_month < member.max_offers_per_month"
    path.write_text(path.read_text(encoding="utf-8").replace(rule, f"{rule} + 1"), encoding="utf-8")
    (row, *_) = rows_of("frequency_policy", open_book(folder))
    assert (row.clause_id, row.planted, row.caught, row.holds) == ("monthly_cap", 3, 1, False)
    assert row.misses[0].startswith("plants/frequency_policy.yaml:2: monthly_cap: not caught on clean-")


def test_a_clause_without_three_plants_does_not_hold(tmp_path: Path) -> None:
    folder = write(tmp_path / "plants", "no_false_urgency:\n  - add: {body: 'Hurry, only 12 spots left!'}\n")
    given = read_plants(book().gate.policies, folder)
    (row,) = [row for row in rows_of("UDAAP-06", given=given) if row.clause_id == "no_false_urgency"]
    assert (row.planted, row.caught, row.holds) == (1, 1, False)
    assert row.misses == ("plants/UDAAP-06.yaml: no_false_urgency: 1 plants; write 3 or more",)


def test_a_plant_is_put_on_offers_of_different_domains(tmp_path: Path) -> None:
    folder = write(tmp_path / "plants", "no_false_urgency:\n  - add: {body: 'Hurry, only 12 spots left!'}\n")
    (row,) = [
        row
        for row in rows_of("UDAAP-06", given=read_plants(book().gate.policies, folder))
        if row.clause_id == "no_false_urgency"
    ]
    assert row.bases == BASES


def test_planted_copy_fills_the_base_s_slots_and_is_no_approved_block_any_more() -> None:
    base = bases()[0]
    plant = Plant.model_validate(
        {"add": {"body": "Only at {merchants}, says {nobody}."}, "offer": {"reward_cap": None}}
    )
    subject = planted(base, plant, with_message=True)
    names = " and ".join(merchant.merchant_name for merchant in base.terms.merchants)
    assert subject.text["body"] == f"{base.copy.body} Only at {names}, says {{nobody}}."
    assert "reward_cap" not in subject.offer
    assert set(subject.approved) == set(base.subject.approved) - {"body"}
    assert subject.message is not None
    assert f"Only at {names}" in subject.message.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "no_false_urgency:\n  - add: {bodi: x}\n",
            r"UDAAP-06\.yaml:2:\d+: no_false_urgency.0.add: .*unknown text field 'bodi'",
        ),
        ("no_false_urgency:\n  - offer: {caps: 1}\n", r"UDAAP-06\.yaml:2:\d+: .*unknown fact 'caps'"),
        ("no_false_urgency:\n  - on: {domains: [Dining]}\n", r"UDAAP-06\.yaml:2:\d+: .*plants nothing; give add"),
        ("no_false_urgency:\n  - shout: {body: x}\n", r"UDAAP-06\.yaml:2:\d+: no_false_urgency.0.shout: "),
    ],
)
def test_a_plant_that_can_t_be_used_is_told_by_file_line_and_remedy(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PolicyInvalid, match=said):
        read_plants(book().gate.policies, write(tmp_path / "plants", text))


def test_plants_for_what_does_not_exist_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PlantFault, match=r"UDAAP-06\.yaml:1: UDAAP-06 has no clause 'urgent'; it has no_false_urgency"):
        read_plants(book().gate.policies, write(tmp_path / "a", "urgent:\n  - add: {body: x}\n"))
    with pytest.raises(PlantFault, match=r"house\.yaml:1: no active policy is called 'house'"):
        read_plants(book().gate.policies, write(tmp_path / "b", "urgent:\n  - add: {body: x}\n", "house"))
