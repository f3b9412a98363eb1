from pathlib import Path

import pytest

from tests.server.commands import Offers, run_here


@pytest.fixture
def offers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path
) -> Offers:
    monkeypatch.chdir(tmp_path)
    values = {"DATABASE_URL": database_url, "DATA_DIR": "data", "OUTPUT_DIR": "output", "COLUMNS": "200"}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: run_here(capsys, monkeypatch, *arguments)


def test_members_are_added_listed_and_removed(offers: Offers) -> None:
    assert offers("suppression", "list").told == "0 members are on the list, 0 shown"
    assert "2 added, 0 were on the list" in offers("suppression", "add", "USER_1", "USER_2", "--by", "Client Care").told
    assert "1 added, 1 were on the list" in offers("suppression", "add", "USER_2", "USER_3", "--by", "Client Care").told
    shown = offers("suppression", "list", "USER_2")
    assert "USER_2" in shown.told and "Client Care" in shown.told and "3 members are on the list, 1 shown" in shown.told
    assert (
        "1 removed, 1 were not on the list" in offers("suppression", "remove", "USER_2", "X", "--by", "A. Officer").told
    )
    assert "USER_2 is not on the list" in offers("suppression", "list", "USER_2").told
    refused = offers("suppression", "add", "USER_4", "--by", " ")
    assert (refused.code, "--by is ' '; it must have 1 to 200 characters" in refused.err) == (1, True)


def test_a_list_is_imported_and_its_bad_lines_are_told(offers: Offers) -> None:
    Path("dnc.csv").write_text("user_id,source\nUSER_1,\n,phone\nUSER_2,phone\n", encoding="utf-8")
    ran = offers("suppression", "import", "dnc.csv", "--by", "list of November")
    assert ran.code == 1
    assert ran.told == "3 lines: 2 added, 0 were on the list or repeated"
    assert "line 3: user_id '' is empty" in ran.err
    assert f"1 line rejected: {Path('output/rejects/dnc.csv.rejects.csv')}" in ran.err
    Path("dnc.csv").write_text("user_id\nUSER_1\n", encoding="utf-8")
    again = offers("suppression", "import", "dnc.csv", "--by", "list of November")
    assert (again.code, again.told) == (0, "1 line: 0 added, 1 were on the list or repeated")
    assert not Path("output/rejects/dnc.csv.rejects.csv").exists()
    missing = offers("suppression", "import", "nope.csv", "--by", "list of November")
    assert (missing.code, "nope.csv can't be read: No such file" in missing.err) == (1, True)
