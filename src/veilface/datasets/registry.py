"""Names of data sets to their readers, layouts and owners."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from veilface.core.plugins import Registry
from veilface.datasets.agedb import load_agedb
from veilface.datasets.base import FacePairs, FaceSet
from veilface.datasets.celeba import load_celeba
from veilface.datasets.cfp import load_cfp_ff, load_cfp_fp
from veilface.datasets.crosslfw import load_calfw, load_cplfw
from veilface.datasets.folders import load_folders
from veilface.datasets.insightface import load_bin
from veilface.datasets.lfw import load_lfw
from veilface.errors import DatasetError, UnknownNameError


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """What is known of a data set before it is read.

    Attributes:
        read: Its reader: root to set.
        summary: One line.
        home: Where its owner distributes it.
        layout: What the root has to hold.
    """

    read: Callable[[Path], FaceSet]
    summary: str
    home: str
    layout: str


_CFP_LAYOUT = (
    "a folder with Data/Images/001/frontal/01.jpg, Protocol/Pair_list_F.txt, "
    "Protocol/Pair_list_P.txt and Protocol/Split/FF/01/same.txt"
)

DATASETS: Mapping[str, DatasetInfo] = Registry(
    {
        "lfw": DatasetInfo(
            load_lfw,
            "Labeled Faces in the Wild, 13,233 images of 5,749 people, pairs of view 2",
            "http://vis-www.cs.umass.edu/lfw/",
            "a folder with pairs.txt and Name/Name_0001.jpg",
        ),
        "celeba": DatasetInfo(
            load_celeba,
            "CelebFaces Attributes, 202,599 images of 10,177 people, no pairs",
            "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
            "a folder with identity_CelebA.txt and img_align_celeba/000001.jpg",
        ),
        "agedb": DatasetInfo(
            load_agedb,
            "AgeDB, 16,488 images of 568 people with their ages, pairs 30 years apart",
            "https://ibug.doc.ic.ac.uk/resources/agedb/",
            "a folder with 0_MariaCallas_35_f.jpg and, for pairs, agedb_30_pair.txt, "
            "or with 03_Protocol_Images and 04_FINAL_protocol_30_years.mat",
        ),
        "calfw": DatasetInfo(
            load_calfw,
            "Cross-Age LFW, 12,174 images, pairs across ages",
            "http://whdeng.cn/CALFW/index.html",
            "a folder with pairs_CALFW.txt and 'aligned images' or 'images&landmarks'",
        ),
        "cplfw": DatasetInfo(
            load_cplfw,
            "Cross-Pose LFW, 11,652 images, pairs across poses",
            "http://whdeng.cn/CPLFW/index.html",
            "a folder with pairs_CPLFW.txt and 'aligned images' or 'images'",
        ),
        "cfp-ff": DatasetInfo(
            load_cfp_ff,
            "Celebrities in Frontal-Profile, 5,000 frontal images of 500 people, frontal pairs",
            "http://www.cfpw.io/",
            _CFP_LAYOUT,
        ),
        "cfp-fp": DatasetInfo(
            load_cfp_fp,
            "Celebrities in Frontal-Profile, 7,000 images of 500 people, frontal-profile pairs",
            "http://www.cfpw.io/",
            _CFP_LAYOUT,
        ),
        "folders": DatasetInfo(
            load_folders,
            "any set with one folder a person (CASIA-WebFace, VGGFace2, BUPT), no pairs",
            "the owner of the set",
            "a folder with person/image.jpg",
        ),
        "bin": DatasetInfo(
            load_bin,
            "a pair file of InsightFace (lfw.bin, agedb_30.bin, cfp_fp.bin), nobody named",
            "https://github.com/deepinsight/insightface/tree/master/recognition/_datasets_",
            "one .bin file",
        ),
    },
    group="veilface.datasets",
    kind=DatasetInfo,
)
"""By name, with those of other packages: see docs/own_method.md."""


def load_faces(name: str, root: str | os.PathLike[str]) -> FaceSet:
    """A data set.

    Args:
        name: One of `DATASETS`.
        root: Its folder, or file for ``bin``.

    Returns:
        Its records and, where it has them, its pairs. No image is opened.

    Raises:
        UnknownNameError: There is no such data set; the message lists those that there are.
        DatasetError: The folder does not hold it; the message says what is expected there and who
            distributes it.
    """
    if name not in DATASETS:
        raise UnknownNameError("data set", name, DATASETS)
    info = DATASETS[name]
    try:
        return info.read(Path(root))
    except DatasetError as error:
        raise DatasetError(
            f"{error}; '{name}' is {info.layout} (distributed by {info.home})"
        ) from error


def load_pairs(name: str, root: str | os.PathLike[str]) -> FacePairs:
    """The pairs of a data set's verification protocol.

    Args:
        name: One of `DATASETS`.
        root: Its folder, or file for ``bin``.

    Raises:
        UnknownNameError: There is no such data set.
        DatasetError: The folder does not hold it, or the set has no protocol.
    """
    faces = load_faces(name, root)
    if faces.pairs is None:
        raise DatasetError(f"{faces.name} has no verification protocol, so there are no pairs")
    return faces.pairs
