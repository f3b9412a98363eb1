"""`offers trace`: a past run from its record alone, step by step; prompts and email again, byte for byte."""

import json
import re
from typing import Any

import psycopg
import pytest

from tests.graph.test_revisions import BODY, compose
from tests.scripted_model import ScriptedModel
from tests.server.commands import Offers
from tests.server.test_cli_generate import chroma_dir as chroma_dir
from tests.server.test_cli_generate import offers as offers
from tests.server.test_cli_generate import rows
from tests.server.test_cli_generate import sample as sample

GENERATE = ("generate", "USER_000006", "--domain", "Travel", "--confidence", "0.9", "--json")
pytestmark = pytest.mark.usefixtures("sample")


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def revised(offers: Offers, script: ScriptedModel, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a run whose first draft wrote an amount of its own, and whose second passed."""
    monkeypatch.setenv("COPY_MODE", "compose")
    script.reply("draft_compose", [lambda call: compose(call, body=BODY.replace("{minimum_spend}", "$13")), compose])
    return str(json.loads(offers(*GENERATE).out)["run_id"])


def change(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def sent(script: ScriptedModel) -> list[list[tuple[str, str]]]:
    """The messages of every request the endpoint got, in order."""
    return [[(str(m["role"]), str(m["content"])) for m in call.body["messages"]] for call in script.calls]


def test_a_run_is_told_step_by_step_and_its_prompts_and_email_are_the_recorded_bytes(
    offers: Offers, script: ScriptedModel, revised: str, database_url: str
) -> None:
    asked = script.count
    ran = offers("trace", revised[:8], "--prompts", "--replay")
    assert ran.code == 0, ran.err
    assert script.count == asked  # never the model
    told = ran.told
    for step in (
        f"run {revised}", "prediction USER_000006 in Travel, confidence 0.9; campaign online", "outcome an offer",
        "screening counted issued this month 0;", "held back by no rule", "view domain Travel, card_type ",
        "menu option offer expected cost", "policies ", "analyze_compose ", "draft_compose ", "attempt 1 model, option",
        "attempt 2 model, option", "terms ", "checked pass: ", "message pass: ", "policy set sha ", "prompts draft ",
        "person first name and address are kept apart", "replay the same bytes, sha256 ",
    ):  # fmt: skip
        assert step in told, step
    first, _, second = told.partition("attempt 1")[2].partition("attempt 2")
    assert "$13" in first and "[-$13-]" in second and "headline unchanged" in second
    assert len(re.findall(r"output/\S+\.(?:eml|html|json|txt)", told)) == 4
    shown = ran.out.partition("\nprompts\n")[2]
    assert shown.count("the bytes that were sent") == len(sent(script)) == 4
    for messages in sent(script):
        for _, text in messages:
            assert " ".join(text.split()) in " ".join(shown.split())
    ((first_name, email),) = rows(database_url, "select first_name, email from decision_person")
    assert first_name not in told.split() and (email is None or email not in told)
    assert f"person {first_name} <" in offers("trace", revised, "--person").told


def test_the_record_itself_is_printed_as_it_is_stored(offers: Offers, revised: str, database_url: str) -> None:
    ran = offers("trace", revised, "--json")
    ((record,),) = rows(database_url, "select record from decision")
    assert json.loads(ran.out) == record
    assert offers("trace", revised, "--json").out == ran.out


def test_every_clause_is_told_when_asked_and_else_those_that_do_not_pass(
    offers: Offers, revised: str, database_url: str
) -> None:
    ((record,),) = rows(database_url, "select record from decision")
    results = [*record["report"]["results"], *record["message_report"]["results"]]
    names = [f"{item['policy_id']}/{item['clause_id']} {item['policy_version']}" for item in results]
    brief, whole = offers("trace", revised).told, offers("trace", revised, "--clauses").told
    assert all(name in whole for name in names) and not any(name in brief for name in names)


def test_prompts_whose_file_changed_are_not_shown_as_if_they_were_sent(
    offers: Offers, revised: str, database_url: str
) -> None:
    other = """update decision set record = jsonb_set(record, '{versions,prompts,draft}', '"0123456789abcdef"')"""
    change(database_url, other)
    ran = offers("trace", revised, "--prompts")
    assert (ran.code, ran.told.count("the bytes that were sent")) == (0, 2)
    assert ran.told.count("it was made from draft 0123456789abcdef; PROMPTS_DIR holds draft ") == 2
    change(database_url, """update decision set record = jsonb_set(record, '{calls,0,prompt_sha}', '"none"')""")
    assert "the prompt file is the same, but something else" in offers("trace", revised, "--prompts").told


def test_an_erased_person_and_other_bytes_are_said(offers: Offers, revised: str, database_url: str) -> None:
    assert offers("db", "erase", "USER_000006").code == 0
    ran = offers("trace", revised, "--replay", "--person")
    assert (ran.code, "person erased: a replay greets the fallback name" in ran.told) == (0, True)
    assert "The person was erased since" in ran.told and "files none on this machine" in ran.told
    change(database_url, """update decision set record = jsonb_set(record, '{versions,mail_sha}', '"other"')""")
    assert offers("trace", revised, "--replay").code == 1


def test_the_latest_runs_are_listed_so_that_ids_can_be_found(offers: Offers, revised: str) -> None:
    held = json.loads(offers("generate", "USER_000003", "--domain", "Travel", "--confidence", "0.9", "--json").out)
    listed = offers("trace")
    lines = listed.out.splitlines()[1:3]
    assert [line.split()[0] for line in lines] == [held["run_id"][:12], revised[:12]]
    assert [line.split()[3:6] for line in lines] == [
        ["USER_000003", "Travel", "suppressed_marketing_opt_out"], ["USER_000006", "Travel", "offer_generated"],
    ]  # fmt: skip
    assert (lines[0].split()[6:], lines[1].split()[6]) == (["0", "0"], "2")
    assert "1 run, the newest first" in offers("trace", "--last", "1").told
    asked: list[dict[str, Any]] = [json.loads(line) for line in offers("trace", "--json").out.splitlines()]
    assert [row["run_id"] for row in asked] == [held["run_id"], revised]
    told = offers("trace", held["run_id"]).told
    assert "held back marketing_opt_out: the member has not opted in to marketing" in told
    assert "person nothing kept" in told


def test_a_record_of_an_earlier_build_is_read_as_far_as_it_goes(
    offers: Offers, revised: str, database_url: str
) -> None:
    change(
        database_url,
        """update decision set record = jsonb_set(
               jsonb_set(record - 'loop_end' - 'deliveries' #- '{history,0,told}' #- '{history,1,told}',
                         '{screening,usage,budgeted}', '3'),
               '{money}', '{"amount": 3}')""",
    )
    ran = offers("trace", revised)
    assert (ran.code, "not read money: another build wrote it in another form" in ran.told) == (0, True)
    assert "attempt 2 model, option" in ran.told and "issued this month 0" in ran.told
    again = offers("trace", revised, "--prompts").told
    assert again.count("the bytes that were sent") + again.count("a record of an earlier build") == 4


@pytest.mark.parametrize("beginning", ["ffffffffffff0000", "nobody's", "%", "0"])
def test_an_unknown_id_says_what_to_do(offers: Offers, database_url: str, beginning: str) -> None:
    for run_id in ("0a", "0b"):
        change(
            database_url,
            "insert into decision (run_id, campaign_id, prediction_key, recommendation, record)"
            f" values ('{run_id * 16}', 1, '{run_id}', 'error', '{{}}')",
        )
    ran = offers("trace", beginning)
    assert ran.code == 1 and "next:" in ran.err and "Traceback" not in ran.err
    if beginning == "0":
        assert f"'0' begins several ids: {'0a' * 16}, {'0b' * 16}" in " ".join(ran.err.split())
    else:
        assert "no recorded run has the id" in ran.err and "`offers trace` lists the latest runs" in ran.err
    assert offers("trace", "0a").code == 0
