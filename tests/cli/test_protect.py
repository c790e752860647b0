"""`veilface protect`: exit status, messages and files, with tiny recognisers."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.fixtures.bad_files import write_cmyk, write_turned
from tests.fixtures.photos import photo_pixels
from tests.fixtures.quick import make_quick
from veilface.cli import protect as module
from veilface.cli.main import app
from veilface.core import files
from veilface.detection.yunet import YuNet
from veilface.imaging.cover import region_of
from veilface.imaging.decode import load_photo


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    make_quick(monkeypatch)
    monkeypatch.chdir(tmp_path)
    Image.fromarray(photo_pixels(1)).save("good.png")


def protect(*arguments: str, status: int = 0, text: str | None = None) -> tuple[str, str]:
    """Run the command, check the exit status, and return stdout and stderr."""
    result = CliRunner().invoke(app, ["protect", *arguments], input=text)
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    # On a busy machine a photo takes long enough for a line about the progress.
    lines = result.stderr.splitlines(keepends=True)
    return result.stdout, "".join(line for line in lines if " done, about " not in line)


def outputs(folder: str = "out") -> set[str]:
    return {path.name for path in Path(folder).iterdir()} - {".veilface.lock"}


def test_one_photo() -> None:
    out, err = protect("good.png", "-o", "out")
    assert outputs() == {"good.veil.png"}
    assert "good.png: 1 face" in out
    assert "similarity to the source: a 0." in out
    assert "1 done; outputs in out, record in " in out
    assert err == ""
    mark = load_photo("out/good.veil.png").mark
    assert mark is not None
    assert (mark.tool, mark.preset) == ("veilface", "persona")


def test_hardly_photos_that_work() -> None:
    write_cmyk(Path("cmyk.jpg"))
    write_turned(Path("turned.jpg"))
    protect("cmyk.jpg", "turned.jpg", "-o", "out", "--paste")
    assert outputs() == {"cmyk.veil.png", "turned.veil.png"}
    with Image.open("out/turned.veil.png") as image:
        assert image.size == (260, 240)
        assert not image.getexif()


def test_folder_without_images_and_missing_inputs() -> None:
    Path("empty").mkdir()
    _, err = protect("empty", "missing.png", "*.webp", "-o", "out", status=1)
    assert err.splitlines() == [
        "failed: the folder empty contains no images",
        "failed: missing.png does not exist",
        "failed: no file matches *.webp",
    ]


def test_unwritable_output() -> None:
    Path("file").touch()
    _, err = protect("good.png", "-o", "file", status=1)
    assert err == "error: the output file is a file, not a folder\n"
    _, err = protect("good.png", "-o", "file/deep", status=1)
    assert err.startswith("error: cannot make the output folder file/deep: ")


def test_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, data: bytes) -> None:
        path.write_bytes(data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files, "_write_synced", fail)
        _, err = protect("good.png", "-o", "out", status=1)
    assert "No space left on device" in err
    assert "run the same command again to continue" in err
    assert outputs() == set()
    protect("good.png", "-o", "out")
    assert outputs() == {"good.veil.png"}


def test_existing_output_needs_overwrite() -> None:
    Path("out").mkdir()
    Path("out/good.veil.png").write_bytes(b"precious")
    _, err = protect("good.png", "-o", "out", status=1)
    assert err == "failed: out/good.veil.png exists already; --overwrite replaces it\n"
    assert Path("out/good.veil.png").read_bytes() == b"precious"
    protect("good.png", "-o", "out", "--overwrite")
    assert load_photo("out/good.veil.png").mark is not None


def test_two_inputs_with_one_stem() -> None:
    Image.open("good.png").save("good.bmp")
    protect("good.png", "good.bmp", "-o", "out")
    assert outputs() == {"good.png.veil.png", "good.bmp.veil.png"}


def test_second_run_has_nothing_to_do() -> None:
    protect("good.png", "-o", "out")
    before = Path("out/good.veil.png").stat()
    out, _ = protect("good.png", "-o", "out")
    assert "good.png: done already (good.veil.png)" in out
    assert "1 skipped" in out
    assert Path("out/good.veil.png").stat() == before


def test_json_is_one_document_and_the_text_goes_to_stderr() -> None:
    Path("text.jpg").write_bytes(b"no photo")
    out, err = protect("good.png", "text.jpg", "-o", "out", "--json", status=1)
    document = json.loads(out)
    assert document["counts"] == {"done": 1, "skipped": 0, "failed": 1, "passed_over": 0}
    assert document["preset"] == "persona"
    assert document["recognizers"] == ["a", "b", "c"]
    assert document["reproducible"] is False
    files = {entry["input"]: entry for entry in document["files"]}
    assert files["good.png"]["outputs"][0]["path"] == "good.veil.png"
    assert files["text.jpg"]["status"] == "failed"
    assert "text.jpg" in files["text.jpg"]["error"]
    assert "good.png: 1 face" in err


def test_json_of_an_error_is_a_document_too() -> None:
    out, err = protect("good.png", "-o", "out", "--preset", "personna", "--json", status=2)
    assert "did you mean 'persona'" in json.loads(out)["error"]
    assert err.startswith("error: unknown preset 'personna'")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--preset", "papper"], "did you mean 'paper'"),
        (["--device", "gpu"], "unknown device 'gpu'"),
        (["--format", "gif"], "available: jpeg, png"),
        (["--aligned", "--paste"], "use one"),
        (["--batch-size", "0"], "batch-size"),
        (["--seed", "x"], "seed"),
        (["--steps", "3"], "steps"),
    ],
)
def test_wrong_usage_is_status_2_before_any_work(arguments: list[str], word: str) -> None:
    _, err = protect("good.png", "-o", "out", *arguments, status=2)
    assert word in err
    assert not Path("out").exists()


def test_absent_cuda_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    _, err = protect("good.png", "-o", "out", "--device", "cuda", status=1)
    assert "device 'cuda' was asked for" in err


def test_seed_is_warned_about_repeats_and_is_written_nowhere() -> None:
    _, err = protect("good.png", "-o", "out", "--seed", "918273645")
    assert "reproducible and therefore weaker" in err
    protect("good.png", "-o", "two", "--seed", "918273645")
    assert Path("out/good.veil.png").read_bytes() == Path("two/good.veil.png").read_bytes()
    protect("good.png", "-o", "three", "--seed", "918273646")
    assert Path("out/good.veil.png").read_bytes() != Path("three/good.veil.png").read_bytes()
    for path in Path("out").iterdir():
        assert b"918273645" not in path.read_bytes()
    assert json.loads(Path("out.veilface.jsonl").read_text())["reproducible"] is True


def test_marked_file_is_refused_without_a_terminal_and_taken_with_again() -> None:
    protect("good.png", "-o", "out", "--paste")
    _, err = protect("out/good.veil.png", "-o", "two", status=1)
    assert "--again" in err
    protect("out/good.veil.png", "-o", "two", "--again")
    assert outputs("two") == {"good.veil.veil.png"}


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_marked_file_on_a_terminal_is_asked_about(
    monkeypatch: pytest.MonkeyPatch, answer: str, status: int
) -> None:
    protect("good.png", "-o", "out", "--paste")
    monkeypatch.setattr(module, "can_ask", lambda: True)
    _, err = protect("out/good.veil.png", "-o", "two", status=status, text=answer)
    assert "Protect it again?" in err


def test_aligned_crops() -> None:
    Image.fromarray(photo_pixels(1)[40:152, 60:172]).save("crop.png")
    protect("crop.png", "-o", "out", "--aligned")
    assert outputs() == {"crop.veil.png"}
    _, err = protect("good.png", "-o", "out", "--aligned", status=1)
    assert "good.png is 260x240; an aligned crop is 112x112" in err


def test_largest_and_jpeg() -> None:
    Image.fromarray(photo_pixels(3)).save("three.png")
    protect("three.png", "-o", "out", "--format", "jpeg")
    assert outputs() == {f"three.veil-{k}.jpg" for k in (1, 2, 3)}
    protect("three.png", "-o", "two", "--largest")
    assert outputs("two") == {"three.veil.png"}


def make_mixed_folder() -> None:
    for folder in ("in/deep", "in/locked", "in/.git", "else"):
        Path(folder).mkdir(parents=True)
    Path("good.png").rename("in/good.png")
    for name in ("in/IMG_1.DNG", "in/party.gif", "in/DSC0001", "in/deep/.hidden.png", "in/n.txt"):
        Path(name).touch()
    Path("in/linked").symlink_to(Path("else").resolve(), target_is_directory=True)


PASSED = {
    "in/.git": "a hidden folder",
    "in/linked": "a link to a folder",
    "in/IMG_1.DNG": ".DNG is no extension of the photos that are read",
    "in/party.gif": ".gif is no extension of the photos that are read",
    "in/n.txt": ".txt is no extension of the photos that are read",
    "in/DSC0001": "a file without an extension",
    "in/deep/.hidden.png": "a hidden file",
}


def test_what_is_passed_over_is_told_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    make_mixed_folder()
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)  # root may read everything
    expected = {**PASSED, "in/locked": "a folder that cannot be read: Permission denied"}
    out, err = protect("in", "-o", "out")
    told = {line for line in err.splitlines() if line.startswith("passed over: ")}
    assert told == {f"passed over: {path} ({reason})" for path, reason in expected.items()}
    assert "1 done, 8 passed over; outputs in out" in out
    document = json.loads(protect("in", "-o", "out", "--json")[0])
    assert document["counts"]["passed_over"] == 8
    assert {one["path"]: one["reason"] for one in document["passed_over"]} == expected
    out, err = protect("in", "-o", "out", "--strict", status=1)
    assert "8 failed" in out
    assert "failed: in/IMG_1.DNG is .DNG is no extension" not in err
    assert "failed: in/party.gif is passed over: .gif is no extension" in err


def test_a_folder_of_unread_formats_is_not_called_empty() -> None:
    Path("phone").mkdir()
    Path("phone/a.dng").touch()
    Path("phone/b.dng").touch()
    _, err = protect("phone", "-o", "out", status=1)
    assert "failed: the folder phone contains no images that are read, but 2 other" in err
    assert err.count("passed over: phone/") == 2
    assert not outputs()


@pytest.mark.parametrize("how", ["box", "blur", "pixelate"])
def test_cover_needs_no_recogniser_and_writes_whole_photos(
    monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr("veilface.pipeline.protector.assemble", None)
    Image.fromarray(photo_pixels(2)).save("two.png")
    out, err = protect("two.png", "-o", "out", "--cover", how)
    assert err == ""
    assert "2 faces" in out
    assert "similarity" not in out
    before, after = photo_pixels(2), np.asarray(Image.open("out/two.veil.png"))
    assert after.shape == before.shape
    for face in YuNet().detect(before):
        left, top, right, bottom = region_of(face.box, before.shape[1], before.shape[0])
        assert min(x for x, _ in face.points) > left
        assert max(y for _, y in face.points) < bottom
        region = after[top:bottom, left:right]
        if how == "blur":
            # as smooth as a ramp: what is left changes by a grey level or two from pixel to pixel
            assert np.abs(np.diff(region.astype(int), axis=1)).max() <= 3
        else:
            colours = len(np.unique(region.reshape(-1, 3), axis=0))
            assert colours == 1 if how == "box" else colours <= 36
    assert (after == before)[:, :40].all()
    mark = load_photo("out/two.veil.png").mark
    assert mark is not None
    assert mark.preset == f"cover-{how}"
    document = json.loads(protect("two.png", "-o", "out", "--cover", how, "--json")[0])
    assert document["counts"]["skipped"] == 1
    assert document["recognizers"] == []


def test_cover_refuses_what_makes_no_sense() -> None:
    _, err = protect("good.png", "-o", "out", "--cover", "fog", status=2)
    assert "available: blur, box, pixelate" in err
    protect("good.png", "-o", "out", "--cover", "box", "--aligned", status=2)
    Image.fromarray(photo_pixels(0)).save("wall.png")
    _, err = protect("wall.png", "-o", "out", "--cover", "box", status=1)
    assert "no face found in wall.png" in err
