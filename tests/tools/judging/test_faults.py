"""Every way a judge can fail, alone and after one another, over real HTTP: nothing passes."""

import json
from collections.abc import AsyncIterator, Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.scripted_model import (
    Call,
    Drop,
    EmptyChoices,
    HalfBody,
    HalfJson,
    Hang,
    JudgeCall,
    PlainText,
    Refusal,
    Reply,
    ScriptedModel,
    Status,
    Truncated,
    entry,
    judged,
)
from tests.tools.judging.papers import INJECTED, PROMPT, SUBJECT, gate, judge_at, report_of, results
from tools.judging import ModelJudge, open_clauses
from tools.policies import Gate
from tools.subject import Subject

Fault = Callable[[Call], Reply]


def right(asked: JudgeCall) -> dict[str, str]:
    return entry(asked.control, "violation", asked.where(asked.words), asked.words)


def answers(make: Callable[[JudgeCall], list[dict[str, Any]]]) -> Fault:
    return lambda call: {"answers": make(JudgeCall(call))}


def oks(asked: JudgeCall, **changes: str) -> list[dict[str, Any]]:
    return [entry(name) | changes for name in asked.names()]


def twice(text: str, key: str) -> str:
    """Write the first value of a key a second time, as ok or as it is."""
    return text.replace(
        f'"{key}": ', f'"{key}": "violation", "{key}": ' if key == "result" else f'"{key}": [], "{key}": '
    )


FAULTS: dict[str, Fault] = {
    "approves everything": answers(lambda asked: [entry(name) for name in asked.questions]),
    "approves everything, quoting": answers(
        lambda asked: [entry(name, "ok", asked.where(asked.words), asked.words) for name in asked.questions]
    ),
    "control left out": answers(oks),
    "control twice": answers(lambda asked: [right(asked), right(asked), *oks(asked)]),
    "control in another field": answers(
        lambda asked: [
            right(asked) | {"field": next(f for f in asked.copy if f != asked.where(asked.words))},
            *oks(asked),
        ]
    ),
    "control quotes other words": answers(
        lambda asked: [right(asked) | {"field": "cta", "quote": asked.copy["cta"]}, *oks(asked)]
    ),
    "control quotes nothing": answers(lambda asked: [right(asked) | {"field": "", "quote": ""}, *oks(asked)]),
    "control in a field that isn't there": answers(lambda asked: [right(asked) | {"field": "footer"}, *oks(asked)]),
    "clauses left out": answers(lambda asked: [right(asked)]),
    "clauses answered twice": answers(lambda asked: [right(asked), *oks(asked), *oks(asked)]),
    "clauses answered both ways": answers(lambda asked: [right(asked), *oks(asked), *oks(asked, result="violation")]),
    "unknown questions": answers(lambda asked: [right(asked), *(entry(f"q{n}") for n in range(5))]),
    "questions by clause id": answers(lambda asked: [right(asked), *(entry(f"house_policy/j{n}") for n in range(3))]),
    "quotes that don't exist": answers(lambda asked: [right(asked), *oks(asked, field="body", quote="no such words")]),
    "violations nobody can find": answers(
        lambda asked: [right(asked), *oks(asked, result="violation", field="body", quote="no such words")]
    ),
    "violations without a quote": answers(lambda asked: [right(asked), *oks(asked, result="violation")]),
    "a field without a quote": answers(lambda asked: [right(asked), *oks(asked, field="body")]),
    "another word for ok": answers(lambda asked: [right(asked), *oks(asked, result="pass")]),
    "ok in capitals": answers(lambda asked: [right(asked), *oks(asked, result="OK")]),
    "extra keys": answers(lambda asked: [right(asked), *oks(asked, reason="fine")]),
    "an extra key outside": lambda call: judged(call) | {"approved": True},
    "a key written twice": lambda call: twice(json.dumps(judged(call)), "result"),
    "answers written twice": lambda call: twice(json.dumps(judged(call)), "answers"),
    "words around": lambda call: f"Sure! {json.dumps(judged(call))}",
    "a list": lambda call: json.dumps(judged(call)["answers"]),
    "no answers": lambda call: {"answers": []},
    "all at once": lambda call: {"answers": [entry("all")]},
    "approved": lambda call: "approved",
    "approved as JSON": lambda call: '"approved"',
    "approved: true": lambda call: {"approved": True},
    "the copy's own answer": lambda call: {"answers": [entry("house_policy/j0")]},
    "null": lambda call: "null",
    "nothing": lambda call: "",
    "deep": lambda call: "[" * 5_000,
    "numbers": lambda call: {"answers": [1, 2, 3]},
    "half an answer": lambda call: HalfJson(),
    "cut off": lambda call: Truncated(),
    "half a body": lambda call: HalfBody(),
    "an empty body": lambda call: PlainText(""),
    "a proxy's page": lambda call: PlainText(),
    "no choices": lambda call: EmptyChoices(),
    "a refusal": lambda call: Refusal(),
    "dropped": lambda call: Drop(),
    "500": lambda call: Status(500, retry_after=0),
    "429": lambda call: Status(429, retry_after=0),
    "400": lambda call: Status(400),
    "401": lambda call: Status(401),
}
QUICK = [name for name in FAULTS if name not in ("500", "429", "dropped")]
"""A passing fault is tried again until time is up; these answer at once."""


