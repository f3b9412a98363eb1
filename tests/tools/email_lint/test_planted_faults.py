"""Broken mails, each made of a good one by one fault: found by its own check, at its place, and nothing else is."""

import pytest

from tests.tools.email_lint.faults import FAULTS, Fault
from tests.tools.email_lint.mails import Written
from tools.email.brand import Brand
from tools.email_lint import Linter, LintReport, read_file


def linted(linter: Linter, brand: Brand, content: bytes, name: str = "mail.eml") -> LintReport:
    return linter.lint(read_file(name, content, brand))


def test_the_good_mail_has_no_finding(linter: Linter, brand: Brand, good: Written) -> None:
    report = linted(linter, brand, good.eml())
    assert (report.verdict, report.findings) == ("pass", ())


@pytest.mark.parametrize(
    ("clause", "fault"),
    [pytest.param(clause, fault, id=f"{clause}: {fault.name}") for clause, those in FAULTS.items() for fault in those],
)
def test_one_planted_fault_is_found_at_its_place_and_nothing_else_is(
    linter: Linter, brand: Brand, good: Written, clause: str, fault: Fault
) -> None:
    content = fault.plant(good).eml()
    report = linted(linter, brand, content)
    assert {each.id for each in report.findings} == {clause}
    assert report.verdict == "violate"
    place = report.findings[0].place
    assert place.part == fault.part
    assert all(each.remedy and each.message for each in report.findings)
    if fault.part == "headers":
        assert place.header == fault.at
        assert report.findings[0].quote.startswith(f"{fault.at}:")
    elif fault.at:
        facts = read_file("mail.eml", content, brand).facts
        source = (facts.html if place.part == "html" else facts.text).split("\n")[place.line - 1]
        assert source[place.column - 1 :].startswith(fault.at)
    else:
        assert (place.line, place.column) == (0, 0)


def test_each_check_that_a_mail_alone_can_break_has_a_fault(linter: Linter, brand: Brand, good: Written) -> None:
    report = linted(linter, brand, good.eml())
    left_out = {each for ids in report.not_checked.values() for each in ids}
    assert set(FAULTS) == {"/".join(each.key) for each in linter.clauses()} - left_out
    assert sum(map(len, FAULTS.values())) >= 50
