"""The page on irreversibility holds what was measured, beside what was published."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.test_run import outcome
from tests.conftest import REPOSITORY
from tests.fixtures.studies import drawn_lfw
from tools.irreversibility import page
from tools.unlinkability import measured, write
from veilface.attacks.victim import Victim
from veilface.datasets import load_faces
from veilface.evaluation.attacking import make_bench
from veilface.jobs.cache import Job
from veilface.recognizers.registry import available


def test_every_figure_is_that_of_a_document() -> None:
    strong, weak = (
        outcome(ssim=0.6, matched=40, planted=0.95),
        outcome(ssim=0.4, matched=0, planted=0.5),
    )
    text = page([strong.to_dict(), weak.to_dict() | {"attack": "other"}])
    assert text.count("### 50 people of LFW") == text.count("###") == 1
    assert "|  | knows nothing | null |  |  | 0.40 [0.38, 0.42] | - |" in text
    rows = {
        line.split(" | ")[1]: line.split(" | ") for line in text.splitlines() if "| x |" in line
    }
    assert rows["`unet`"][5] == "0.60 [0.58, 0.62]"
    assert rows["`unet`"][-3] == "0.950 [0.950, 0.950]"
    assert "is the person" in rows["`unet`"][-2]
    assert "too weak" not in rows["`unet`"][-2]
    assert rows["`other`"][-3:-1] == ["0.500 [0.500, 0.500]", "too weak"]
    both = page([outcome(ssim=0.6, matched=40, planted=0.5).to_dict()])
    assert "; too weak for the rest |" in both
    assert page([]).count("###") == 0


def test_the_page_is_what_the_documents_say() -> None:
    paths = sorted((REPOSITORY / "benchmarks" / "documents").glob("*.json"))
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    written = (REPOSITORY / "docs" / "irreversibility.md").read_text(encoding="utf-8")
    assert written == page(documents)


def test_the_page_on_attacks_says_what_the_documents_say() -> None:
    """Who is recognised in what U-Nets and the inversion of embeddings recover."""
    text = (REPOSITORY / "docs" / "attacks.md").read_text(encoding="utf-8")
    folder = REPOSITORY / "benchmarks" / "documents"
    shown = 0
    for path in folder.glob("*.json"):
        document = json.loads(path.read_text(encoding="utf-8"))
        for one in document.get("details", (document,)):
            if one.get("attack") == "unet":
                wanted = ["source", "lineup_mean"]
                wanted += ["stranger"] * ("stranger" in one["measures"])
            elif one.get("attack") == "embedding" and "table3" not in path.name:
                wanted = ["source", "xdr"]
            else:
                continue
            for name in wanted:
                value, low, high = (
                    f"{one['measures'][name][end]:.2f}".removeprefix("0")
                    for end in ("value", "low", "high")
                )
                assert re.search(rf"{re.escape(value)} \[{re.escape(low)},\s+{high}\]", text), (
                    one["protector"],
                    one["dataset"],
                    name,
                )
                shown += 1
    assert shown == 2 * (8 * 2 + 1) + 2 * 3 + 3 * 2


def test_the_page_on_attacks_says_how_strong_the_attacker_was() -> None:
    """The least and the most of each planted cheat, and of the U-Net on `persona`."""
    text = (REPOSITORY / "docs" / "attacks.md").read_text(encoding="utf-8")
    threats = (REPOSITORY / "docs" / "threat-model.md").read_text(encoding="utf-8")
    folder = REPOSITORY / "benchmarks" / "documents"
    cheats: dict[str, list[float]] = {}
    linear = []
    for path in sorted(folder.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        for one in document.get("details", (document,)):
            if one.get("attack") == "unet":
                controls = one["about"]["controls"]
                cheats.setdefault(one["dataset"], []).append(controls["folded"]["value"])
                linear.append(controls["planted"]["value"])
                if one["protector"] == "persona":
                    assert _short(controls["folded"]["value"]) in threats
                    assert f"rom {one['about']['photos']:,} photos" in text.replace("\n  ", " ")
    assert f"at least {_short(min(linear))} comes back" in text
    ranges = [f"{_short(min(known))} to {_short(max(known))}" for known in cheats.values()]
    assert len(ranges) == 2
    assert all(each in text for each in ranges)


def test_the_strongest_attack_on_persona_is_told_as_measured() -> None:
    path = REPOSITORY / "benchmarks" / "documents" / "embedding-persona.json"
    measures = json.loads(path.read_text(encoding="utf-8"))["measures"]
    photo, person = (
        "{} [{}, {}]".format(*(_short(measures[name][end], 2) for end in ("value", "low", "high")))
        for name in ("source", "xdr")
    )
    threats = (REPOSITORY / "docs" / "threat-model.md").read_text(encoding="utf-8")
    assert f"painted face of 64 people with the photo in {photo}" in threats
    assert f"another photo in {person}" in threats
    assert f"matches {person} with" in (REPOSITORY / "README.md").read_text(encoding="utf-8")


def test_learning_curves_are_those_of_their_documents() -> None:
    text = (REPOSITORY / "docs" / "attacks.md").read_text(encoding="utf-8")
    rows = 0
    for path in (REPOSITORY / "benchmarks" / "documents").rglob("*.json"):
        document = json.loads(path.read_text(encoding="utf-8"))
        if "curve" not in document:
            continue
        for one in (*document["with_fewer_pairs"], document):
            about = one["about"]
            spent = f"{about['photos']:,} | {about['training']['steps']:,}"
            found = []
            for name in ("ssim", "source", "lineup_mean"):
                ends = (one["measures"][name][end] for end in ("value", "low", "high"))
                found.append("{} [{}, {}]".format(*(_short(each, 2) for each in ends)))
            cheat = _short(about["controls"]["folded"]["value"])
            steps = about.get("pair_steps")
            label = f"`{one['protector']}`" + (f", pairs of {steps} steps" if steps else "")
            row = f"| {label} | {spent} | {cheat} | {' | '.join(found)} |"
            assert f"\n{row}\n" in text, spent
            rows += 1
    assert rows == 3 + 2 + 2


def _short(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}".removeprefix("0")


def test_published_values_stand_beside_what_was_measured() -> None:
    about = {"photos": 90, "training": {"steps": 7}}
    one = outcome(ssim=0.6, matched=40, planted=0.95).to_dict() | {"about": about}
    found = page([one | {"protector": name} for name in ("duetface", "proface-blur", "blur")])
    rows = [line.split(" | ") for line in found.splitlines() if "`unet` | trainer" in line]
    assert [row[3:5] for row in rows] == [["90", "7"]] * 3
    assert [row[-1] for row in rows] == [" |", "0.63, 16.3 |", "0.79, 19.3 |"]


def test_a_table_counts_as_its_documents_and_the_most_people_count() -> None:
    many = outcome(ssim=0.6, matched=40, planted=0.95).to_dict()
    measures = {name: one | {"n": 10, "value": 0.1} for name, one in many["measures"].items()}
    few = many | {"measures": measures}
    table = {"name": "table3", "details": [few, many]}
    assert page([table]) == page([many]) == page([many, few])
    assert "10 people" in page([few])
    assert "### 10 people of LFW" in page([few, many | {"attack": "other"}])


def test_equally_many_people_are_not_decided_by_the_order() -> None:
    one = outcome(ssim=0.6, matched=40, planted=0.95).to_dict()
    assert page([one, one]) == page([one])
    with pytest.raises(
        SystemExit, match="two documents of `unet` on x with 50 people of LFW differ"
    ):
        page([one, outcome(ssim=0.5, matched=40, planted=0.95).to_dict()])


def test_what_learned_from_more_photos_has_a_row_of_its_own() -> None:
    one = outcome(ssim=0.6, matched=40, planted=0.95).to_dict()
    few, many = (one | {"about": one["about"] | {"photos": count}} for count in (80, 640))
    rows = [line.split(" | ") for line in page([many, few]).splitlines() if "| x |" in line]
    assert [row[3] for row in rows] == ["80", "640"]


def test_an_unusual_null_stands_beside_its_attacks() -> None:
    one = outcome(ssim=0.6, matched=40, planted=0.95).to_dict()
    grey = {name: each | {"value": 0.1} for name, each in one["null"].items()}
    alike = one | {"attack": "other"}
    text = page([one, alike, one | {"attack": "linear", "null": grey, "versions": 4}])
    assert "| knows nothing | null |  |  | 0.40 [0.38, 0.42] |" in text
    assert (
        "| knows nothing, beside `linear`, 4 versions on x | null |  |  | 0.10 [0.38, 0.42] |"
        in text
    )
    assert "| x | `linear`, 4 versions |" in text
    tie = page([one, one | {"attack": "linear", "null": grey}])
    assert tie.count("knows nothing |") == tie.count("knows nothing, beside `unet` on x |") == 1
    hasty = one | {"about": one["about"] | {"pair_steps": 5}}
    rows = page([one, hasty]).splitlines()
    assert sum(row.startswith("| x | `unet` |") for row in rows) == 1
    assert sum(row.startswith("| x | `unet`, pairs of 5 steps |") for row in rows) == 1


def test_what_shows_more_than_the_embedding_is_said() -> None:
    def one(attack: str, low: float, **more: object) -> dict[str, Any]:
        document = outcome(ssim=0.4, matched=40, planted=None).to_dict()
        line_up = {"value": low + 0.1, "low": low, "high": low + 0.2, "n": 50}
        measures = document["measures"] | {"lineup_mean": line_up}
        return document | {"attack": attack, "measures": measures} | more

    inverted, graft = one("embedding", 0.3), one("graft", 0.6)
    assert "shows in 0.40 [0.30, 0.50]; `graft` shows them more." in page([inverted, graft])
    assert "no attack shows them more." in page([inverted, one("graft", 0.4)])
    assert "no attack shows them more." in page([inverted, graft | {"protector": "another"}])
    assert "them more" not in page([graft])
    assert "them more" not in page([one("embedding", 0.3, verdict=["too weak to say"]), graft])
    assert "them more" not in page([each | {"protector": "clean"} for each in (inverted, graft)])


def test_linked_pairs_are_a_table() -> None:
    estimate = {"value": 0.98, "low": 0.96, "high": 1.0, "n": 64, "floor": 0.11}
    document = {
        "unlinkability": "x",
        "dataset": "LFW",
        "people": 64,
        "d_sys": {"draws": estimate, "clean": estimate | {"floor": 0.12}},
    }
    text = page([document])
    assert "| `x` | 64 of LFW | 0.98 [0.96, 1.00] | - | 0.98 [0.96, 1.00] | 0.12 |" in text
    assert "people of LFW\n" not in text
    assert "drawn pairs |" not in page([])


def test_scores_are_measured_on_a_set(tmp_path: Path) -> None:
    """A photo and itself are told from all others; of grey cards nothing is known."""
    if not available(["dlib"]):
        pytest.skip("the package with the weights of dlib is not installed")
    faces = load_faces("lfw", drawn_lfw(tmp_path / "lfw"))
    bench = make_bench(faces, cache=tmp_path / "cache", judge="dlib", limit=4)
    open_, grey = (measured(bench, Victim(Job(name), tmp_path)) for name in ("clean", "grey"))
    assert open_["d_sys"]["draws"]["value"] == 1
    assert open_["d_sys"]["photos"] == open_["d_sys"]["clean"]
    assert grey["d_sys"]["draws"]["value"] == 0
    path = write(open_, tmp_path)
    assert json.loads(path.read_text(encoding="utf-8"))["people"] == 4
