"""`offers copy`: what is open, approving it, and what that changes."""

from pathlib import Path

import pytest
import yaml

from graph.gate import load_gate
from graph.rulebook import load_rulebook
from graph.settings import Settings, load_settings
from tests.judged_policies import QUESTION, REF, with_judge_clause
from tests.server.commands import Offers, run_here
from tools.copy_approvals import FILE, read_approvals
from tools.copy_blocks import read_blocks
from tools.errors import PolicyInvalid

BLOCKS = len(read_blocks(Path(__file__).parents[2] / "policies" / "copy"))
TEXTS = BLOCKS + 7
"""With the parts of push, SMS and in-app messages, which are approved in the same way."""


def judged(folder: Path) -> set[str]:
    """Return every judge clause of a folder that approved copy may cover, as approvals name it."""
    policies = load_gate(load_settings(_env_file=None, policies_dir=folder)).policies
    return {clause.approval for policy in policies.active for clause in policy.clauses if clause.clause.kind == "judge"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = with_judge_clause(tmp_path / "policies")
    monkeypatch.setenv("POLICIES_DIR", str(folder))
    return folder


@pytest.fixture
def offers(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: Path) -> Offers:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        if name != "policies_dir":
            monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: run_here(capsys, monkeypatch, *arguments)


def test_the_list_says_who_approved_what_and_what_is_open(offers: Offers, folder: Path) -> None:
    ran = offers("copy", "list")
    assert ran.code == 0
    last = [record for record in read_approvals(folder / "copy") if "any_cta_enroll_1" in record.blocks][-1]
    assert "any_cta_enroll_1 │ cta" in ran.told and f"{last.approved_by}, {last.approved_at}" in ran.out
    assert REF in ran.told
    assert f"{TEXTS} blocks, {len(judged(folder))} active judge clauses; {TEXTS} blocks lack an approval" in ran.told


def test_approving_shows_texts_and_questions_and_writes_a_record(offers: Offers, folder: Path) -> None:
    before = read_approvals(folder / "copy")
    ran = offers("copy", "approve", "any_cta_enroll_1", "any_cta_enroll_2", "--by", "A. Officer", "--yes")
    assert ran.code == 0
    assert "Enroll in this offer" in ran.told and QUESTION in ran.told and REF in ran.told
    *old, new = read_approvals(folder / "copy")
    assert tuple(old) == before
    assert (new.approved_by, set(new.covers), sorted(new.blocks)) == (
        "A. Officer", judged(folder), ["any_cta_enroll_1", "any_cta_enroll_2"],
    )  # fmt: skip
    told = offers("copy", "list", "--missing").told
    assert f"{TEXTS - 2} blocks lack" in told and "any_cta_enroll_1" not in told
    assert offers("copy", "approve", "any_cta_enroll_1", "--by", "B").told.startswith("nothing to approve")


def test_all_copy_approved_lets_the_start_do_without_a_judge(offers: Offers, folder: Path) -> None:
    alone = load_settings(_env_file=None, policies_dir=folder)
    with pytest.raises(PolicyInvalid, match="offers copy approve --all --by NAME"):
        load_rulebook(alone)
    assert offers("copy", "approve", "--all", "--by", "A. Officer", "--yes").code == 0
    assert (
        f"{TEXTS} blocks, {len(judged(folder))} active judge clauses; 0 blocks lack an approval"
        in offers("copy", "list").told
    )
    load_rulebook(alone)
    policy = folder / "tone_policy.md"
    policy.write_text(policy.read_text(encoding="utf-8").replace("1.0.0", "1.0.1"), encoding="utf-8")
    with pytest.raises(PolicyInvalid, match=rf"tone_policy/shaming@1\.0\.1#[0-9a-f]{{16}} \({BLOCKS} blocks\)"):
        load_rulebook(alone)


def test_copy_is_approved_for_a_draft_before_it_goes_live(offers: Offers, folder: Path) -> None:
    policy = folder / "tone_policy.md"
    live = policy.read_text(encoding="utf-8")
    policy.write_text(live.replace("status: active", "status: draft"), encoding="utf-8")
    issuers = len(judged(folder))
    assert f"{TEXTS} blocks, {issuers} active judge clauses; 0 blocks lack" in offers("copy", "list").told
    ran = offers("copy", "approve", "--all", "--for", "tone_policy", "--by", "A. Officer", "--yes")
    assert f"approved {TEXTS} blocks for 1 clauses" in ran.told
    policy.write_text(live, encoding="utf-8")
    assert f"{TEXTS} blocks, {issuers + 1} active judge clauses; 0 blocks lack" in offers("copy", "list").told


def test_a_changed_text_is_open_again_and_can_be_approved(offers: Offers, folder: Path) -> None:
    path = folder / "copy" / "any_offer.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("Enroll in this offer", "Enroll in our offer"), "utf-8")
    with pytest.raises(PolicyInvalid, match="`offers copy approve any_cta_enroll_2 --by NAME`"):
        load_rulebook(load_settings(_env_file=None, policies_dir=folder))
    assert "any_cta_enroll_2 │ cta" in (listed := offers("copy", "list", "--missing").told) and "nobody" in listed
    assert offers("copy", "approve", "any_cta_enroll_2", "--by", "A. Officer", "--yes").code == 0
    assert "nobody" not in offers("copy", "list").out


def test_a_no_writes_nothing(offers: Offers, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (folder / "copy" / FILE).read_bytes()
    monkeypatch.setattr("typer.confirm", lambda question: "A. Officer answers for these 1 texts" in question and False)
    ran = offers("copy", "approve", "any_cta_enroll_1", "--by", "A. Officer")
    assert (ran.code, "nothing was written" in ran.told) == (1, True)
    assert (folder / "copy" / FILE).read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--by", "A"), "name the blocks to approve, or give --all"),
        (("--all", "any_cta_enroll_1", "--by", "A"), "name the blocks to approve, or give --all"),
        (("nope", "--by", "A"), "there is no block 'nope'"),
        (("--all", "--for", "nope", "--by", "A"), "--for: there is no policy 'nope'; known: "),
        (("--all", "--for", "dining_offer_policy", "--by", "A"), "has no clause of kind judge"),
        (("--all", "--by", " "), "--by is ' '"),
    ],
)
def test_what_cannot_be_approved_is_one_line(
    offers: Offers, folder: Path, arguments: tuple[str, ...], said: str
) -> None:
    before = (folder / "copy" / FILE).read_bytes()
    ran = offers("copy", "approve", *arguments)
    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err
    assert (folder / "copy" / FILE).read_bytes() == before


