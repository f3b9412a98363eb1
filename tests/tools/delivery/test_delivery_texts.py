"""What stops the start: a text nobody approved, an unknown slot, a digit, an id written twice, with file and line."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from tests.tools.delivery.messages_made import every_case, partners_of, terms_of
from tests.tools.offer_content import POLICIES
from tools.delivery.texts import FILE, SLOTS, load_delivery_texts, read_delivery_texts
from tools.errors import PolicyInvalid


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(POLICIES / "delivery", tmp_path / "delivery")
    return tmp_path / "delivery"


def changed(folder: Path, old: str, new: str) -> int:
    """Change the first place of a text and return its line."""
    path = folder / FILE
    text = path.read_text(encoding="utf-8")
    at = text.index(old)
    path.write_text(text[:at] + new + text[at + len(old) :], encoding="utf-8")
    return text[:at].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "Enroll by {enroll_by}.",
            "Enroll by {first_name}.",
            "push.body: sentence 'enroll': unknown slot {first_name}",
        ),
        ("Online only.", "Online only, 2 days.", "push.body: sentence 'online': a digit or a brace outside slots"),
        ("{id: online, when", "{id: money, when", "push.body: sentence 'money': the id is used twice; rename one"),
        ("Msg & data rates", "{issuer}: msg & data rates", "sms.notice: sentence 'rates': a notice is the programme's"),
        ("{id: terms, text", "{id: terms, texts", "push.body.6.text: Field required"),
    ],
)
def test_a_text_that_can_t_be_used_is_told_by_file_and_line(folder: Path, old: str, new: str, said: str) -> None:
    line = changed(folder, old, new)
    with pytest.raises(PolicyInvalid) as refused:
        read_delivery_texts(folder)
    assert (refused.value.path, refused.value.line) == (folder / FILE, line)
    assert said in str(refused.value)


def test_a_text_or_a_condition_that_changed_is_one_nobody_approved(folder: Path) -> None:
    load_delivery_texts(folder)
    changed(folder, "Reply STOP to end", "Text STOP to end")
    with pytest.raises(PolicyInvalid, match="delivery:sms_notice: nobody approved these sentences"):
        load_delivery_texts(folder)
    changed(folder, "Text STOP to end", "Reply STOP to end")
    changed(folder, "when: {requires_enrollment: true}", "when: {has_cap: true}")
    with pytest.raises(PolicyInvalid, match="delivery:push_body: nobody approved"):
        load_delivery_texts(folder)


def test_a_sentence_that_holds_for_an_offer_without_its_term_names_file_and_remedy(folder: Path) -> None:
    changed(folder, "{id: cap, when: {has_cap: true}, text", "{id: cap, text")
    case = next(case for case in every_case() if case.option.reward_cap is None)
    texts = read_delivery_texts(folder)
    with pytest.raises(PolicyInvalid, match=r"sms.body: sentence 'cap' uses \{reward_cap\}.*narrow its `when`"):
        texts.fill("sms", terms_of(case, partners_of(case)[:2], date(2026, 9, 13)), issuer="Example Bank")


def test_no_slot_is_of_a_person() -> None:
    assert SLOTS.isdisjoint({"first_name", "card_type"})
