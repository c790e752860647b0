"""`.ci/run`: it gets the tests' browser where it can, and fails for nothing but lint and tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a shell script")

_NEEDED = ("bash", "dirname", "env")


def run(folder: Path, **programs: str) -> tuple[list[str], str]:
    """Calls of the programs, which are these lines of shell, and what the script says."""
    calls = folder / "calls"
    calls.touch()
    for name in _NEEDED:
        (folder / name).symlink_to(str(shutil.which(name)))
    for name, lines in {"make": "", **programs}.items():
        program = folder / name.replace("_", "-")
        program.write_text(f'#!/bin/sh\necho "{program.name} $*" >> {calls}\n{lines}\n')
        program.chmod(0o755)
    done = subprocess.run(
        [REPOSITORY / ".ci" / "run"],
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    made = calls.read_text().splitlines()
    assert made[-2:] == ["make lint", "make test"]
    return [call for call in made[:-2] if call.startswith("apt-get")], done.stdout


def test_a_browser_that_is_there(tmp_path: Path) -> None:
    assert run(tmp_path, id="echo 0", apt_get="", google_chrome="") == ([], "")


def test_nobody_but_root_installs(tmp_path: Path) -> None:
    assert run(tmp_path, id="echo 1000", apt_get="") == ([], "")


def test_a_machine_without_apt(tmp_path: Path) -> None:
    assert run(tmp_path, id="echo 0") == ([], "")


INSTALL = "apt-get install -qq --no-install-recommends chromium"


def test_root_installs_it(tmp_path: Path) -> None:
    assert run(tmp_path, id="echo 0", apt_get="echo noise") == ([INSTALL], "")


def test_a_list_that_is_missing(tmp_path: Path) -> None:
    missing = f'[ "$1" = update ] && : > {tmp_path}/list; [ -e {tmp_path}/list ]'
    calls, said = run(tmp_path, id="echo 0", apt_get=missing)
    assert calls == [INSTALL, "apt-get update -qq", INSTALL]
    assert said == ""


def test_a_failure_is_said_and_no_more(tmp_path: Path) -> None:
    calls, said = run(tmp_path, id="echo 0", apt_get="exit 100")
    assert calls == [INSTALL, "apt-get update -qq"]
    assert said == "Chromium cannot be installed: the tests of the page are skipped.\n"
