"""Embeddings of many clean photos by several recognisers, each photo read once and kept once."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from veilface.core.files import read_bytes, write_atomic
from veilface.datasets.base import FaceRecord
from veilface.errors import ImageError
from veilface.evaluation.aligned import aligned_faces
from veilface.recognizers.embedding import Vectors, embed_faces
from veilface.recognizers.recognizer import Recognizer
from veilface.weights import store

_BLOCK = 256  # photos that are kept together: what a killed run loses at most
_VERSION = 1  # to be raised when faces are found or aligned otherwise


@dataclass(frozen=True, slots=True)
class PhotoTable:
    """What recognisers make of photos.

    Attributes:
        vectors: By recogniser and by name of a record its (D,) unit embedding.
        failures: By name of every other record what is wrong with it.
    """

    vectors: Mapping[str, Mapping[str, Vectors]]
    failures: Mapping[str, str]

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
    progress: Callable[[int, int], None] | None = None,
) -> PhotoTable:
    """Embed the face of every photo; what an earlier call kept is not computed again.

    Args:
        recognizers: On any device.
        records: Each once.
        folder: Where the embeddings are kept, one file a recogniser.
        progress: Told the number of photos read and of all.

    Raises:
        ImageError: The embeddings cannot be written.
    """
    vectors: dict[str, dict[str, Vectors]] = {r.name: {} for r in recognizers}
    failures: dict[str, str] = {}
    if progress is not None:
        progress(0, len(records))
    for start in range(0, len(records), _BLOCK):
        block = records[start : start + _BLOCK]
        for name, (found, failed) in _block(recognizers, block, folder).items():
            vectors[name].update(found)
            failures.update(failed)
        if progress is not None:
            progress(start + len(block), len(records))
    return PhotoTable(vectors, failures)


_Table = tuple[Mapping[str, Vectors], Mapping[str, str]]


def _block(
    recognizers: Sequence[Recognizer], records: Sequence[FaceRecord], folder: Path
) -> dict[str, _Table]:
    """Vectors and failures of some photos by recogniser, from disk where they are there."""
    digest = _digest(records)
    files = {r.name: folder / f"{_key(r, digest)}.npz" for r in recognizers}
    kept = {name: _read(path) for name, path in files.items()}
    tables = {name: table for name, table in kept.items() if table is not None}
    fresh = [r for r in recognizers if r.name not in tables]
    if fresh:
        read = aligned_faces(records)
        names = [record.name for record in read.records]
        for recognizer in fresh:
            rows = embed_faces(recognizer, read.faces) if names else ()
            table = dict(zip(names, rows, strict=True)), read.failures
            _write(files[recognizer.name], *table)
            tables[recognizer.name] = table
    return tables


def _digest(records: Sequence[FaceRecord]) -> str:
    """Of names and encoded photos: a changed file is another photo."""
    digest = hashlib.sha256()
    for record in records:
        digest.update(record.name.encode() + b"\0")
        digest.update(hashlib.sha256(_content(record)).digest())
    return digest.hexdigest()


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
