"""`veilface protect --key`: one photo and one key, one output; the key shows up nowhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.fixtures.photos import photo_pixels
from tests.fixtures.quick import make_quick
from veilface.cli.main import app


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    make_quick(monkeypatch)
    monkeypatch.chdir(tmp_path)
    Image.fromarray(photo_pixels(1)).save("good.png")


def protect(*arguments: str, status: int = 0) -> tuple[str, str]:
    """Run the command, check the exit status, and return stdout and stderr."""
    result = CliRunner().invoke(app, ["protect", "good.png", *arguments])
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return result.stdout, result.stderr


def output(folder: str) -> bytes:
    return Path(folder, "good.veil.png").read_bytes()


def test_key_is_made_on_first_use_repeats_the_output_and_is_written_nowhere() -> None:
    first = protect("-o", "one", "--key", "key", "--json")
    assert Path("key").stat().st_mode & 0o777 == 0o600
    second = protect("-o", "two", "--key", "key")
    assert output("one") == output("two")
    protect("-o", "three", "--key", "other")
    assert output("three") != output("one")
    document = json.loads(first[0])
    assert (document["keyed"], document["reproducible"]) == (True, False)
    secret = Path("key").read_bytes()
    for path in Path("one").iterdir():
        content = path.read_bytes()
        assert secret not in content
        assert secret.hex().encode() not in content
    assert all(secret.hex() not in text and repr(secret) not in text for text in first + second)


def test_another_key_is_used_with_overwrite_and_the_same_run_is_skipped_without() -> None:
    protect("-o", "out", "--key", "key")
    first = output("out")
    text, _ = protect("-o", "out", "--key", "key")
    assert "1 skipped" in text
    protect("-o", "out", "--key", "other", "--overwrite")
    assert output("out") != first
    protect("-o", "out", "--key", "key", "--overwrite")
    assert output("out") == first


def test_outputs_without_a_key_do_not_count_as_done_with_one() -> None:
    protect("-o", "out")
    first = output("out")
    text, _ = protect("-o", "out", "--key", "key")
    assert "1 done" in text
    assert output("out") != first, "they are superseded"


def test_key_and_seed_are_wrong_usage_before_a_key_is_made() -> None:
    _, err = protect("-o", "out", "--key", "key", "--seed", "1", status=2)
    assert "use one" in err
    assert not Path("key").exists()
    assert not Path("out").exists()


def test_unsafe_or_wrong_key_is_one_sentence_before_any_work() -> None:
    Path("key").write_bytes(bytes(32))
    Path("key").chmod(0o644)
    _, err = protect("-o", "out", "--key", "key", status=1)
    assert err == (
        "error: other users may read or change the key key (mode 0644); "
        "make it yours alone with: chmod 600 key\n"
    )
    _, err = protect("-o", "out", "--key", "good.png", "--json", status=1)
    assert err.startswith("error: other users may read or change the key good.png")
    assert not Path("out").exists()
