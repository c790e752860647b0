"""Calibration on drawn embeddings: which pairs a threshold rests on, and its interval."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from veilface.datasets import FacePair, FacePairs, FaceRecord
from veilface.errors import ImageError, ShapeError
from veilface.evaluation.calibrate import (
    PhotoVectors,
    calibrate,
    embed_images,
    pair_scores,
    weak_rates,
)
from veilface.measures.intervals import cross_scores, over_pairs
from veilface.measures.roc import threshold_at_fmr
from veilface.recognizers.own.build import from_callable


def crowd(people: int = 60, *, folds: int = 3) -> tuple[FacePairs, PhotoVectors]:
    """Two images each of drawn people: every person is a genuine pair, neighbours are impostors."""
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(people, 8))
    embeddings, records, pairs = {}, {}, []
    for person, centre in enumerate(centres):
        for k in range(2):
            image = f"p{person:03d}/{k}.jpg"
            vector = centre + 0.4 * generator.normal(size=8)
            embeddings[image] = (vector / np.linalg.norm(vector)).astype(np.float32)
            records[image] = FaceRecord(image, f"p{person:03d}", b"")
        fold = person * folds // people
        pairs.append(FacePair(f"p{person:03d}/0.jpg", f"p{person:03d}/1.jpg", True, fold))
        other = (person + 1) % people
        pairs.append(FacePair(f"p{person:03d}/0.jpg", f"p{other:03d}/0.jpg", False, fold))
    return FacePairs("drawn", tuple(pairs), records), embeddings


def test_rates_with_enough_pairs_use_the_protocol_and_others_all_pairs() -> None:
    pairs, embeddings = crowd()
    found = calibrate(embeddings, pairs, rates=(0.5, 0.05, 1e-4), rounds=50)
    impostor = pair_scores(embeddings, pairs)[~pairs.same]
    assert found.impostors == {0.5: 60, 0.05: 60 * 59 // 2, 1e-4: 60 * 59 // 2}
    assert found.thresholds[0.5] == threshold_at_fmr(impostor, 0.5)
    one = np.stack([embeddings[image] for image in pairs.one_each()])
    every = (one @ one.T)[np.triu_indices(60, 1)].astype(np.float64)
    assert found.thresholds[0.05] == pytest.approx(threshold_at_fmr(every, 0.05))
    assert found.thresholds[1e-4] == pytest.approx(every.max())
    assert weak_rates(found) == {1e-4: 0}
    assert found.pairs == 120
    assert found.impostor_mean == pytest.approx(impostor.mean())
    assert 0.9 < found.accuracy <= 1


def test_intervals_hold_the_estimate_and_come_from_the_seed() -> None:
    pairs, embeddings = crowd()
    found = calibrate(embeddings, pairs, rates=(0.5, 0.05), rounds=200)
    for name, value in (
        ("0.5", found.thresholds[0.5]),
        ("0.05", found.thresholds[0.05]),
        ("best", found.best),
        ("accuracy", found.accuracy),
    ):
        low, high = found.intervals[name]
        assert low <= value <= high
    again = calibrate(embeddings, pairs, rates=(0.5, 0.05), rounds=200)
    other = calibrate(embeddings, pairs, rates=(0.5, 0.05), rounds=200, seed=1)
    assert again == found
    assert other.intervals != found.intervals
    assert other.thresholds == found.thresholds


def test_weighted_people_equal_copies_of_them() -> None:
    """A person drawn twice counts as two people, who are never paired with each other."""
    generator = np.random.default_rng(1)
    vectors = generator.normal(size=(12, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    counts = generator.integers(0, 3, 12)
    cross = cross_scores(vectors, keep=1.0)
    copies = np.repeat(np.arange(12), counts)
    first, second = np.triu_indices(copies.size, 1)
    differ = copies[first] != copies[second]
    every = (vectors @ vectors.T)[copies[first[differ]], copies[second[differ]]].astype(np.float64)
    for fmr in (0.02, 0.1, 0.3):
        assert cross.threshold(fmr, counts.astype(float)) == pytest.approx(
            threshold_at_fmr(every, fmr)
        )


def test_kept_scores_that_do_not_reach_the_rate_are_refused() -> None:
    vectors = np.eye(40, dtype=np.float32) + 0.1
    with pytest.raises(ShapeError, match=r"do not reach an FMR of 0\.9"):
        cross_scores(vectors, keep=0.1).threshold(0.9)
    with pytest.raises(ShapeError, match="1 people"):
        cross_scores(vectors[:1], keep=1.0)


def test_interval_of_a_mean_has_the_known_width() -> None:
    scores = np.random.default_rng(2).normal(size=4000)
    same = np.arange(4000) < 2000
    low, high = over_pairs(scores, same, lambda s, _: float(s.mean()), seed=0, rounds=400)
    assert high - low == pytest.approx(2 * 1.96 / 4000**0.5, rel=0.15)


def test_nameless_people_leave_only_the_pairs_of_the_protocol() -> None:
    pairs, embeddings = crowd()
    nameless = {name: replace(record, identity=None) for name, record in pairs.records.items()}
    found = calibrate(embeddings, replace(pairs, records=nameless), rates=(0.05,), rounds=20)
    assert found.impostors == {0.05: 60}


def test_pairs_without_an_embedding_are_left_out() -> None:
    pairs, embeddings = crowd()
    fewer = {name: vector for name, vector in embeddings.items() if name != "p007/0.jpg"}
    found = calibrate(fewer, pairs, rates=(0.5,), rounds=20)
    assert found.pairs == 120 - 3  # its genuine pair, its impostor pair and that of p006
    assert found.data == "drawn, 117 of them, 117 pairs"
    with pytest.raises(ShapeError, match="of no pair could both images be embedded"):
        calibrate({}, pairs)


def test_images_are_embedded_once_and_in_order(tmp_path: Path) -> None:
    records = {}
    for k, colour in enumerate([(255, 0, 0), (0, 255, 0)]):
        Image.new("RGB", (112, 112), colour).save(tmp_path / f"{k}.png")
        records[f"{k}.png"] = FaceRecord(f"{k}.png", f"person {k}", tmp_path / f"{k}.png")
    pairs = FacePairs("two", (FacePair("0.png", "1.png", False, 0),), records)
    colour_of = from_callable(lambda x: x.mean((2, 3)), name="colour", dim=3)
    told: list[tuple[int, int]] = []
    found = embed_images(colour_of, pairs, progress=lambda a, b: told.append((a, b)))
    assert torch.from_numpy(found["0.png"]).tolist() == [1, 0, 0]
    assert torch.from_numpy(found["1.png"]).tolist() == [0, 1, 0]
    assert told == [(2, 2)]
    (tmp_path / "1.png").write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"1\.png"):
        embed_images(colour_of, pairs)
    failed: list[str] = []
    assert list(embed_images(colour_of, pairs, failed=failed.append)) == ["0.png"]
    assert len(failed) == 1
    assert "1.png" in failed[0]