@pytest.fixture
def ours(tmp_path: Path) -> Gate:
    return gate(tmp_path)


@pytest.fixture
async def judge(script: ScriptedModel) -> AsyncIterator[ModelJudge]:
    judge = judge_at(script.base_url, timeout_s=2)
    yield judge
    await judge.model.aclose()


async def test_a_sensible_judge_passes_what_it_read(ours: Gate, judge: ModelJudge, script: ScriptedModel) -> None:
    for subject in (SUBJECT, INJECTED):
        report, said = await report_of(ours, judge, subject)
        assert (report.verdict, report.judge) == ("pass", "ran")
        assert results(report) == {f"j{n}": ("pass", None) for n in range(3)}
        assert said.call is not None and said.call.step == "judge"
    assert script.steps() == ["judge", "judge"]


@pytest.mark.parametrize("subject", [SUBJECT, INJECTED], ids=["plain", "injected"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_no_fault_passes_a_clause(
    ours: Gate, judge: ModelJudge, script: ScriptedModel, fault: str, subject: Subject
) -> None:
    script.reply("judge", FAULTS[fault])
    report, said = await report_of(ours, judge, subject)
    assert {result for result, _ in results(report).values()} == {"unknown"}
    assert (report.verdict, report.judge) == ("unknown", "unavailable")
    assert not said.findings.whole
    if fault in QUICK:
        script.clear()
        assert (await report_of(ours, judge, subject))[0].verdict == "pass", "a failed answer is not kept"


async def test_no_two_faults_in_a_row_pass_a_clause(ours: Gate, judge: ModelJudge, script: ScriptedModel) -> None:
    passes = asked = 0
    for first, second in product(QUICK, QUICK):
        script.clear()
        # The second is what a repair gets, where the first was of another form.
        script.reply("judge", [FAULTS[first], FAULTS[second]])
        report, _ = await report_of(ours, judge, INJECTED)
        asked += len(results(report))
        passes += sum(result == "pass" for result, _ in results(report).values())
        assert report.verdict != "pass", (first, second)
    assert (passes, asked) == (0, len(QUICK) ** 2 * 3)


async def test_a_judge_that_hangs_is_waited_for_until_the_deadline_only(
    ours: Gate, judge: ModelJudge, script: ScriptedModel
) -> None:
    script.reply("judge", Hang())
    said = await judge.read(SUBJECT, open_clauses(ours, SUBJECT, ours.check(SUBJECT)), prompt=PROMPT, deadline_s=0.2)
    report = ours.answered(ours.check(SUBJECT), SUBJECT, said.findings)
    assert results(report) == {f"j{n}": ("unknown", "judge_unavailable") for n in range(3)}
    assert said.call is not None and said.call.error_code == "model_unavailable"
    late = await judge.read(SUBJECT, open_clauses(ours, SUBJECT, ours.check(SUBJECT)), prompt=PROMPT, deadline_s=0)
    assert not late.findings.whole


async def test_a_judge_without_an_endpoint_is_silent(ours: Gate) -> None:
    judge = judge_at("http://127.0.0.1:1/v1", timeout_s=0.5)
    report, said = await report_of(ours, judge)
    assert (report.verdict, report.judge) == ("unknown", "unavailable")
    assert said.call is not None and said.call.error_code == "model_unavailable"
    await judge.model.aclose()


class Raises:
    def finding(self, subject: Subject, policy_id: str, clause_id: str) -> Any:
        raise RuntimeError("the judge broke")


def test_a_judge_that_raises_is_unknown(ours: Gate) -> None:
    report = ours.answered(ours.check(SUBJECT), SUBJECT, Raises())
    assert set(results(report).values()) == {("unknown", "policy_error")}


async def test_what_one_answer_lacks_the_others_keep(ours: Gate, judge: ModelJudge, script: ScriptedModel) -> None:
    script.reply("judge", answers(lambda asked: [right(asked), *oks(asked)[1:]]))
    report, said = await report_of(ours, judge)
    assert sorted(results(report).values(), key=str) == [
        ("pass", None), ("pass", None), ("unknown", "judge_no_answer"),
    ]  # fmt: skip
    assert (report.verdict, report.judge, said.findings.whole) == ("unknown", "ran", False)


async def test_a_violation_with_a_real_quote_counts_whatever_the_control_says(
    ours: Gate, judge: ModelJudge, script: ScriptedModel
) -> None:
    script.reply(
        "judge",
        answers(lambda asked: [*oks(asked)[1:], oks(asked, result="violation", field="headline", quote="earn 3x")[0]]),
    )
    report, _ = await report_of(ours, judge)
    assert (report.verdict, report.judge) == ("violate", "ran")
    assert sorted(results(report).values(), key=str) == [
        ("unknown", "judge_not_trusted"), ("unknown", "judge_not_trusted"), ("violate", None),
    ]  # fmt: skip
    (broken,) = [item for item in report.violations if item.quote]
    assert (broken.field, broken.quote, broken.message) == ("headline", "Earn 3X", "It is wrong.")
