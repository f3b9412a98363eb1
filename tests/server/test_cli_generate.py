import json
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.conftest import ATTESTED
from tests.graph.test_revisions import BODY, compose
from tests.scripted_model import Hang, ScriptedModel
from tests.server.commands import Offers, Ran, run_here, start


@pytest.fixture(scope="session")
def chroma_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of its own: users of one folder share Chroma's client."""
    return tmp_path_factory.mktemp("chroma-cli")


@pytest.fixture
def offers(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    database_url: str,
    data_dir: Path,
    chroma_dir: Path,
    script: ScriptedModel,
    tmp_path: Path,
) -> Offers:
    monkeypatch.chdir(tmp_path)
    environment = {
        "DATABASE_URL": database_url,
        "LLM_BASE_URL": script.base_url,
        "OPENROUTER_MODEL": "scripted",
        "OPENROUTER_API_KEY": "test-key",
        "COPY_MODE": "select",
        "DATA_DIR": str(data_dir),
        "CHROMA_DIR": str(chroma_dir),
        "OUTPUT_DIR": "output",
        "ATTESTATIONS": ATTESTED,
        "LLM_TIMEOUT_S": "20",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: run_here(capsys, monkeypatch, *arguments)


@pytest.fixture
def sample(offers: Offers) -> None:
    assert offers("db", "sample", "--n", "60").code == 0


def exported() -> list[Path]:
    return sorted(path for path in Path("output").rglob("*") if path.is_file())


def contents() -> dict[Path, Any]:
    """Return each exported file's bytes; a JSON file's meaning, as a record does not keep the order of its keys."""
    return {path: json.loads(path.read_bytes()) if path.suffix == ".json" else path.read_bytes() for path in exported()}


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def test_the_demo_tells_five_stories_and_a_second_one_replays_them(offers: Offers, script: ScriptedModel) -> None:
    first = offers("demo")
    assert first.code == 0, first.err
    outcomes = [line.removeprefix("outcome").strip() for line in first.out.splitlines() if line.startswith("outcome")]
    assert outcomes == [
        "held back: marketing opt out", "held back: monthly cap", "no such cardmember", "an offer", "an offer",
    ]  # fmt: skip
    assert "1,000 synthetic members" in first.told and "0 of them replayed" in first.told
    assert "the member has not opted in to marketing" in first.told
    assert "3 of 3 offers this month are used" in first.told
    assert first.told.count(" clauses of ") == 2
    files = exported()
    assert [path.suffix for path in files].count(".eml") == 2 and len(files) == 8
    asked, written = script.count, contents()

    shutil.rmtree("output")
    second = offers("demo")
    assert "5 of them replayed" in second.told and "chat model not needed" in second.told
    assert script.count == asked
    assert contents() == written
    assert "offers generate" in second.told.partition("Next")[2]


@pytest.mark.usefixtures("sample")
def test_one_prediction_is_issued_once_and_then_replayed(offers: Offers, database_url: str) -> None:
    arguments = ("generate", "USER_000006", "--domain", "travel", "--confidence", "0.9")
    first = offers(*arguments)
    assert (first.code, "outcome an offer" in first.told, "replayed" in first.told) == (0, True, False)
    again = offers(*arguments, "--json")
    outcome = json.loads(again.out)
    assert (outcome["recommendation"], outcome["replayed"]) == ("offer_generated", True)
    assert rows(database_url, "select count(*) from offer") == [(1,)]
    assert outcome["run_id"] in first.out

    erased = offers("db", "erase", "USER_000006")
    assert erased.told == "USER_000006: 1 decisions and 4 exported files erased"
    assert exported() == []
    assert rows(database_url, "select count(*) from decision_person") == [(0,)]


@pytest.mark.usefixtures("sample")
def test_a_preview_records_and_writes_nothing(offers: Offers, database_url: str) -> None:
    ran = offers("generate", "USER_000006", "--domain", "Travel", "--confidence", "0.9", "--preview", "--no-llm")
    assert "preview: nothing was recorded or issued" in ran.told
    assert "analyze" not in ran.told
    assert rows(database_url, "select (select count(*) from offer_item), (select count(*) from completion)") == [(0, 0)]
    assert exported() == []


@pytest.mark.usefixtures("sample")
def test_the_story_shows_each_channel_or_why_it_is_left_out(offers: Offers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DELIVERY_CHANNELS", "in_app, sms")
    told = offers("generate", "USER_000006", "--domain", "Travel", "--confidence", "0.9").told
    assert "Terms apply. [ Enroll now ]" in told or "Terms apply. [ See the terms ]" in told
    assert "sms left out: nobody attests sms_consent: name who and until when in ATTESTATIONS" in told
    assert "push" not in told
    monkeypatch.setenv("DELIVERY_CHANNELS", "fax")
    refused = offers("generate", "USER_000006", "--domain", "Travel", "--confidence", "0.9")
    assert "DELIVERY_CHANNELS is 'fax'; allowed: push, sms, in_app" in refused.err


@pytest.mark.usefixtures("sample")
def test_the_trace_shows_steps_violations_and_what_the_next_draft_changed(
    offers: Offers, script: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COPY_MODE", "compose")
    monkeypatch.setenv("COLUMNS", "160")
    script.reply("draft_compose", [lambda call: compose(call, body=BODY.replace("{minimum_spend}", "$13")), compose])
    arguments = ("generate", "USER_000006", "--domain", "Travel", "--confidence", "0.9", "--trace")
    ran = offers(*arguments)
    assert ran.code == 0, ran.err
    steps = [line.split()[0] for line in ran.out.splitlines() if line.startswith(" ") and line.split()]
    for node in ("fetch", "screen", "analyze_rules", "draft", "check_compliance", "render", "record"):
        assert node in steps
    assert steps.count("draft") == 2
    assert "attempt 1 model, option" in ran.told and "attempt 2 model, option" in ran.told
    assert "$13" in ran.told.partition("attempt 1")[2].partition("attempt 2")[0]
    changed = ran.told.partition("attempt 2")[2]
    assert "[-$13-]" in changed and "{minimum_spend}" in changed and "headline unchanged" in changed
    replay = offers(*arguments)
    assert "the recorded run:" in replay.told and "[-$13-]" in replay.told


@pytest.mark.usefixtures("sample")
def test_a_file_gives_one_outcome_per_row_in_its_order(offers: Offers, database_url: str) -> None:
    good = [{"user_id": f"USER_{n:06d}", "domain": "Travel", "confidence_score": 0.9} for n in (3, 6, 24, 25, 26)]
    bad = [None, {"user_id": "USER_000006"}, {**good[0], "confidence_score": 7}, {**good[0], "user_id": "NOBODY"}]
    items = [*good, *bad, good[1]]
    Path("p.json").write_text(json.dumps({"ml_output": {"predictions": items}}), encoding="utf-8")
    ran = offers("generate", "--predictions", "p.json", "--out", "o.jsonl")
    assert ran.code == 0, ran.err
    outcomes = [json.loads(line) for line in Path("o.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [outcome["user_id"] for outcome in outcomes] == [item.get("user_id", "") if item else "" for item in items]
    assert [outcome["error_code"] for outcome in outcomes[5:8]] == ["invalid_input"] * 3
    assert outcomes[0]["recommendation"] == "suppressed_marketing_opt_out"
    assert outcomes[8]["recommendation"] == "user_not_found"
    assert (outcomes[1]["recommendation"], outcomes[9]["recommendation"]) == ("offer_generated", "offer_generated")
    assert outcomes[1]["run_id"] == outcomes[9]["run_id"]
    assert "10 predictions, 10 outcomes" in ran.told and "row 6: invalid_input" in ran.told
    again = offers("generate", "--predictions", "p.json", "--json")
    replayed = [json.loads(line)["replayed"] for line in again.out.splitlines()]
    assert replayed == [outcome["error_code"] is None for outcome in outcomes]


@pytest.mark.usefixtures("sample")
def test_ctrl_c_exits_with_130_and_lets_go_of_the_prediction(
    offers: Offers, script: ScriptedModel, database_url: str
) -> None:
    script.reply("*", Hang())
    process = start("generate", "USER_000006", "--domain", "Travel", "--confidence", "0.9")
    wait_for(lambda: script.in_flight > 0 or process.poll() is not None)
    process.send_signal(signal.SIGINT)
    printed = "".join(process.communicate(timeout=60))
    assert (process.returncode, "Traceback" in printed) == (130, False), printed
    held = rows(database_url, "select status, reserves, lease_until > now() from offer_item")
    assert held == [("pending", False, False)]
    script.reply("*", {})
    assert offers("generate", "USER_000006", "--domain", "Travel", "--confidence", "0.9").code == 0


def test_a_database_that_is_down_is_one_line_and_its_remedy(offers: Offers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/none?connect_timeout=1")
    ran: Ran = offers("generate", "USER_000006", "--domain", "Travel", "--confidence", "0.9")
    assert ran.code == 1
    assert ran.err.startswith("error: the database does not answer") and "Traceback" not in ran.err
    assert "next:  `offers status`" in ran.err


def wait_for(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not met():
        assert time.monotonic() < deadline, "not within a minute"
        time.sleep(0.01)


def test_a_variant_is_used_when_asked_for(offers: Offers, sample: None, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(shutil.copytree(Path(__file__).parents[2] / "prompts", "prompts"))
    shutil.copy(folder / "draft.md", folder / "draft@b.md")
    monkeypatch.setenv("PROMPTS_DIR", str(folder.resolve()))
    asked = ("USER_000006", "--domain", "Travel", "--confidence", "0.9", "--preview", "--json")
    ran = offers("generate", *asked, "--variant", "draft=b")
    assert list(json.loads(ran.out)["prompts"]) == ["analyze", "draft@b", "judge"]
    Path("rows.json").write_text(
        '[{"user_id": "USER_000006", "domain": "Travel", "confidence_score": 0.9}]', encoding="utf-8"
    )
    rows = offers("generate", "--predictions", "rows.json", "--preview", "--json", "--variant", "draft=b")
    assert list(json.loads(rows.out)["prompts"]) == ["analyze", "draft@b", "judge"]
    refused = offers("generate", *asked, "--variant", "draft=z")
    assert refused.code == 1 and "there is no prompts/draft@z.md; allowed: analyze, draft, draft@b" in refused.out
