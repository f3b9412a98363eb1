import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.server.commands import Offers, run_here
from tests.server.serving import wait_for

ROOT = Path(__file__).parents[2]


@pytest.fixture
def offers(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Offers:
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: run_here(capsys, monkeypatch, *arguments)


def test_a_taken_port_is_told_before_anything_starts(offers: Offers, tmp_path: Path) -> None:
    shutil.copy(ROOT / "langgraph.json", tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = offers("studio", "--port", str(port))
    assert ran.code == 1
    assert f"127.0.0.1:{port} can't be listened on (Address already in use)" in ran.err
    assert f"offers studio --port {port % 65535 + 1}" in ran.err
    assert "http://" not in ran.err


def test_another_folder_than_the_projects_is_told(offers: Offers, tmp_path: Path) -> None:
    ran = offers("studio")
    assert ran.code == 1
    assert f"there is no langgraph.json in {tmp_path}; run this in the project's folder" in ran.err


@pytest.mark.e2e
def test_it_says_what_to_open_answers_and_stops_with_ctrl_c(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copy(ROOT / "langgraph.json", tmp_path)
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path / "log"
    with log.open("wb") as told:
        command = [sys.executable, "-m", "server.cli", "studio", "--port", str(port)]
        process = subprocess.Popen(command, cwd=tmp_path, stdout=told, stderr=told, start_new_session=True)

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return httpx2.get(f"http://127.0.0.1:{port}/ok", trust_env=False).status_code == 200
        except httpx2.TransportError:
            return False

    try:
        wait_for(answers, every_s=0.1, seen=log.read_text)
    finally:
        os.killpg(process.pid, signal.SIGINT)  # a terminal sends Ctrl-C to the whole group
        assert process.wait(timeout=30) == 0
    text = log.read_text()
    for said in (f"https://smith.langchain.com/studio/?baseUrl=http://127.0.0.1:{port}", "nothing is issued", "Ctrl-C"):
        assert said in text
    assert "Traceback" not in text and "Queue stats" not in text
