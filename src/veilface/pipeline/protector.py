"""`veilface.Protector`: photos in, protected photos out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Generator, Tensor

from veilface._version import __version__
from veilface.core.devices import resolve_device
from veilface.core.keys import keyed_generator, load_key
from veilface.core.seeds import face_generator, pixel_digest
from veilface.detection.base import FaceDetector
from veilface.detection.yunet import YuNet
from veilface.errors import SecretKeyError, UnknownNameError
from veilface.imaging.decode import Photo, load_photo
from veilface.imaging.provenance import Mark
from veilface.jobs.engine import Engine, FaceResult
from veilface.jobs.recipe import Recipe
from veilface.pipeline.compose import compose
from veilface.pipeline.ensemble import assemble
from veilface.pipeline.faces import SMALLEST, check_replaced, find_faces
from veilface.pipeline.photos import photo_of
from veilface.pipeline.prepared import Prepared
from veilface.protectors.veil.presets import PRESETS, Preset
from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.table import RECOGNIZERS
from veilface.types import ProtectedPhoto
from veilface.weights.store import hashes

Picture = Image.Image | NDArray[np.uint8]


class Protector:
    """Rewrites the faces of photos.

    Everything is loaded here, once: the recognisers (their files are checked against the known
    hashes) and the detector. Nothing is downloaded.

    Args:
        preset: ``persona``, ``paper``, or a preset with parameters of your own.
        recognizers: Names of the surrogates, or recognisers of your own on the same device; None
            for all verified ones that are present among dlib, sface, mobilefacenet and
            fr_feature.
        device: ``auto``, ``cpu`` or ``cuda``.
        batch_size: Most faces at once; lowered when the memory does not suffice.
        detector: Another face detector than YuNet.
        key: File of a secret key, made on first use, or its bytes. With it the same photo gives
            the same result, so that nothing can be averaged, and nobody without the key can repeat
            it; without it every result is another one.
        accept_doubt: Take the likeliest reading of photos that can be read in two ways (damaged
            data, a face that may be upright or turned, one that is still seen in the result)
            instead of raising `DoubtError`.

    Raises:
        UnknownNameError: A preset, recogniser or device that there is not.
        WeightsError: The weights of a recogniser are missing or damaged.
        DeviceError: ``cuda`` is asked for and not there.
        SecretKeyError: The key file cannot be used; see `veilface.core.keys.load_key`.
    """

    def __init__(
        self,
        *,
        preset: str | Preset = "persona",
        recognizers: Sequence[str | Recognizer] | None = None,
        device: str = "auto",
        batch_size: int = 8,
        detector: FaceDetector | None = None,
        key: str | os.PathLike[str] | bytes | None = None,
        accept_doubt: bool = False,
    ) -> None:
        if isinstance(preset, str):
            if preset not in PRESETS:
                raise UnknownNameError("preset", preset, PRESETS)
            preset = PRESETS[preset]
        place = resolve_device(device)
        surrogates = assemble(recognizers, place)
        self.preset = preset
        self.accept_doubt = accept_doubt
        self.engine = Engine(preset, surrogates, device=place, batch_size=batch_size)
        self._detector = detector
        self._key = None if key is None else load_key(key)

    @property
    def keyed(self) -> bool:
        """Whether the results follow from a secret key."""
        return self._key is not None

    @property
    def batch_size(self) -> int:
        """Most faces at once, as things are."""
        return self.engine.batch_size

    @property
    def device(self) -> str:
        """Where it computes."""
        return str(self.engine.device)

    @property
    def method(self) -> str:
        """Name of the preset."""
        return self.preset.name

    @property
    def recognizers(self) -> tuple[str, ...]:
        """Names of the surrogates."""
        return tuple(surrogate.name for surrogate in self.engine.surrogates)

    @property
    def mark(self) -> Mark:
        """The provenance mark of the outputs."""
        return Mark(
            tool="veilface",
            version=__version__,
            preset=self.preset.name,
            recognizers=tuple(name for name in self.recognizers if name in RECOGNIZERS),
        )

    def protect_file(
        self,
        path: str | os.PathLike[str],
        *,
        aligned: bool = False,
        largest: bool = False,
        paste: bool = False,
        seed: int | None = None,
    ) -> ProtectedPhoto:
        """Protect the faces of a photo file.

        Args:
            path: JPEG, PNG, WebP, BMP, TIFF or HEIC.
            aligned: The file is a 112x112 crop in the ArcFace template already.
            largest: Protect the largest face only. The others are not in the result, but a pasted
                photo still shows them.
            paste: Make the whole photo with its faces replaced, too.
            seed: For results that can be repeated, by everybody who has the photo and the seed:
                they are weaker. None takes the operating system's randomness.

        Raises:
            ImageError: The file is not a photo that veilface reads.
            MissingExtraError: The file is HEIC and pillow-heif is not installed.
            NoFaceError: No face was found.
            DoubtError: The photo can be read in two ways, or in the pasted photo a face is seen
                where none was replaced.
            ProtectionError: The result is no image.
            SecretKeyError: A seed is given and the protector has a key.
        """
        return self.protect_files([path], aligned=aligned, largest=largest, paste=paste, seed=seed)[
            0
        ]

    def protect_files(
        self,
        paths: Sequence[str | os.PathLike[str]],
        *,
        aligned: bool = False,
        largest: bool = False,
        paste: bool = False,
        seed: int | None = None,
    ) -> list[ProtectedPhoto]:
        """Protect several files at once, which takes less time for each; see `protect_file`.

        All results are in memory together; for folders use the command line or `pipeline.run`.
        """
        names = [os.fspath(path) for path in paths]
        prepared = [
            self.prepare(
                load_photo(name, accept_damage=self.accept_doubt),
                name=name,
                aligned=aligned,
                largest=largest,
                seed=seed,
            )
            for name in names
        ]
        return self._protect(prepared, paste=paste)

    def protect_image(
        self,
        image: Picture,
        *,
        aligned: bool = False,
        largest: bool = False,
        paste: bool = False,
        seed: int | None = None,
    ) -> ProtectedPhoto:
        """Protect the faces of a Pillow image or of (H, W, 3) uint8 RGB; see `protect_file`."""
        photo = photo_of(image)
        prepared = self.prepare(
            photo, name="the image", aligned=aligned, largest=largest, seed=seed
        )
        return self._protect([prepared], paste=paste)[0]

    def prepare(
        self,
        photo: Photo,
        *,
        name: str,
        aligned: bool = False,
        largest: bool = False,
        seed: int | None = None,
    ) -> Prepared:
        """Find the faces of a decoded photo; the first half of `protect_file`."""
        detector = None if aligned else self.detector
        found = find_faces(
            photo, name=name, detector=detector, largest=largest, accept_doubt=self.accept_doubt
        )
        return Prepared(photo, found, self._streams(photo, len(found.chosen), seed), name)

    def _streams(self, photo: Photo, count: int, seed: int | None) -> list[Generator] | None:
        """One generator a face, or None for the operating system's randomness."""
        if self._key is not None:
            if seed is not None:
                raise SecretKeyError("a key and a seed are two sources of randomness: use one")
            digest, method = pixel_digest(photo.pixels), self.recipe.for_key()
            return [
                keyed_generator(self._key, photo=digest, face=face, method=method)
                for face in range(count)
            ]
        if seed is not None:
            digest = pixel_digest(photo.pixels)
            return [face_generator(seed, digest, face) for face in range(count)]
        return None

    def protect_crops(
        self,
        crops: Sequence[Tensor],
        *,
        generators: Sequence[Generator] | None = None,
        on_progress: Callable[[float], None] | None = None,
    ) -> list[FaceResult]:
        """Protect aligned faces; see `Engine.protect`."""
        return self.engine.protect(crops, generators=generators, on_progress=on_progress)

    def finish(
        self, prepared: Prepared, results: Sequence[FaceResult], *, paste: bool = False
    ) -> ProtectedPhoto:
        """Put the faces of a photo together; the second half of `protect_file`."""
        made = compose(prepared.photo, prepared.faces, results, engine=self.engine, paste=paste)
        if made.pasted is not None and not self.accept_doubt:
            check_replaced(
                np.asarray(made.pasted.convert("RGB")),
                prepared.found,
                name=prepared.name,
                detector=self.detector,
                # A stranger looks like a face and has to be found; strokes need not be.
                visible=all(
                    self.detector.detect(np.asarray(face.image.convert("RGB")))
                    for face in made.faces
                ),
            )
        return made

    @property
    def detector(self) -> FaceDetector:
        """The face detector, loaded when it is first needed."""
        if self._detector is None:
            self._detector = YuNet(smallest=SMALLEST)
        return self._detector

    @property
    def recipe(self) -> Recipe:
        """What a result depends on beside its photo and its random draws."""
        weights = {s.name: hashes(s.spec) for s in self.engine.surrogates}
        return Recipe.of(self.preset, weights, device=self.engine.device)

    def parameters(self, *, seeded: bool = False) -> Mapping[str, Any]:
        """What a result depends on, for the manifest; no seed and no key."""
        return {
            "tool": "veilface",
            "preset": self.preset.name,
            "steps": self.preset.steps,
            "keyed": self.keyed,
            **self.recipe.for_record(repeatable=seeded or self.keyed),
        }

    def _protect(self, prepared: Sequence[Prepared], *, paste: bool) -> list[ProtectedPhoto]:
        crops = [face.crop for one in prepared for face in one.faces]
        streams = [generator for one in prepared for generator in one.generators or ()]
        results = iter(self.engine.protect(crops, generators=streams or None))
        return [
            self.finish(one, [next(results) for _ in one.faces], paste=paste) for one in prepared
        ]
