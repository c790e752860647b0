"""The exceptions of veilface: one family, one clear sentence each."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class VeilfaceError(Exception):
    """Base of every error that veilface raises on purpose."""


class ImageError(VeilfaceError):
    """A file is not an image that veilface reads, or an output cannot be written."""


class NoFaceError(VeilfaceError):
    """The detector found no face in the photo."""


class DoubtError(ImageError):
    """It is doubtful that a photo is what it seems, or that its face is where it was looked for.

    Whoever has looked at it may accept the doubt.
    """


class WeightsError(VeilfaceError):
    """A weight file is missing, has another hash than the registry states, or cannot be parsed."""


class UntrainedError(WeightsError):
    """A method has to be trained first; it never protects with random weights.

    Args:
        name: Of the training.
        images: The option of `veilface train` that names the images it needs.
    """

    def __init__(self, name: str, images: str = "--faces") -> None:
        command = f"veilface train {name} {images} FOLDER"
        super().__init__(f"{name} is not trained on this machine; run: {command}")


class UncalibratedError(VeilfaceError):
    """A recogniser has no thresholds, so nothing can be called a match; says how to get them."""


class UnknownNameError(VeilfaceError, ValueError):
    """A name is in no registry; the message lists the names that are."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"; did you mean '{close[0]}'?" if close else ";"
        super().__init__(f"unknown {kind} '{name}'{hint} available: {', '.join(names)}")


class ShapeError(VeilfaceError, ValueError):
    """A tensor has another shape, dtype or value range than the function states."""


class DeviceError(VeilfaceError):
    """A requested device is not there; veilface never falls back silently."""


class ProtectionError(VeilfaceError):
    """A protector returned something that is no image of a face: not finite, or constant."""


class DatasetError(VeilfaceError):
    """A data set's folder or pair file is missing or malformed."""


class AnswersError(VeilfaceError):
    """Answers to line-ups, or their key, are missing, malformed, or do not fit each other."""


class AttackError(VeilfaceError):
    """An attack cannot be done to a protector, or not judged; says why."""


class MissingExtraError(VeilfaceError):
    """A feature needs an optional package that is not installed, or does not work here."""


class NotDifferentiableError(VeilfaceError):
    """A recogniser that gives no gradient was asked for one."""


class PluginError(VeilfaceError):
    """An entry that another package adds to a registry cannot be used."""


class SecretKeyError(VeilfaceError):
    """A key file is not the owner's alone, is no key, or cannot be made or used here."""


class GalleryError(VeilfaceError):
    """A gallery cannot be opened, belongs to another recogniser, or was given what it refuses."""


class ServiceError(VeilfaceError):
    """The service cannot start, or its tokens cannot be read or made."""
