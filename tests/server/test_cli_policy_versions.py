"""Change control from the command line."""

from hashlib import sha256
from io import StringIO
from pathlib import Path

import psycopg
import pytest

from tests.policies_sent import QUIET, policy_text
from tests.server.commands import Offers, run_here


@pytest.fixture
def offers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path
) -> Offers:
    monkeypatch.chdir(tmp_path)
    for name, value in {"DATABASE_URL": database_url, "DATA_DIR": "data", "COLUMNS": "200"}.items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: run_here(capsys, monkeypatch, "policies", *arguments)


def add(offers: Offers, text: str, *options: str, name: str = "zebra_policy") -> str:
    Path(f"{name}.md").write_text(text, encoding="utf-8")
    ran = offers("add", f"{name}.md", "--by", "A. Author", *options)
    assert (ran.code, ran.err) == (0, ""), ran
    return ran.told


def test_a_policy_is_proposed_approved_by_another_and_retired(offers: Offers) -> None:
    assert offers("drafts").out == "no draft waits for approval\n"
    assert "zebra_policy 1.0.0 is kept as a draft" in add(offers, policy_text(QUIET))
    assert "waits already" in add(offers, policy_text(QUIET))
    listed = offers("drafts").told
    assert all(word in listed for word in ("zebra_policy", "1.0.0", "A. Author", "compliance"))
    refused = offers("approve", "zebra_policy", "--by", "a. author")
    assert (refused.code, "a second person approves it" in " ".join(refused.err.split())) == (1, True)
    done = offers("approve", "zebra_policy", "--by", "C. Officer")
    assert (done.code, "zebra_policy 1.0.0 is in force, approved by C. Officer" in done.told) == (0, True)
    assert "no draft of it waits" in offers("approve", "zebra_policy", "--by", "C. Officer").err
    told = offers("history", "zebra_policy").told
    assert all(word in told for word in ("active", "proposed by A. Author", "approved by C. Officer"))
    assert "is out of force" in offers("retire", "zebra_policy", "--by", "C. Officer").told
    assert "retired by C. Officer" in offers("history", "zebra_policy").told
    assert offers("retire", "zebra_policy", "--by", "C. Officer").code == 1


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "\x1b[2J"])
def test_an_act_needs_a_name(offers: Offers, name: str) -> None:
    ran = offers("approve", "zebra_policy", "--by", name)
    assert (ran.code, "names nobody" in ran.err) == (2, True)


def test_a_draft_can_be_withdrawn(offers: Offers) -> None:
    add(offers, policy_text(QUIET))
    assert "is withdrawn" in offers("retire", "zebra_policy", "--draft", "--by", "A. Author").told
    assert offers("drafts").out == "no draft waits for approval\n"


def test_any_version_and_set_is_shown_by_its_hash(offers: Offers, database_url: str) -> None:
    add(offers, policy_text(QUIET))
    with psycopg.connect(database_url) as connection:
        sha, set_sha = connection.execute(
            "select (select sha from policy_version where policy_id = 'zebra_policy'),"
            " (select set_sha from policy_set limit 1)"
        ).fetchone() or ("", "")
    assert offers("show", "zebra_policy", "--sha", sha[:10]).out.strip() == policy_text(QUIET).strip()
    told = offers("set", set_sha[:12]).told
    assert set_sha in told and "travel_offer_policy" in told and "zebra_policy" not in told
    assert "no such version" in offers("show", "zebra_policy", "--sha", "0" * 12).err
    assert "no process on this database ever loaded it" in " ".join(offers("set", "0" * 12).err.split())
    assert "there is no policy 'nobody'" in offers("history", "nobody").err


def test_a_fault_is_told_with_line_and_remedy_and_nothing_is_kept(offers: Offers) -> None:
    Path("zebra_policy.md").write_text(policy_text(QUIET | {"forbid": ["(zebra"]}), encoding="utf-8")
    ran = offers("add", "zebra_policy.md", "--by", "A. Author")
    assert (ran.code, "zebra_policy.md:" in ran.err, "names_no_zebra" in ran.err) == (1, True, True)
    assert offers("drafts").out == "no draft waits for approval\n"
    assert "give its --type" in _told(offers, "prose.md", "Copy stays calm.")
    assert "can't be read" in offers("add", "nowhere.md", "--by", "A. Author").err


def _told(offers: Offers, name: str, text: str) -> str:
    Path(name).write_text(text, encoding="utf-8")
    return " ".join(offers("add", name, "--by", "A. Author").err.split())


def test_prose_lists_the_copy_it_unapproves_and_asks(
    offers: Offers, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    told = add(offers, "Copy stays calm.", "--type", "offer", "--domain", "Travel", name="calm_note")
    assert "no machine clause: judge" in told
    for answer in ("n\n", ""):
        monkeypatch.setattr("sys.stdin", StringIO(answer))
        asked = offers("approve", "calm_note", "--by", "C. Officer")
        assert asked.code == 1 and "Copy stays calm." in asked.out
        assert "approved texts are not approved for calm_note 1.0.0" in asked.told
    assert "calm_note" in offers("drafts").told
    done = offers("approve", "calm_note", "--by", "C. Officer", "--copy-reviewed")
    assert (done.code, "texts are approved for it" in done.told) == (0, True)
    with psycopg.connect(database_url) as connection:
        by = connection.execute("select distinct approved_by from copy_approval").fetchall()
    assert by == [("C. Officer",)]


def test_with_principals_only_one_with_the_role_acts_at_the_command_line(
    offers: Offers, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha = sha256(b"token").hexdigest()
    monkeypatch.setenv(
        "API_PRINCIPALS", f'[{{"name": "C. Officer", "roles": ["compliance"], "token_sha256": "{sha}"}}]'
    )
    add(offers, policy_text(QUIET))
    for act in ("approve", "retire"):
        assert "not a principal of API_PRINCIPALS" in offers(act, "zebra_policy", "--by", "S. Stranger").err
    assert offers("approve", "zebra_policy", "--by", "C. Officer").code == 0
