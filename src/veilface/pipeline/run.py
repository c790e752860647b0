"""Many photos, one run, and every photo stands for itself.

What fails is reported and the rest goes on; what cannot go on (a full disk, Ctrl-C) ends the run
with everything finished so far in place, and the same command continues it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from veilface.imaging.provenance import Mark
from veilface.pipeline.books import Books, StopRunError
from veilface.pipeline.inputs import Found, collect
from veilface.pipeline.making import InProcess, Opened, Way
from veilface.pipeline.manifest import Manifest
from veilface.pipeline.options import Options, Summary
from veilface.pipeline.outputs import check_format, check_names, plan_names
from veilface.pipeline.prepared import Worker
from veilface.pipeline.progress import Reporter
from veilface.pipeline.writing import only_one, prepare_folder

_log = logging.getLogger(__name__)

__all__ = ["Options", "Summary", "refuse_again", "run", "run_by"]


def refuse_again(path: Path, mark: Mark) -> bool:
    """The answer, when nobody can be asked, to whether a protected photo is protected again."""
    return False


def run(
    protector: Worker,
    given: Sequence[str | os.PathLike[str]],
    root: Path,
    options: Options,
    *,
    manifest: Path | None = None,
    reporter: Reporter | None = None,
    again: Callable[[Path, Mark], bool] = refuse_again,
) -> Summary:
    """Protect files, folders and globs into a folder, in this process.

    Args:
        protector: Does the work.
        given: Files, folders and glob patterns.
        root: The output folder, made when it is not there. While another run writes into it, this
            one waits.
        options: How to treat the photos.
        manifest: Where the record is kept; None for beside the output folder.
        reporter: Is told about the progress.
        again: Asked whether a photo that veilface protected already is protected again.

    Raises:
        UnknownNameError: The format, or the kind of names.
        ImageError: The output folder or the manifest cannot be used.
    """
    return run_by(
        InProcess(protector),
        given,
        root,
        options,
        manifest=manifest,
        reporter=reporter,
        again=again,
    )


def run_by(
    way: Way,
    given: Sequence[str | os.PathLike[str]],
    root: Path,
    options: Options,
    *,
    manifest: Path | None = None,
    reporter: Reporter | None = None,
    again: Callable[[Path, Mark], bool] = refuse_again,
) -> Summary:
    """`run`, with the outputs made in any way."""
    check_format(options.format)
    check_names(options.names)
    prepare_folder(root)
    told = reporter or Reporter()
    with only_one(
        root,
        lambda: told.note(f"another veilface writes into {root}; waiting until it is done"),
    ):
        seeded = options.seed is not None
        books = Books(
            Manifest(root, manifest),
            options,
            parameters={**way.parameters(seeded=seeded), **options.parameters()},
            chosen=seeded or way.keyed,
            reporter=told,
            again=again,
        )
        return _work(way, books, given)


def _work(way: Way, books: Books, given: Sequence[str | os.PathLike[str]]) -> Summary:
    books.manifest.load()
    found = collect(given, output=books.manifest.root)
    interrupted, stopped = False, None
    try:
        _begin(books, found)
        photos = _photos(books, found)
        with closing(
            way.make(photos, books.options, check=books.check, moved=books.moved)
        ) as outcomes:
            for photo, outcome in outcomes:
                books.settle(photo, outcome)
    except KeyboardInterrupt:
        interrupted = True
    except StopRunError as stop:
        stopped = str(stop)
    return Summary(
        tuple(books.records), books.manifest.path, found.passed_over, interrupted, stopped
    )


def _begin(books: Books, found: Found) -> None:
    """Say what there is to do, and what of it cannot be done."""
    manifest, reporter, strict = books.manifest, books.reporter, books.options.strict
    if manifest.damaged:
        reporter.note(
            f"{manifest.damaged} lines of {manifest.path} cannot be read; outputs that carry the "
            "mark of veilface and are in no other line are made anew"
        )
    _log.info(
        "%d photos, %d inputs without any, %d files or folders passed over",
        len(found.sources), len(found.problems), len(found.passed_over),
    )  # fmt: skip
    failing = found.passed_over if strict else ()
    reporter.begin(len(found.sources) + len(found.problems) + len(failing))
    for one in found.passed_over:
        if strict:
            books.refuse(one.path, f"{one.path} is passed over: {one.reason}")
        else:
            reporter.passed_over(one)
    for problem in found.problems:
        books.refuse(problem.given, problem.sentence)


def _photos(books: Books, found: Found) -> Iterator[Opened]:
    for source, name in zip(found.sources, plan_names(found.sources), strict=True):
        photo = books.open(source, name)
        if photo is not None:
            yield photo
