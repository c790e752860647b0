"""Embeddings of many clean photos by several recognisers, each photo read once and kept once."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import zipfile
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from veilface.core.files import read_bytes, write_atomic
from veilface.core.template import SIDE
from veilface.datasets.base import FaceRecord
from veilface.errors import ImageError
from veilface.evaluation.aligned import Aligned, aligned_faces
from veilface.recognizers.embedding import Vectors, embed_faces
from veilface.recognizers.recognizer import Recognizer
from veilface.weights import store

_log = logging.getLogger(__name__)

_BLOCK = 256  # photos that are kept together: what a killed run loses at most
_HELD = 2**28  # bytes of encoded photos that are held for their decoding; what is above is reread
_VERSION = 1  # to be raised when faces are found or aligned otherwise


@dataclass(frozen=True, slots=True)
class PhotoTable:
    """What recognisers make of photos.

    Attributes:
        vectors: By recogniser and by name of a record its (D,) unit embedding.
        failures: By name of every other record what is wrong with it.
        faces: By name the (3, 112, 112) float32 faces in [0, 1] that were to be kept.
    """

    vectors: Mapping[str, Mapping[str, Vectors]]
    failures: Mapping[str, str]
    faces: Mapping[str, Tensor] = field(default_factory=dict, repr=False)

    def rows(self, recognizer: str, records: Sequence[FaceRecord | None]) -> Vectors:
        """(N, D) embeddings of records, NaN for None."""
        known = self.vectors[recognizer]
        blank = np.full_like(next(iter(known.values())), np.nan)
        return np.stack([blank if record is None else known[record.name] for record in records])


def embed_photos(
    recognizers: Sequence[Recognizer],
    records: Sequence[FaceRecord],
    *,
    folder: Path,
    keep: Collection[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> PhotoTable:
    """Embed the face of every photo; what an earlier call kept is not computed again.

    A photo is read once, and decoded once if its face is wanted for anything.

    Args:
        recognizers: On any device.
        records: Each once.
        folder: Where the embeddings are kept, one file a recogniser.
        keep: Names of the records whose faces are wanted, too.
        progress: Told the number of photos read and of all.

    Raises:
        ImageError: The embeddings cannot be written.
    """
    vectors: dict[str, dict[str, Vectors]] = {r.name: {} for r in recognizers}
    failures: dict[str, str] = {}
    faces: dict[str, Tensor] = {}
    wanted = frozenset(keep)
    if progress is not None:
        progress(0, len(records))
    for start in range(0, len(records), _BLOCK):
        block = records[start : start + _BLOCK]
        tables, seen = _block(recognizers, block, folder, wanted)
        for name, (found, failed) in tables.items():
            vectors[name].update(found)
            failures.update(failed)
        failures.update(seen.failures)
        faces |= {r.name: face for r, face in zip(seen.records, seen.faces, strict=True)}
        if progress is not None:
            progress(start + len(block), len(records))
    return PhotoTable(vectors, failures, faces)


_Table = tuple[Mapping[str, Vectors], Mapping[str, str]]


def _block(
    recognizers: Sequence[Recognizer],
    records: Sequence[FaceRecord],
    folder: Path,
    wanted: Collection[str],
) -> tuple[dict[str, _Table], Aligned]:
    """Vectors and failures of some photos by recogniser, and the wanted ones of their faces.

    What is on disk already is read from there.
    """
    digest, contents = _contents(records)
    files = {r.name: folder / f"{_key(r, digest)}.npz" for r in recognizers}
    kept = {name: _read(path) for name, path in files.items()}
    tables = {name: table for name, table in kept.items() if table is not None}
    fresh = [r for r in recognizers if r.name not in tables]
    _log.info(
        "embeddings of %d photos: %d of %d recognisers are in the cache",
        len(records), len(tables), len(recognizers),
    )  # fmt: skip
    needed = records if fresh else [r for r in records if r.name in wanted]
    read = aligned_faces(needed, contents=contents) if needed else _NONE
    names = [record.name for record in read.records]
    for recognizer in fresh:
        rows = embed_faces(recognizer, read.faces) if names else ()
        table = dict(zip(names, rows, strict=True)), read.failures
        _write(files[recognizer.name], *table)
        tables[recognizer.name] = table
    return tables, read.only(wanted)


_NONE = Aligned(torch.empty(0, 3, SIDE, SIDE), (), {})


def _contents(records: Sequence[FaceRecord]) -> tuple[str, dict[str, bytes]]:
    """A hash of names and encoded photos (a changed file is another photo), and those to hold."""
    digest = hashlib.sha256()
    contents: dict[str, bytes] = {}
    held = 0
    for record in records:
        data = _content(record)
        digest.update(record.name.encode() + b"\0")
        digest.update(hashlib.sha256(data).digest())
        if data and held + len(data) <= _HELD:
            contents[record.name] = data
            held += len(data)
    return digest.hexdigest(), contents


def _key(recognizer: Recognizer, photos: str) -> str:
    about = (_VERSION, recognizer.name, store.hashes(recognizer.spec), photos)
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()


def _content(record: FaceRecord) -> bytes:
    if isinstance(record.source, bytes):
        return record.source
    try:
        return read_bytes(record.source)
    except ImageError:
        return b""  # said again, and listed as a failure, when the face is read


def _write(path: Path, vectors: Mapping[str, Vectors], failures: Mapping[str, str]) -> None:
    buffer = io.BytesIO()
    np.savez(
        buffer,
        vectors=np.stack(list(vectors.values())) if vectors else np.empty((0, 0), np.float32),
        about=np.array(json.dumps({"names": list(vectors), "failures": dict(failures)})),
    )
    write_atomic(path, buffer.getvalue(), overwrite=True)


def _read(path: Path) -> _Table | None:
    try:
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            return dict(zip(about["names"], file["vectors"], strict=True)), about["failures"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None
