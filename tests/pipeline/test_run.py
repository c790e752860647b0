"""Runs over many photos: each stands for itself, and nothing is lost."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.fixtures.photos import photo_pixels
from tests.fixtures.quick import quick_protector
from veilface.core import files
from veilface.errors import ImageError
from veilface.imaging.decode import load_photo
from veilface.imaging.provenance import Mark
from veilface.jobs import recipe
from veilface.jobs.recipe import FORMER
from veilface.pipeline.manifest import Manifest, Record
from veilface.pipeline.progress import Reporter
from veilface.pipeline.protector import Protector
from veilface.pipeline.run import Options, Summary, run
from veilface.pipeline.writing import LOCK


@pytest.fixture(scope="module")
def protector() -> Protector:
    return quick_protector(batch_size=2)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """wall.png has no face, broken.jpg is none, the others have as many faces as they say."""
    root = tmp_path_factory.mktemp("photos")
    for faces in (1, 2, 3):
        Image.fromarray(photo_pixels(faces, seed=faces)).save(root / f"faces{faces}.png")
    Image.fromarray(photo_pixels(0)).save(root / "wall.png")
    (root / "broken.jpg").write_bytes(b"no photo")
    return root


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photos: Path) -> None:
    shutil.copytree(photos, tmp_path / "in")
    monkeypatch.chdir(tmp_path)


OUT = Path("out")
RECORD = Path("out.veilface.jsonl")


def written() -> set[str]:
    return {path.relative_to(OUT).as_posix() for path in OUT.rglob("*") if path.is_file()} - {LOCK}


def lines() -> list[dict[str, Any]]:
    return [json.loads(line) for line in RECORD.read_text().splitlines()]


def status(summary: Summary) -> dict[str, str]:
    return {Path(record.input).name: record.status for record in summary.records}


ALL = {
    "faces1.veil.png",
    "faces2.veil-1.png",
    "faces2.veil-2.png",
    "faces3.veil-1.png",
    "faces3.veil-2.png",
    "faces3.veil-3.png",
}


def test_good_photos_are_written_and_bad_ones_reported(protector: Protector) -> None:
    summary = run(protector, ["in"], OUT, Options())
    assert written() == ALL
    assert status(summary) == {
        "broken.jpg": "failed",
        "wall.png": "failed",
        "faces1.png": "done",
        "faces2.png": "done",
        "faces3.png": "done",
    }
    assert not summary.ok
    errors = {Path(r.input).name: r.error for r in summary.records if r.error}
    assert errors["wall.png"] == "no face found in in/wall.png"
    assert "in/broken.jpg" in str(errors["broken.jpg"])
    for name in ALL:
        photo = load_photo(OUT / name)
        assert photo.pixels.shape == (112, 112, 3)
        assert photo.mark == protector.mark


def test_manifest_says_what_was_made_and_never_the_seed(protector: Protector) -> None:
    run(protector, ["in/faces2.png"], OUT, Options(seed=918273645))
    (line,) = lines()
    assert line["input"] == "in/faces2.png"
    assert line["status"] == "done"
    assert line["reproducible"] is True
    assert len(line["sha256"]) == 64
    assert line["parameters"]["preset"] == "persona"
    assert set(line["parameters"]["surrogates"]) == {"a", "b", "c"}
    assert [output["path"] for output in line["outputs"]] == [
        "faces2.veil-1.png",
        "faces2.veil-2.png",
    ]
    for output in line["outputs"]:
        (face,) = output["faces"]
        assert len(face["box"]) == 4
        assert len(face["landmarks"]) == 5
        assert set(face["similarity"]) == {"a", "b", "c"}
    assert "918273645" not in RECORD.read_text()
    for path in OUT.iterdir():
        assert b"918273645" not in path.read_bytes()


def test_second_run_skips_what_is_done_and_tries_failures_again(protector: Protector) -> None:
    run(protector, ["in"], OUT, Options())
    before = {name: (OUT / name).read_bytes() for name in ALL}
    again = run(protector, ["in"], OUT, Options())
    assert set(status(again).values()) == {"skipped", "failed"}
    assert again.count("skipped") == 3
    assert {name: (OUT / name).read_bytes() for name in ALL} == before
    (OUT / "faces1.veil.png").unlink()
    assert run(protector, ["in/faces1.png"], OUT, Options()).ok
    assert written() == ALL


def test_changed_photo_or_parameters_supersede_the_output_of_this_photo(
    protector: Protector,
) -> None:
    """A nightly rerun after an edit, with other recognisers or a new version."""
    run(protector, ["in/faces1.png"], OUT, Options())
    first = (OUT / "faces1.veil.png").read_bytes()
    assert run(protector, ["in/faces1.png"], OUT, Options(paste=True)).count("done") == 1
    pasted = (OUT / "faces1.veil.png").read_bytes()
    assert pasted != first
    # what stands there now is not the crop, so that the crop is not done
    assert run(protector, ["in/faces1.png"], OUT, Options()).count("done") == 1
    shutil.copy("in/faces3.png", "in/faces1.png")
    assert run(protector, ["in/faces1.png"], OUT, Options(largest=True)).count("done") == 1
    assert run(protector, ["in/faces1.png"], OUT, Options(largest=True)).count("skipped") == 1


def test_what_the_manifest_knows_from_another_photo_or_the_owner_replaced_stays(
    protector: Protector,
) -> None:
    run(protector, ["in/faces1.png"], OUT, Options())
    Path("elsewhere").mkdir()
    shutil.copy("in/faces2.png", "elsewhere/faces1.png")
    other = run(protector, ["elsewhere/faces1.png"], OUT, Options(largest=True))
    assert other.records[0].error == "out/faces1.veil.png exists already; --overwrite replaces it"
    (OUT / "faces1.veil.png").write_bytes(b"precious")
    edited = run(protector, ["in/faces1.png"], OUT, Options(paste=True))
    assert edited.count("failed") == 1
    assert (OUT / "faces1.veil.png").read_bytes() == b"precious"


def test_foreign_file_in_the_way_is_kept(protector: Protector) -> None:
    OUT.mkdir()
    (OUT / "faces2.veil-2.png").write_bytes(b"precious")
    summary = run(protector, ["in/faces2.png", "in/faces1.png"], OUT, Options())
    assert status(summary) == {"faces2.png": "failed", "faces1.png": "done"}
    assert written() == {"faces2.veil-2.png", "faces1.veil.png"}
    assert (OUT / "faces2.veil-2.png").read_bytes() == b"precious"


def test_seeded_results_do_not_depend_on_order_or_on_what_is_done(protector: Protector) -> None:
    run(protector, ["in"], OUT, Options(seed=3))
    for given in (["in/faces3.png", "in/faces1.png"], ["in/faces2.png", "in"]):
        run(protector, given, Path("other"), Options(seed=3))
    for name in ALL:
        assert (OUT / name).read_bytes() == (Path("other") / name).read_bytes()


def test_paste_writes_one_whole_photo_and_folders_are_mirrored(protector: Protector) -> None:
    Path("in/deep/er").mkdir(parents=True)
    shutil.move("in/faces3.png", "in/deep/er/faces3.png")
    run(protector, ["in"], OUT, Options(paste=True, format="jpeg"))
    assert written() == {"faces1.veil.jpg", "faces2.veil.jpg", "deep/er/faces3.veil.jpg"}
    with Image.open(OUT / "deep/er/faces3.veil.jpg") as image:
        assert image.size == (700, 240)
    assert len(lines()[-1]["outputs"][0]["faces"]) in (2, 3)


def test_two_inputs_with_one_stem_both_come_out(protector: Protector) -> None:
    Image.open("in/faces1.png").save("in/faces1.bmp")
    assert run(protector, ["in/faces1.png", "in/faces1.bmp"], OUT, Options()).ok
    assert written() == {"faces1.png.veil.png", "faces1.bmp.veil.png"}


def test_outputs_inside_the_input_folder_are_no_inputs(protector: Protector) -> None:
    for path in ("in/wall.png", "in/broken.jpg"):
        Path(path).unlink()
    assert run(protector, ["in"], Path("in/out"), Options()).ok
    assert run(protector, ["in"], Path("in"), Options()).count("done") == 3
    second = run(protector, ["in"], Path("in"), Options())
    # in/out is another folder inside of this input folder now; its files carry marks
    assert second.count("skipped") == 3


def test_own_output_is_protected_again_only_when_somebody_says_so(protector: Protector) -> None:
    run(protector, ["in/faces1.png"], OUT, Options(paste=True))
    marked = "out/faces1.veil.png"
    refused = run(protector, [marked], Path("two"), Options())
    assert "made by veilface already (preset persona)" in str(refused.records[0].error)
    assert "--again" in str(refused.records[0].error)
    asked: list[Path] = []

    def yes(path: Path, mark: Mark) -> bool:
        asked.append(path)
        return mark.preset == "persona"

    assert run(protector, [marked], Path("two"), Options(), again=yes).ok
    assert asked == [Path(marked)]


def test_transparency_and_jpeg_do_not_go_together(protector: Protector) -> None:
    Image.open("in/faces1.png").convert("RGBA").save("in/opaque.png")
    picture = Image.open("in/faces1.png").convert("RGBA")
    picture.putpixel((0, 0), (1, 2, 3, 0))
    picture.save("in/clear.png")
    summary = run(
        protector, ["in/opaque.png", "in/clear.png"], OUT, Options(paste=True, format="jpeg")
    )
    assert status(summary) == {"opaque.png": "done", "clear.png": "failed"}
    assert "use --format png" in str(summary.records[0].error)


def test_progress_rises_to_the_number_of_inputs(protector: Protector) -> None:
    class Listener(Reporter):
        total = 0
        seen: list[float] = []  # noqa: RUF012 - one listener
        names: list[str] = []  # noqa: RUF012

        def begin(self, total: int) -> None:
            self.total = total

        def moved(self, done: float) -> None:
            self.seen.append(done)

        def finished(self, record: Record) -> None:
            self.names.append(record.name)

    listener = Listener()
    run(protector, ["in", "missing"], OUT, Options(), reporter=listener)
    assert listener.total == 6
    assert listener.seen[-1] == 6
    assert listener.seen == pytest.approx(sorted(listener.seen))
    # steps inside of a photo are seen, too
    assert any(value != int(value) for value in listener.seen)
    assert len(listener.names) == 6


# What ends a run: the disk, Ctrl-C.


def break_write(monkeypatch: pytest.MonkeyPatch, *, after: int, error: BaseException) -> None:
    """Let image writing fail after so many files."""
    real: Callable[[Path, bytes], None] = files._write_synced
    count = 0

    def write(path: Path, data: bytes) -> None:
        nonlocal count
        count += 1
        if count > after:
            path.write_bytes(data[:100])
            raise error
        real(path, data)

    monkeypatch.setattr(files, "_write_synced", write)


def test_full_disk_ends_the_run_and_a_second_one_completes_it(
    protector: Protector, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as patch:
        break_write(patch, after=2, error=full)
        summary = run(protector, ["in"], OUT, Options())
    assert summary.stopped is not None
    assert "No space left on device" in summary.stopped
    assert not summary.ok
    # the first photo is whole; of the second none of its files stays, not even a temporary one
    assert written() == {"faces1.veil.png"}
    assert status(run(protector, ["in"], OUT, Options()))["faces1.png"] == "skipped"
    assert written() == ALL


def test_full_disk_at_the_manifest_leaves_nothing_in_the_way(
    protector: Protector, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Manifest, record: Record) -> None:
        with self.path.open("ab") as file:
            file.write(b'{"input": "torn')
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Manifest, "append", fail)
        summary = run(protector, ["in/faces1.png"], OUT, Options())
    assert "out.veilface.jsonl: No space left" in str(summary.stopped)
    assert written() == set()
    assert run(protector, ["in/faces1.png"], OUT, Options()).ok


def test_one_unwritable_place_does_not_end_the_run(
    protector: Protector, monkeypatch: pytest.MonkeyPatch
) -> None:
    (OUT / "deep").mkdir(parents=True)
    (OUT / "deep" / "er").write_text("a file where a folder should be")
    Path("in/deep/er").mkdir(parents=True)
    shutil.copy("in/faces1.png", "in/deep/er/x.png")
    summary = run(protector, ["in"], OUT, Options())
    assert status(summary)["x.png"] == "failed"
    assert summary.count("done") == 3
    assert summary.stopped is None


@pytest.mark.parametrize("after", [0, 2])
def test_interrupt_while_writing_leaves_whole_photos_only(
    protector: Protector, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    with monkeypatch.context() as patch:
        break_write(patch, after=after, error=KeyboardInterrupt())
        summary = run(protector, ["in"], OUT, Options())
    assert summary.interrupted
    assert written() == ({"faces1.veil.png"} if after else set())
    run(protector, ["in"], OUT, Options())
    assert written() == ALL


def test_output_that_is_a_file_or_cannot_be_made() -> None:
    protector = quick_protector()
    Path("file").touch()
    with pytest.raises(ImageError, match="the output file is a file, not a folder"):
        run(protector, ["in"], Path("file"), Options())
    with pytest.raises(ImageError, match="cannot make the output folder file/deep"):
        run(protector, ["in"], Path("file/deep"), Options())


def test_interrupt_after_the_line_keeps_the_photo(
    protector: Protector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A photo whose line is written is done, and its files stay."""
    append = Manifest.append

    def interrupted(self: Manifest, record: Record) -> None:
        append(self, record)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Manifest, "append", interrupted)
        assert run(protector, ["in/faces1.png"], OUT, Options()).interrupted
    assert written() == {"faces1.veil.png"}
    assert run(protector, ["in/faces1.png"], OUT, Options()).count("skipped") == 1


