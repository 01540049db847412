"""The command as an operator types it: one clear line on bad use, and the exit code scripts rely on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def madoguchi(place: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MADOGUCHI_")}
    environment |= {f"MADOGUCHI_{name}": value for name, value in settings.items()}
    command = [sys.executable, "-c", "from bot.cli import main; main()", *words]
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False, timeout=120)


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
    command = [sys.executable, "-c", "from bot.cli import main; main()", "talk"]
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as talk:
        assert talk.stdout is not None
        talk.stdout.close()
        _, said = talk.communicate("家賃が払えません\n人と話す\n", timeout=120)
    assert talk.returncode == 0
    assert "Traceback" not in said
