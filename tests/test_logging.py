"""What is logged: enough to follow a run, and nothing about the people in it."""

from __future__ import annotations

import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from tests.fixtures.people import synthetic_people
from tests.fixtures.photos import photo_pixels
from tests.fixtures.quick import make_quick, quick_protector
from veilface.cli.main import app
from veilface.core.devices import resolve_device
from veilface.evaluation.evaluator import evaluate
from veilface.jobs.engine import Engine
from veilface.pipeline.run import Options, run
from veilface.protectors.veil.presets import PRESETS

SEED = 918_273_645
WORDS = ("Jane", "Doe", "Grandmother", "secret", str(SEED), "person0", "tensor(", "array(")


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="veilface")


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two photos, one file that is none, and one that nobody looks at."""
    folder = tmp_path / "Grandmother"
    folder.mkdir()
    for number in (1, 2):
        Image.fromarray(photo_pixels(1, seed=number)).save(folder / f"Jane_Doe_{number}.png")
    (folder / "Jane_Doe_3.jpg").write_bytes(b"no photo")
    (folder / "notes.Jane").write_bytes(b"no photo")
    monkeypatch.chdir(tmp_path)
    return folder


def check(caplog: pytest.LogCaptureFixture, *, says: str) -> None:
    """``says`` was logged by veilface, no word that tells on people was, no figure."""
    ours = [record for record in caplog.records if record.name.startswith("veilface.")]
    text = "\n".join(record.getMessage() for record in ours)
    assert says in text
    assert [word for word in WORDS if word.casefold() in text.casefold()] == []
    for record in ours:
        values = record.args if isinstance(record.args, tuple) else (record.args,)
        # an embedding, a similarity or a pixel would be an array or a fraction
        assert not any(isinstance(value, float | torch.Tensor) or hasattr(value, "shape")
                       for value in values), record.getMessage()  # fmt: skip


def test_a_run_over_photos(album: Path, caplog: pytest.LogCaptureFixture) -> None:
    options = Options(seed=SEED)
    summary = run(quick_protector(), [album], Path("Jane"), options)
    assert (summary.count("done"), summary.count("failed")) == (2, 1)
    check(caplog, says="3 photos, 0 inputs without any, 1 files or folders passed over")
    assert "photo 3: done" in caplog.text
    run(quick_protector(), [album], Path("Jane"), options)
    check(caplog, says="photo 2: skipped")


def test_a_run_with_a_key(
    album: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_quick(monkeypatch)
    found = CliRunner().invoke(
        app, ["protect", str(album), "-o", "out", "--key", "secret.key", "--device", "cpu"]
    )
    assert "2 done" in found.output, found.output
    check(caplog, says="device cpu was asked for, computing on cpu")
    key = Path("secret.key").read_bytes()
    assert key.hex() not in caplog.text
    assert repr(key) not in caplog.text


def test_an_evaluation(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    people = synthetic_people(2, alone=2)
    quick = replace(PRESETS["persona"], steps=1, decoys=1)
    for says in ("0 of 4 protected faces", "4 of 4 protected faces"):
        evaluate(
            people, [quick], ["dlib"], ["sface"], cache=tmp_path / "cache", seed=SEED,
            adr=False, controls=False, ten_fold=False, jobs=1,
        )  # fmt: skip
        check(caplog, says=says)
    assert "1 of 1 recognisers are in the cache" in caplog.text


def test_memory_that_is_full(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = quick_protector(batch_size=4).engine
    protect = engine.protector.protect

    def full(batch: torch.Tensor, **options: object) -> object:
        if len(batch) > 2:
            raise MemoryError
        return protect(batch, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(engine.protector, "protect", full)
    assert isinstance(engine, Engine)
    engine.protect([torch.full((3, 112, 112), 0.5)] * 4)
    check(caplog, says="the memory of cpu is full: at most 2 faces at once now")


def test_verbose_shows_it_and_nothing_else_does(
    album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_quick(monkeypatch)
    before = list(logging.getLogger("veilface").handlers)
    arguments = ["protect", str(album), "-o", "out", "--device", "cpu"]
    quiet = CliRunner().invoke(app, arguments)
    shown = CliRunner().invoke(app, ["--verbose", *arguments])
    assert "log: " not in quiet.stderr
    assert "log: photo 2: " in shown.stderr
    assert "log: " not in shown.stdout
    assert logging.getLogger("veilface").handlers == before


def test_silent_in_a_program_that_sets_up_no_logging() -> None:
    program = "import logging, veilface; logging.getLogger('veilface.jobs').warning('full')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stderr == b""


def test_the_device_is_told(caplog: pytest.LogCaptureFixture) -> None:
    resolve_device("cpu")
    assert caplog.messages == ["device cpu was asked for, computing on cpu"]
