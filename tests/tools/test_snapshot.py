from dataclasses import fields, replace

from tools.policies.standard import standard_delivery, standard_message, standard_subject
from tools.snapshot import Memory, snapshot
from tools.subject import Subject


def test_a_snapshot_says_all_that_its_subject_says() -> None:
    standard = standard_subject()
    subject = replace(
        standard,
        personal={"name": "Ada"},
        approved={"body": "a_block"},
        message=standard_message(),
        delivery=standard_delivery(standard.text),
    )
    for taken in (snapshot(subject), snapshot(subject, Memory())):
        for field in fields(Subject):
            assert getattr(taken, field.name) == getattr(subject, field.name) != field.default
