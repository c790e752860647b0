"""Data sets in miniature, in exactly the layouts and formats of their owners; nobody's photographs.

Every builder takes the folder to fill and returns it. The people are Ann, Bob and Cid.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.io
from PIL import Image


def jpeg(side: int = 112, *, shade: int = 128) -> bytes:
    """The bytes of a plain grey image."""
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), (shade, shade, shade)).save(buffer, "JPEG")
    return buffer.getvalue()


def put(path: Path, data: bytes | str) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)


LFW_PAIRS = "2\t1\nAnn\t1\t2\nAnn\t1\tBob\t1\nBob\t1\t2\nCid\t12\tBob\t2\n"


def lfw(root: Path, pairs: str = LFW_PAIRS, *, side: int = 112) -> Path:
    """Two folds of one pair of each kind; Dan is in no pair."""
    put(root / "pairs.txt", pairs)
    for name, numbers in (("Ann", (1, 2)), ("Bob", (1, 2)), ("Cid", (12,)), ("Dan", (1,))):
        for number in numbers:
            put(root / name / f"{name}_{number:04d}.jpg", jpeg(side))
    put(root / "Ann" / "index.html", "no image")
    return root


def celeba(
    root: Path, identities: str = "000001.jpg 2880\n000002.jpg 17\n000003.jpg 2880\n"
) -> Path:
    """Three of the 178x218 images; identities in ``Anno``, as in the owner's archive."""
    put(root / "Anno" / "identity_CelebA.txt", identities)
    for number in (1, 2, 3):
        put(root / "img_align_celeba" / f"{number:06d}.jpg", jpeg())
    return root


WILD_PAIRS = "1 7201/000001.jpg 7201/000002.jpg 1\n0 7201/000001.jpg 7202/000003.jpg 2\n"


def celeba_wild(root: Path, pairs: str = WILD_PAIRS) -> Path:
    """Two people in folders, two folds."""
    put(root / "pairs_celeba_wild.txt", pairs)
    for image in ("7201/000001", "7201/000002", "7202/000003"):
        put(root / f"{image}.jpg", jpeg())
    return root


def agedb(root: Path, pairs: str | None = None) -> Path:
    """Two people; pairs in a list of image, image, label where they are given."""
    for image in ("0_Ann_35_f", "1_Ann_70_f", "2_BobBrown_20_m", "10_BobBrown_64_m"):
        put(root / f"{image}.jpg", jpeg())
    if pairs is not None:
        put(root / "agedb_30_pair.txt", pairs)
    return root


AGEDB_PROTOCOL = (
    [("0_Ann_12_A_35", 35, "0_Ann_3_A_70", 70, 1), ("0_Ann_12_A_35", 35, "7_Bob_1_A_5", 5, -1)],
    [("7_Bob_1_A_5", 5, "7_Bob_2_A_44", 44, 1), ("0_Ann_3_A_70", 70, "7_Bob_2_A_44", 44, -1)],
)


def agedb_protocol(root: Path, *, compressed: bool = True) -> Path:
    """Two folds in the nesting of ``04_FINAL_protocol_30_years.mat``."""
    splits = np.empty((len(AGEDB_PROTOCOL), 1), object)
    for fold, listed in enumerate(AGEDB_PROTOCOL):
        pairs = np.empty((2, len(listed)), object)
        for column, (first, age, second, other_age, _) in enumerate(listed):
            pairs[0, column] = {"name": first, "age": float(age)}
            pairs[1, column] = {"name": second, "age": float(other_age)}
            for image in (first, second):
                put(root / "03_Protocol_Images" / f"{image}.jpg", jpeg())
        labels = np.array([[label for *_, label in listed]], np.int16)
        splits[fold, 0] = {"pairs": pairs, "annot": labels}
    scipy.io.savemat(
        root / "04_FINAL_protocol_30_years.mat", {"splits": splits}, do_compression=compressed
    )
    return root


CPLFW_PAIRS = "Ann_1.jpg 1\nAnn_2.jpg 1\nBob_J_1.jpg 1\nBob_J_3.jpg 1\n"
CPLFW_PAIRS += "Ann_1.jpg 0\nBob_J_1.jpg 0\nAnn_2.jpg 0\nBob_J_3.jpg 0\n"


def cplfw(root: Path, pairs: str = CPLFW_PAIRS, *, folder: str = "aligned images") -> Path:
    """All genuine pairs before all impostor pairs; the last image has one of the odd names."""
    put(root / "pairs_CPLFW.txt", pairs)
    for image in ("Ann_1", "Ann_2", "Bob_J_1", "Bob_J_3", "Bob_J-2"):
        put(root / folder / f"{image}.jpg", jpeg())
    return root


def calfw(root: Path) -> Path:
    """Genuine pairs labelled with the number of their fold."""
    lines = []
    for fold in range(1, 11):
        lines += [f"Ann_0001.jpg {fold}", f"Ann_0002.jpg {fold}"]
    for _ in range(10):
        lines += ["Ann_0001.jpg 0", "Bob_0001.jpg 0"]
    put(root / "pairs_CALFW.txt", "\n".join(lines) + "\n")
    for image in ("Ann_0001", "Ann_0002", "Bob_0001"):
        put(root / "images&landmarks" / "images" / f"{image}.jpg", jpeg(250))
    return root


def cfp(root: Path, *, same: str = "1,2\n", diff: str = "1,3\n") -> Path:
    """Two people with two frontal and one profile image each; two folds of each protocol."""
    frontal, profile = [], []
    for person in ("001", "002"):
        frontal += [f"{person}/frontal/01.jpg", f"{person}/frontal/02.jpg"]
        profile += [f"{person}/profile/01.jpg"]
    for image in frontal + profile:
        put(root / "Data" / "Images" / image, jpeg())
    for letter, images in (("F", frontal), ("P", profile)):
        lines = [f"{n} ../Data/Images/{image}" for n, image in enumerate(images, start=1)]
        put(root / "Protocol" / f"Pair_list_{letter}.txt", "\n".join(lines) + "\n")
    for fold in ("01", "02"):
        split = root / "Protocol" / "Split"
        put(split / "FF" / fold / "same.txt", same)
        put(split / "FF" / fold / "diff.txt", diff)
        put(split / "FP" / fold / "same.txt", "1,1\n3,2\n")
        put(split / "FP" / fold / "diff.txt", "1,2\n4,1\n")
    return root


def encoded(shade: int) -> npt.NDArray[np.uint8]:
    """An image as ``cv2.imencode`` returns it: (bytes, 1) uint8."""
    return np.frombuffer(jpeg(shade=shade), np.uint8).reshape(-1, 1).copy()