# The manifest, when it is not what it should be.


def test_garbage_in_the_manifest_does_not_put_a_photo_in_its_own_way(protector: Protector) -> None:
    run(protector, ["in/faces1.png", "in/faces2.png"], OUT, Options())
    first, second = RECORD.read_bytes().splitlines()
    RECORD.write_bytes(first[: len(first) // 2] + b"\xff\n" + second + b"\n")
    notes: list[str] = []

    class Listener(Reporter):
        def note(self, sentence: str) -> None:
            notes.append(sentence)

    again = run(protector, ["in"], OUT, Options(), reporter=Listener())
    assert status(again)["faces1.png"] == "done"
    assert status(again)["faces2.png"] == "skipped"
    assert len(notes) == 1
    assert notes[0].startswith("1 lines of out.veilface.jsonl cannot be read")
    # what does not carry the mark is somebody's own, whatever the manifest looks like
    (OUT / "faces3.veil-1.png").unlink()
    (OUT / "faces3.veil-1.png").write_bytes(b"precious")
    RECORD.write_bytes(b"garbage\n")
    assert status(run(protector, ["in/faces3.png"], OUT, Options()))["faces3.png"] == "failed"
    assert (OUT / "faces3.veil-1.png").read_bytes() == b"precious"


@pytest.mark.parametrize(
    "line",
    [
        b'{"input": [], "name": {}, "status": "done", "sha256": ["x"], "parameters": 3, '
        b'"reproducible": 1, "outputs": []}',
        b'{"outputs": null}',
        b'{"outputs": [{"path": 3}]}',
        b"[" * 100_000,
        b'"\xff\xfe"',
    ],
)
def test_hostile_lines_are_counted_and_nothing_else(protector: Protector, line: bytes) -> None:
    RECORD.write_bytes(line + b"\n")
    assert run(protector, ["in/faces1.png"], OUT, Options()).ok
    manifest = Manifest(OUT)
    manifest.load()
    assert manifest.damaged == 1


def test_manifest_that_cannot_be_used_is_a_sentence_before_any_work(protector: Protector) -> None:
    RECORD.mkdir()
    with pytest.raises(ImageError, match=r"cannot use the manifest out\.veilface\.jsonl: Is a dir"):
        run(protector, ["in/faces1.png"], OUT, Options())
    with pytest.raises(ImageError, match="--manifest names another"):
        run(protector, ["in/faces1.png"], OUT, Options(), manifest=Path("no/such/folder.jsonl"))
    assert written() == set()


def test_other_recognisers_or_another_version_supersede(
    protector: Protector, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(protector, ["in/faces1.png"], OUT, Options())
    monkeypatch.setattr("veilface.jobs.recipe.__version__", "99.0")
    assert run(protector, ["in/faces1.png"], OUT, Options()).count("done") == 1
    assert run(protector, ["in/faces1.png"], OUT, Options()).count("skipped") == 1


def test_another_radius_under_the_same_name_is_not_done(protector: Protector) -> None:
    run(protector, ["in/faces1.png"], OUT, Options())
    assert isinstance(protector.preset.radius, float)
    mine = replace(protector.preset, radius=protector.preset.radius / 2)
    surrogates = protector.engine.surrogates
    other = Protector(preset=mine, recognizers=surrogates, device="cpu", batch_size=2)
    assert run(other, ["in/faces1.png"], OUT, Options()).count("done") == 1
    assert run(other, ["in/faces1.png"], OUT, Options()).count("skipped") == 1


def test_line_of_a_former_version_stands_for_the_shipped_preset(
    protector: Protector, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(protector, ["in/faces1.png"], OUT, Options(seed=1))
    (line,) = lines()
    assert line["parameters"]["device"] == "cpu"
    for name in FORMER:
        del line["parameters"][name]
    RECORD.write_text(json.dumps(line) + "\n")
    with monkeypatch.context() as patch:
        patch.setattr(recipe, "PRESETS", {"persona": protector.preset})
        assert run(protector, ["in/faces1.png"], OUT, Options(seed=1)).count("skipped") == 1
    again = run(protector, ["in/faces1.png"], OUT, Options(seed=1))
    assert again.count("done") == 1, "the preset of two steps is not the one that ships"
