"""Exports of a campaign that was run: what leaves, what stays back and why, and the same bytes every time."""

import csv
import hashlib
import json
from email import message_from_bytes
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from graph.deps import Deps
from graph.nodes.render import sent_at
from graph.state import Run
from server.campaign.export.rows import SCHEMA
from server.campaign.export.target import Target
from server.campaign.export.writing import Exported, Wanted, build
from tests.server.campaign.ran import members_of, planned, row, rows_of, run
from tools.errors import InputInvalid
from tools.ledger.campaigns import Campaign
from tools.spreadsheet import READING


async def exported(
    campaign: Campaign,
    deps: Deps,
    target: Target,
    wanted: Wanted = Wanted(),  # noqa: B008  (frozen)
) -> Exported:
    """Build an export and put it in its place."""
    with target.draft() as folder:
        done = await build(campaign, deps, target, folder, wanted)
        target.publish(folder)
    return done


async def ran(deps: Deps, tmp_path: Path, **changes: Any) -> Campaign:
    ids = await members_of(deps, gold=4, platinum=1)
    for place, user_id in enumerate(ids):
        await rows_of(deps, "update cardmember set email = %s where user_id = %s returning 1",
                      f"m{place}@members.example", user_id)  # fmt: skip
    campaign = await planned(deps, tmp_path, [*map(row, ids), row("=NOBODY")], **changes)
    return (await run(deps, campaign)).campaign


def table(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


async def test_offers_leave_with_their_texts_links_and_mails(deps: Deps, tmp_path: Path) -> None:
    campaign = await ran(deps, tmp_path)
    target = Target.of(tmp_path / "out", trees=True)
    done = await exported(campaign, deps, target, Wanted(eml=True, html=True))
    assert (done.offers, done.without, done.mails, done.failed, done.withheld) == (5, 1, 5, {}, {})
    frame = pl.read_parquet(tmp_path / "out" / "offers.parquet")
    assert dict(frame.schema) == {name: dtype() if isinstance(dtype, type) else dtype for name, dtype in SCHEMA.items()}
    for one in frame.iter_rows(named=True):
        html = (tmp_path / "out" / "html" / one["run_id"][:2] / f"{one['run_id']}.html").read_bytes()
        assert hashlib.sha256(html).hexdigest() == one["html_sha256"]
        assert one["unsubscribe_url"] in html.decode() and one["offer_value"] in html.decode()
        mail = message_from_bytes((tmp_path / "out" / "eml" / one["run_id"][:2] / f"{one['run_id']}.eml").read_bytes())
        assert (mail["To"], mail["List-Unsubscribe"]) == (one["email"], one["list_unsubscribe"])
        assert "{" not in "".join(one[name] for name in ("subject", "preheader", "headline", "body", "cta"))
        claim = deps.mailer.claim_of_link("unsubscribe", one["unsubscribe_url"].rpartition("/")[2])
        record, *_ = (await deps.records.read(one["run_id"])) or ({},)
        assert claim is not None and (claim.run_id, claim.sent_at) == (
            one["run_id"], sent_at(Run.model_validate(record["run"])),
        )  # fmt: skip
    assert table(tmp_path / "out" / "suppressed.csv")[1:] == [["'=NOBODY", "Travel", "user_not_found", ""]]
    manifest = json.loads(done.manifest)
    assert manifest["cells"] == {"suppressed.csv": READING}
    assert manifest["counts"]["offers"] == 5 and manifest["versions"] == campaign.versions
    for file in manifest["files"]:
        content = (tmp_path / "out" / file["name"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["bytes"], file["sha256"])
    assert len(manifest["files"]) == 2 + 10


async def test_the_same_ledger_gives_the_same_bytes(deps: Deps, tmp_path: Path) -> None:
    campaign = await ran(deps, tmp_path)
    for form in ("parquet", "jsonl"):
        places = [Target.of(tmp_path / name / f"offers.{form}") for name in ("one", "two")]
        one, two = [await exported(campaign, deps, place) for place in places]
        assert one.manifest == two.manifest == places[0].manifest()
        assert places[0].path.read_bytes() == places[1].path.read_bytes()
    lines = [json.loads(line) for line in (tmp_path / "one" / "offers.jsonl").read_text().splitlines()]
    assert lines == pl.read_parquet(tmp_path / "one" / "offers.parquet").to_dicts()


async def test_what_may_not_leave_stays_back_with_its_reason(deps: Deps, tmp_path: Path) -> None:
    campaign = await ran(deps, tmp_path)
    users = [user for (user,) in await rows_of(deps, "select user_id from offer order by user_id")]
    await rows_of(deps, "insert into suppression (user_id, source) values (%s, 'one_click') returning 1", users[0])
    await rows_of(
        deps, "update offer set held_at = now(), held_reason = 'A-1/x' where user_id = %s returning 1", users[1]
    )
    await rows_of(deps, "update decision_person set first_name = 'Changed' where run_id ="
                        " (select run_id from offer where user_id = %s) returning 1", users[2])  # fmt: skip
    done = await exported(campaign, deps, Target.of(tmp_path / "out", form="jsonl", trees=True), Wanted(eml=True))
    assert (done.offers, done.mails) == (2, 2)
    assert done.withheld == {"the member opted out since": 1, "held: A-1/x": 1}
    found = {user: (outcome, why) for user, _, outcome, why in table(tmp_path / "out" / "suppressed.csv")[1:]}
    assert found[users[0]] == ("withheld", "the member opted out since")
    assert found[users[1]] == ("withheld", "held: A-1/x")
    assert found[users[2]][0] == "not exported" and "as it was checked" in found[users[2]][1]
    left = [json.loads(line)["user_id"] for line in (tmp_path / "out" / "offers.jsonl").read_text().splitlines()]
    assert sorted(left) == users[3:]


def test_a_target_says_what_it_can_be(tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("x")
    (tmp_path / "folder.parquet").mkdir()
    with pytest.raises(InputInvalid, match="it is a file"):
        Target.of(tmp_path / "file.txt")
    with pytest.raises(InputInvalid, match="there is a folder of that name"):
        Target.of(tmp_path / "folder.parquet")
    with pytest.raises(InputInvalid, match="--eml and --html need a folder"):
        Target.of(tmp_path / "a.jsonl", trees=True)


def test_an_export_that_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    target = Target.of(tmp_path / "out")
    target.path.mkdir()
    (target.path / "manifest.json").write_text("old")

    def broken() -> None:
        with target.draft() as folder:
            (folder / "manifest.json").write_text("new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert target.manifest() == b"old" and target.occupied()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
