"""Stand-alone checks with a judge: `offers check` and `POST /compliance/check` over a scripted endpoint."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from graph.settings import Settings
from tests.judged_policies import QUESTION, with_judge_clause
from tests.scripted_model import Call, Latency, Reply, ScriptedModel, judged
from tests.server.commands import Offers, run_here
from tests.server.serving import Serving
from tests.standalone_lines import line, text_of

ROUTE = "/compliance/check"
GUARANTEED = line(id="B1", text={"headline": "Guaranteed 3X points on Dining"})
AT_ONCE = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_judge_clause(tmp_path_factory.mktemp("judged") / "policies")


@pytest.fixture
def offers(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    folder: Path,
    script: ScriptedModel,
) -> Offers:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    given = {
        "POLICIES_DIR": str(folder), "DATA_DIR": str(tmp_path / "data"), "LLM_BASE_URL": script.base_url,
        "OPENROUTER_MODEL": "scripted", "LLM_MAX_CONCURRENCY": str(AT_ONCE), "LLM_TIMEOUT_S": "5",
    }  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: run_here(capsys, monkeypatch, *arguments)


def numbered(count: int) -> list[dict[str, Any]]:
    ctas = ("See the offer", "View the offer", "See offer details")
    heads = ["Earn 3X points on Dining" + "." * (number // 3) for number in range(count)]
    return [line(id=n, text={"cta": ctas[n % 3], "headline": head}) for n, head in enumerate(heads)]


def strict(call: Call) -> Reply:
    """Find fault with one of the buttons; answer some sooner than others."""
    guilty = {QUESTION: ("cta", "View the")} if '"View the offer"' in call.text else {}
    answer = judged(call, violations=guilty)
    return Latency(0.05, answer) if '"See the offer"' in call.text else answer


def said(out: str) -> list[tuple[Any, str, str]]:
    return [(item["id"], item["verdict"], item["judge"]) for item in map(json.loads, out.splitlines())]


def test_lines_are_judged_many_at_once_and_told_in_order(offers: Offers, tmp_path: Path, script: ScriptedModel) -> None:
    script.reply("judge", strict)
    (tmp_path / "drafts.jsonl").write_text(text_of(*numbered(24), GUARANTEED, "{broken"), encoding="utf-8")
    ran = offers("check", "drafts.jsonl", "--json")
    assert (ran.code, ran.err) == (1, "")
    *plain, guaranteed, broken = said(ran.out)
    assert plain == [(number, "violate" if number % 3 == 1 else "pass", "ran") for number in range(24)]
    assert guaranteed == ("B1", "violate", "skipped"), "what is broken already is not put to the judge"
    assert broken == (None, "unknown", "skipped")
    assert script.count == 24
    assert 1 < script.max_in_flight <= AT_ONCE
    violation = json.loads(ran.out.splitlines()[1])["violations"][0]
    assert (violation["policy_id"], violation["field"], violation["quote"]) == ("tone_policy", "cta", "View the")


def test_equal_lines_cost_one_call(offers: Offers, tmp_path: Path, script: ScriptedModel) -> None:
    (tmp_path / "drafts.jsonl").write_text(text_of(*[line(id=number) for number in range(9)]), encoding="utf-8")
    ran = offers("check", "drafts.jsonl", "--json")
    assert said(ran.out) == [(number, "pass", "ran") for number in range(9)]
    assert script.count == 1


def test_without_a_judge_its_clauses_are_unknown_and_without_asking_left_out(
    offers: Offers, tmp_path: Path, script: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "drafts.jsonl").write_text(text_of(line(), GUARANTEED), encoding="utf-8")
    assert said(offers("check", "drafts.jsonl", "--json", "--no-judge").out) == [
        ("A1", "pass", "skipped"), ("B1", "violate", "skipped"),
    ]  # fmt: skip
    assert said(offers("check", "drafts.jsonl", "--json", "--families", "compliance_policy").out)[0][1:] == (
        "pass", "skipped",
    )  # fmt: skip
    monkeypatch.setenv("JUDGE_MODEL", "none")
    assert said(offers("check", "drafts.jsonl", "--json").out) == [
        ("A1", "unknown", "unavailable"), ("B1", "violate", "unavailable"),
    ]  # fmt: skip
    assert script.count == 0
    assert not (tmp_path / "data").exists()


def test_a_judge_that_fails_leaves_its_clauses_unknown(offers: Offers, tmp_path: Path, script: ScriptedModel) -> None:
    script.reply("judge", "approved")
    (tmp_path / "drafts.jsonl").write_text(text_of(line(), GUARANTEED), encoding="utf-8")
    ran = offers("check", "drafts.jsonl", "--json")
    assert (ran.code, said(ran.out)) == (0, [("A1", "unknown", "unavailable"), ("B1", "violate", "skipped")])
    unknown = json.loads(ran.out.splitlines()[0])["unknown"]
    assert ("tone_policy", "shaming") in {(item["policy_id"], item["clause_id"]) for item in unknown}
    for item in unknown:
        assert item["message"].startswith("Could not be evaluated: the judge gave no answer")


def test_a_judge_that_cannot_be_is_refused(offers: Offers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "drafts.jsonl").write_text(text_of(line()), encoding="utf-8")
    monkeypatch.delenv("LLM_BASE_URL")
    monkeypatch.setenv("JUDGE_MODEL", "large/model")
    ran = offers("check", "drafts.jsonl")
    assert (ran.code, ran.out) == (1, "")
    assert "JUDGE_MODEL is 'large/model'; allowed here: none, or " in ran.err


@pytest.fixture
def judging(folder: Path, script: ScriptedModel, tmp_path: Path) -> Iterator[Serving]:
    """A server with a judge, and with neither database nor index."""
    from graph.settings import load_settings

    ours = load_settings(
        _env_file=None,
        policies_dir=folder,
        data_dir=tmp_path / "data",
        output_dir=tmp_path / "output",
        database_url=SecretStr("postgresql://nobody@127.0.0.1:1/none"),
        chroma_url="http://127.0.0.1:1",
        llm_base_url=script.base_url,
        openrouter_model="scripted",
        judge_model="a judge of its own",
        llm_max_concurrency=AT_ONCE,
    )
    with Serving(ours) as serving:
        yield serving


def test_the_route_asks_the_judge_once_per_object_that_leaves_it_open(judging: Serving, script: ScriptedModel) -> None:
    script.reply("judge", strict)
    with judging.client() as client:
        assert client.get("/health").json()["config"]["judge_model"] == "a judge of its own"
        one = client.post(ROUTE, json=line(text={"cta": "View the offer"})).json()
        assert (one["verdict"], one["judge"], one["violations"][0]["quote"]) == ("violate", "ran", "View the")
        replies = client.post(ROUTE, json=[*numbered(12), 3, GUARANTEED]).json()
        assert [(item["id"], item["verdict"]) for item in replies] == [
            *((number, "violate" if number % 3 == 1 else "pass") for number in range(12)),
            (None, "unknown"),
            ("B1", "violate"),
        ]
        asked = [call for call in script.calls if call.step == "judge"]
        assert len(asked) == 13
        assert {call.body["model"] for call in asked} == {"a judge of its own"}
        assert client.post(ROUTE, params={"judge": "false"}, json=line()).json()["judge"] == "skipped"
        script.reply("judge", "approved")
        silent = client.post(ROUTE, json=line(text={"headline": "Earn 3X points on Dining,"})).json()
        assert (silent["verdict"], silent["judge"]) == ("unknown", "unavailable")
        assert client.post(ROUTE, json=line(offer={"reward_valu": 3})).status_code == 422
