import json
import os
import shutil
import signal
import stat
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from tools.embedded.folder import Part
from tools.embedded.parts import parts_status, stop_parts
from tools.embedded.postgres import ensure_postgres
from tools.errors import DatabaseUnavailable, SettingInvalid

PART = Part.POSTGRES


async def value(url: str, query: str) -> object:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        cursor = await connection.execute(query)
        row = await cursor.fetchone() if cursor.description is not None else None
        return None if row is None else row[0]


async def test_creates_the_database_and_keeps_its_rows_across_a_stop(data_dir: Path) -> None:
    url = await ensure_postgres(data_dir)
    assert await value(url, "SELECT current_database()") == "offergraph"
    assert str(await value(url, "SHOW server_version_num")).startswith("18")
    assert [await value(url, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "full_page_writes")] == [
        "on"
    ] * 3
    assert await value(url, "SHOW listen_addresses") == ""
    await value(url, "CREATE TABLE member (name text)")
    await value(url, "INSERT INTO member VALUES ('Zoë')")

    assert await stop_parts(data_dir) == ["postgres"]
    assert await stop_parts(data_dir) == []
    with pytest.raises(psycopg.OperationalError):
        await value(url, "SELECT 1")

    assert await ensure_postgres(data_dir) == url
    assert await value(url, "SELECT name FROM member") == "Zoë"
    other = await ensure_postgres(data_dir, database='odd "name"/1')
    assert await value(other, "SELECT current_database()") == 'odd "name"/1'


async def test_only_the_servers_user_reaches_the_socket(data_dir: Path) -> None:
    folder = Path(parse_qs(urlsplit(await ensure_postgres(data_dir)).query)["host"][0])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((data_dir / "postgres" / "data").stat().st_mode) == 0o700


async def test_two_processes_at_once_share_one_server_and_the_last_one_ends_it(data_dir, start_user, watch) -> None:
    first, second = start_user(PART, data_dir), start_user(PART, data_dir)
    assert first.address() == second.address() != ""
    assert first.ask() == (born := second.ask()) != ""
    server, supervisor = watch.server_pid(), watch.supervisor_pid()

    first.end(signal.SIGKILL)
    assert second.ask() == born
    third = start_user(PART, data_dir)
    assert third.address() != ""
    second.end(signal.SIGINT)  # Ctrl-C in its terminal
    assert third.ask() == born
    third.end(signal.SIGKILL)
    watch.wait_until_gone(server, supervisor)
    assert not parts_status(data_dir)[0].running


async def test_a_state_file_and_a_pid_file_left_by_the_dead_are_not_believed(data_dir: Path, watch) -> None:
    await ensure_postgres(data_dir)
    folder = data_dir / "postgres"
    pid_file = (folder / "data" / "postmaster.pid").read_text()
    await stop_parts(data_dir)
    living = os.getpid()  # the number has passed to another process
    state = {"pid": living, "started_at": "2026-01-01T00:00:00+00:00", "server_pid": living, "address": "/nowhere"}
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "data" / "postmaster.pid").write_text(f"{living}\n" + pid_file.split("\n", 1)[1])

    assert not parts_status(data_dir)[0].running
    assert await stop_parts(data_dir) == []
    assert await value(await ensure_postgres(data_dir), "SELECT 1") == 1
    assert watch.server_pid() != living


async def test_a_killed_supervisor_takes_its_server_along_and_the_next_call_starts_anew(data_dir: Path, watch) -> None:
    url = await ensure_postgres(data_dir)
    await value(url, "CREATE TABLE kept (n int)")
    server, supervisor = watch.server_pid(), watch.supervisor_pid()
    os.kill(supervisor, signal.SIGKILL)
    watch.wait_until(lambda: watch.gone(supervisor), "the supervisor's death")  # its server may still be ending
    assert await ensure_postgres(data_dir) == url
    assert await value(url, "SELECT count(*) FROM kept") == 0
    assert watch.server_pid() != server


async def test_a_killed_server_is_restarted_at_its_address(data_dir: Path, watch) -> None:
    url = await ensure_postgres(data_dir)
    await value(url, "CREATE TABLE kept (n int)")
    server = watch.server_pid()
    os.kill(server, signal.SIGKILL)
    watch.wait_until(lambda: watch.restarted(server), "a restart")
    assert await value(url, "SELECT count(*) FROM kept") == 0


async def test_a_long_path_with_odd_characters_works(data_dir: Path) -> None:
    deep = data_dir / ("long name, " * 8).strip() / "ünï"
    try:
        assert await value(await ensure_postgres(deep), "SELECT 1") == 1
    finally:
        assert await stop_parts(deep) == ["postgres"]


async def test_a_deleted_folder_ends_the_server(data_dir, start_user, watch) -> None:
    assert start_user(PART, data_dir).address() != ""
    pids = watch.server_pid(), watch.supervisor_pid()
    while (data_dir / "postgres").exists():  # the server removes files of its own meanwhile
        shutil.rmtree(data_dir / "postgres", ignore_errors=True)
    watch.wait_until_gone(*pids)


async def test_a_cluster_of_another_version_is_refused_with_the_reason(data_dir: Path) -> None:
    (data_dir / "postgres" / "data").mkdir(parents=True)
    (data_dir / "postgres" / "data" / "PG_VERSION").write_text("16\n")
    with pytest.raises(DatabaseUnavailable, match="was made by PostgreSQL 16, this one is 18; move the folder away"):
        await ensure_postgres(data_dir)


async def test_a_data_folder_that_is_a_file_is_refused_with_its_setting(data_dir: Path) -> None:
    (data_dir / "file").write_text("")
    with pytest.raises(SettingInvalid, match=r"DATA_DIR: .*file"):
        await ensure_postgres(data_dir / "file")
