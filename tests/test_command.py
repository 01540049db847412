"""The command as an operator types it: one clear line on bad use, and the exit code scripts rely on."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.kept import kept

_PATIENCE = 120
"""Seconds that a start or an end may take on a machine with other work."""


_COMMAND = [sys.executable, "-c", "from bot.cli import main; main()"]


def madoguchi(place: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MADOGUCHI_")}
    environment |= {f"MADOGUCHI_{name}": value for name, value in settings.items()}
    command = [*_COMMAND, *words]
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False, timeout=_PATIENCE)


def with_built_knowledge(place: Path) -> None:
    """So that a start there need not build the sample town again."""
    kept("sample-town").mkdir(parents=True, exist_ok=True)
    (place / "var").mkdir()
    (place / "var" / "kept").symlink_to(kept("sample-town"))


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    except httpx.HTTPError:
        return False


def test_doctor_says_that_nobody_can_answer_yet_and_how_to_mend_it(tmp_path: Path) -> None:
    done = madoguchi(tmp_path, "doctor")
    assert done.returncode == 1
    assert "× 相談員がまだいません → madoguchi serve" in done.stdout


@pytest.mark.requirement("R43")
def test_verify_finds_the_chain_of_a_fresh_town_whole(tmp_path: Path) -> None:
    assert madoguchi(tmp_path, "staff", "add", "coordinator").returncode == 0
    done = madoguchi(tmp_path, "verify")
    assert (done.returncode, "つながっています" in done.stdout) == (0, True)


def test_a_wrong_setting_is_named_in_one_line_and_exits_with_2(tmp_path: Path) -> None:
    done = madoguchi(tmp_path, "due", "--dry-run", SETTLE_SECONDS="99")
    assert done.returncode == 2
    assert done.stderr.strip().startswith("設定が正しくありません: MADOGUCHI_SETTLE_SECONDS")
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.requirement("R51")
def test_production_refuses_to_start_and_says_what_is_missing(tmp_path: Path) -> None:
    done = madoguchi(tmp_path, "serve", PROFILE="production")
    assert done.returncode == 1
    assert "MADOGUCHI_BASE_URL" in done.stderr
    assert "MADOGUCHI_MASTER_KEY_FILE" in done.stderr
    assert not (tmp_path / "var").exists()


def test_a_talk_that_nobody_reads_any_more_ends_without_an_error(tmp_path: Path) -> None:
    with_built_knowledge(tmp_path)
    pipe = subprocess.PIPE
    with subprocess.Popen([*_COMMAND, "talk"], cwd=tmp_path, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as talk:
        assert talk.stdout is not None
        talk.stdout.close()
        _, said = talk.communicate("家賃が払えません\n人と話す\n", timeout=_PATIENCE)
    assert talk.returncode == 0
    assert "Traceback" not in said


def test_a_stop_as_systemd_sends_it_closes_the_database_and_counts_as_a_good_end(tmp_path: Path) -> None:
    with_built_knowledge(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen([*_COMMAND, "serve"], cwd=tmp_path, env=os.environ | {"MADOGUCHI_PORT": str(port)}, stdout=subprocess.DEVNULL) as serving:
        ends = time.monotonic() + _PATIENCE
        while not answers(port) and serving.poll() is None and time.monotonic() < ends:
            time.sleep(0.1)
        assert answers(port)
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(_PATIENCE) == 0
    assert (tmp_path / "var" / "madoguchi.db").stat().st_size > 0
    assert not (tmp_path / "var" / "madoguchi.db-wal").exists(), "what was written stands in the database, and nothing beside it"
