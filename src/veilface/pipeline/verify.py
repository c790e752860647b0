"""Do two photos show the same person, in the eyes of a recogniser?"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from veilface.core.devices import resolve_device
from veilface.errors import UncalibratedError, UnknownNameError
from veilface.imaging.provenance import read_mark
from veilface.pipeline.crops import FaceFinder, Picture
from veilface.pipeline.ensemble import choose
from veilface.recognizers.embedding import embed_faces
from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.registry import available, load_recognizer
from veilface.types import Verification

ALL = "all"
RULES = ("majority", "any", "all")
"""How several recognisers decide together; the first is the default."""


def verify(
    a: Picture,
    b: Picture,
    *,
    recognizer: str | Recognizer | None = None,
    aligned: bool = False,
    fmr: float = 1e-3,
    device: str = "auto",
) -> Verification:
    """Compare two photos with one recogniser.

    When a photo has several faces, every face of the one is compared with every face of the
    other, and the best pair counts; the result says which. A 112x112 output of veilface is taken
    as the aligned crop that it is; in any other photo a face must be found.

    Args:
        a: File, Pillow image or (H, W, 3) uint8 RGB.
        b: The same.
        recognizer: Its registry name, ``onnx:`` and the path of an ONNX file, or a recogniser of
            your own on the same device; None for the first present one of dlib, sface,
            mobilefacenet and fr_feature.
        aligned: Both are 112x112 crops in the ArcFace template.
        fmr: False match rate of the threshold, one of the registry's.
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        UnknownNameError: A recogniser or device that there is not, or an FMR without a threshold.
        ImageError: A file is not a photo that veilface reads.
        NoFaceError: A photo has no face that can be found.
        WeightsError: The weights are missing or damaged.
    """
    names: list[str | Recognizer]
    names = [recognizer] if recognizer is not None else [*choose()[:1]]
    return verify_all(a, b, recognizers=names, aligned=aligned, fmr=fmr, device=device)[0]


def verify_all(
    a: Picture,
    b: Picture,
    *,
    recognizers: Sequence[str | Recognizer] | None = None,
    aligned: bool = False,
    fmr: float = 1e-3,
    device: str = "auto",
) -> list[Verification]:
    """`verify` with several recognisers; None for every one whose weights are present."""
    place = resolve_device(device)
    loaded = [
        load_recognizer(one, device=str(place), differentiable=False)
        if isinstance(one, str)
        else one
        for one in recognizers or available()
    ]
    finder = FaceFinder(aligned=aligned)
    first, second = (
        finder.find(picture, name=name).crops for picture, name in ((a, "image A"), (b, "image B"))
    )
    return [compare(recognizer, first, second, fmr=fmr) for recognizer in loaded]


def compare(recognizer: Recognizer, first: Tensor, second: Tensor, *, fmr: float) -> Verification:
    """The best pair of two sets of aligned faces, (N, 3, 112, 112) and (M, 3, 112, 112).

    An uncalibrated recogniser gives a score and no decision.
    """
    scores = embed_faces(recognizer, first) @ embed_faces(recognizer, second).T
    best = int(scores.argmax())
    pair = divmod(best, scores.shape[1])
    score = float(scores.flat[best])
    threshold: float | None
    try:
        threshold = recognizer.spec.threshold(fmr)
    except UncalibratedError:
        threshold = None
    return Verification(
        recognizer=recognizer.name,
        score=score,
        threshold=threshold,
        fmr=fmr,
        match=None if threshold is None else score > threshold,
        faces=(first.shape[0], second.shape[0]),
        pair=(pair[0], pair[1]),
    )


def decide(results: Sequence[Verification], rule: str = RULES[0]) -> bool | None:
    """One decision of several recognisers.

    Args:
        results: What they say; who has no thresholds has no say.
        rule: ``majority`` (more than half of those that decide), ``any`` or ``all`` of them.

    Returns:
        None when nobody decides.

    Raises:
        UnknownNameError: Another rule.
    """
    if rule not in RULES:
        raise UnknownNameError("rule", rule, RULES)
    votes = [result.match for result in results if result.match is not None]
    if not votes:
        return None
    least = {"any": 1, "all": len(votes), "majority": len(votes) // 2 + 1}[rule]
    return sum(votes) >= least


def surrogates_of(*pictures: Picture) -> frozenset[str] | None:
    """The recognisers that files were made against, as their marks say; None when none says so."""
    files = [Path(p) for p in pictures if isinstance(p, str | os.PathLike)]
    named = [mark.recognizers for path in files if (mark := read_mark(path)) is not None]
    known = [names for names in named if names]
    return frozenset(name for names in known for name in names) if known else None
