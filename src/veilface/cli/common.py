"""What the commands share: sentences instead of tracebacks, one JSON document, plain tables."""

from __future__ import annotations

import contextlib
import json
import logging
import signal
import sys
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any, NoReturn

import typer

from veilface.errors import UnknownNameError, VeilfaceError
from veilface.text import is_safe, printable

USAGE = 2
INTERRUPTED = 130
TERMINATED = 143

_ended_by: list[int] = []  # the signal that ends this process, once it has come


def prepare_process() -> None:
    """Settings of a process that is the command.

    SIGTERM ends it like Ctrl-C, any name prints, and what is logged as a warning is seen.
    """
    signal.signal(signal.SIGTERM, _terminate)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    logging.getLogger("veilface").addHandler(_Lines(logging.WARNING))


class _Lines(logging.Handler):
    """What the package logs as lines on stderr, also while a bar is shown there."""

    def emit(self, record: logging.LogRecord) -> None:
        typer.echo(f"log: {printable(self.format(record))}", err=True)


@contextlib.contextmanager
def log_shown() -> Iterator[None]:
    """Show everything that the package logs while the block runs, not warnings alone."""
    logger, handler = logging.getLogger("veilface"), _Lines()
    level, usual = logger.level, [each for each in logger.handlers if isinstance(each, _Lines)]
    for each in usual:
        logger.removeHandler(each)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
        for each in usual:
            logger.addHandler(each)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    _ended_by.append(number)
    raise KeyboardInterrupt


def interrupted_status() -> int:
    """The exit status of a command that a signal has ended: 130 after Ctrl-C, 143 after SIGTERM."""
    return TERMINATED if _ended_by else INTERRUPTED


@contextlib.contextmanager
def sentences(*, status: int = 1, json_output: bool = False) -> Iterator[None]:
    """End the command with one sentence on stderr when veilface raises an error on purpose.

    Args:
        status: Exit status; 2 for names that are in no registry, whatever it is.
        json_output: Print a JSON document with the sentence on stdout, too.
    """
    try:
        yield
    except VeilfaceError as error:
        typer.echo(f"error: {printable(str(error))}", err=True)
        if json_output:
            print_json({"error": str(error)})
        raise typer.Exit(USAGE if isinstance(error, UnknownNameError) else status) from error
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        raise typer.Exit(interrupted_status()) from None


def print_json(document: dict[str, Any]) -> None:
    """One JSON document on stdout; what is not safe to print as JSON escapes."""
    text = json.dumps(document, indent=2, ensure_ascii=False)
    # json.dumps of one character is its escape between quotation marks.
    typer.echo("".join(c if c == "\n" or is_safe(c) else json.dumps(c)[1:-1] for c in text))


def split_names(values: Sequence[str] | None) -> list[str] | None:
    """Names from a repeated option, each of which may list several with commas.

    An ``onnx:`` name has commas of its own: such a value is one name.
    """
    if not values:
        return None
    return [
        name
        for value in values
        for name in ([value] if value.startswith("onnx:") else value.replace(",", " ").split())
    ]


def table(rows: Sequence[Sequence[str]], *, indent: str = "  ") -> str:
    """Rows as aligned columns; the first row is the heading."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return "\n".join(
        (
            indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def can_ask() -> bool:
    """Whether somebody sits in front of this command."""
    return sys.stdin.isatty() and sys.stderr.isatty()
