"""What `offers campaign run` prints into a pipe: plain lines on standard error, the summary on standard output."""

from pathlib import Path

import pytest

from server.campaign.progress import Progress
from server.campaign_examples import PROGRESS
from server.commands.campaign_lines import EVERY_S, Lines
from tests.conftest import ATTESTED
from tests.scripted_model import ScriptedModel
from tests.server.campaign.planted import on_ledger
from tests.server.campaign.sampled import NAME, sample_campaign, spec_of
from tests.server.commands import Offers
from tools.errors import DatabaseUnavailable


@pytest.fixture
def running(
    offers: Offers, monkeypatch: pytest.MonkeyPatch, database_url: str, script: ScriptedModel, data_dir: Path
) -> Offers:
    """A campaign of some forty predictions on a scripted endpoint."""
    for name, value in {
        "ATTESTATIONS": ATTESTED,
        "DATA_DIR": str(data_dir),
        "LLM_BASE_URL": script.base_url,
        "OPENROUTER_API_KEY": "none",
        "OPENROUTER_MODEL": "scripted",
        "COPY_MODE": "select",
    }.items():
        monkeypatch.setenv(name, value)
    on_ledger(database_url, lambda database: sample_campaign(database, spec_of(), members=40, predictions=40))
    assert offers("campaign", "plan", NAME).code == 0
    return offers


def test_a_run_into_a_pipe_tells_each_stage_in_plain_lines(running: Offers) -> None:
    ran = running("campaign", "run", NAME, "--yes", "--workers", "0")
    assert ran.code == 0, ran.err
    summary = ran.out.splitlines()
    assert len(summary) == 1 and summary[0].startswith(f"{NAME} done, open 0, ")
    lines = ran.err.splitlines()
    assert any(line.startswith(f"{NAME}: drafts ") for line in lines)
    assert f"{NAME}: predictions decided 40 of 40" in lines
    assert lines[-1] == f"next:  offers campaign verify {NAME}, then export and report"
    assert all(char.isprintable() or char == "\n" for char in ran.err)
    again = running("campaign", "run", NAME, "--yes", "--workers", "0")
    assert (again.code, again.out) == (0, ran.out)


def test_lines_come_with_each_stage_and_at_most_every_ten_seconds() -> None:
    written: list[str] = []
    now = [0.0]
    lines = Lines(written.append, clock=lambda: now[0])
    early = {"cohorts_done": 0, "open": 712, "decided_per_s": 0.0}
    looks = [
        (0, early),
        (1, early | {"cohorts_done": 9}),
        (EVERY_S, early | {"cohorts_done": 9}),
        (EVERY_S + 1, early | {"cohorts_done": 20}),
        (EVERY_S + 2, early | {"cohorts_done": 38}),
        (EVERY_S + 3, {"open": 500}),
        (2 * EVERY_S + 2, {"open": 310}),
    ]
    for at, changes in looks:
        now[0] = at
        lines.tell(Progress.model_validate(PROGRESS | changes))
    lines.lost(DatabaseUnavailable("the database is away"))
    lines.lost(DatabaseUnavailable("the database is still away"))
    for _ in range(2):
        lines.end(Progress.model_validate(PROGRESS | {"open": 0}))
    assert written == [
        "spring_travel: drafts 0 of 38",
        "spring_travel: drafts 9 of 38",
        "spring_travel: drafts 38 of 38",
        "spring_travel: predictions decided 288 of 1,000",
        "spring_travel: predictions decided 690 of 1,000, 134 per second",
        "the database is away; going on when it is back",
        "spring_travel: predictions decided 1,000 of 1,000",
    ]