def test_the_file_is_yaml_that_names_each_block_once_per_record(offers: Offers, folder: Path) -> None:
    for name in ("any_cta_enroll_2", "any_cta_enroll_1"):
        offers("copy", "approve", name, "--by", "A. Officer", "--yes")
    text = (folder / "copy" / FILE).read_text(encoding="utf-8")
    assert text.startswith("# Who approved which copy")
    (*_, last) = yaml.safe_load(text)
    assert list(last) == ["approved_by", "approved_at", "covers", "blocks"]
    assert list(last["blocks"]) == ["any_cta_enroll_1", "any_cta_enroll_2"]


def test_texts_of_other_channels_are_approved_in_a_file_of_their_own(offers: Offers, folder: Path) -> None:
    texts = folder / "delivery" / "texts.yaml"
    texts.write_text(texts.read_text(encoding="utf-8").replace("Terms apply.", "The terms apply."), encoding="utf-8")
    with pytest.raises(PolicyInvalid, match="`offers copy approve delivery:push_body --by NAME`") as refused:
        load_rulebook(load_settings(_env_file=None, policies_dir=folder))
    assert (refused.value.path, refused.value.line > 10) == (texts, True)
    assert "delivery:push_body" in (told := offers("copy", "list", "--missing").told) and "nobody" in told
    before = (folder / "copy" / FILE).read_bytes()
    names = [f"delivery:{part}" for part in ("push_body", "sms_body", "in_app_body")]
    assert offers("copy", "approve", *names, "--by", "A. Officer", "--yes").code == 0
    assert (folder / "copy" / FILE).read_bytes() == before
    (*_, new) = read_approvals(folder / "delivery")
    assert (new.approved_by, sorted(new.blocks), REF in new.covers) == ("A. Officer", sorted(names), True)


def test_ids_stay_whole_on_a_narrow_terminal(offers: Offers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert "…" not in offers("copy", "list").out
