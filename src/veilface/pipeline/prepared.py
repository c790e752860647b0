"""What a run asks of whatever works on its photos, and a photo on its way through."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Generator, Tensor

from veilface.imaging.decode import Photo
from veilface.imaging.provenance import Mark
from veilface.jobs.engine import FaceResult
from veilface.pipeline.faces import Face, Faces
from veilface.types import ProtectedPhoto


@dataclass(frozen=True, slots=True)
class Prepared:
    """A photo whose faces are found and wait for their protection.

    Attributes:
        photo: The source.
        found: What is in it.
        generators: One a face under a key or a seed of the caller, else None.
        name: What error messages call it.
    """

    photo: Photo
    found: Faces
    generators: Sequence[Generator] | None
    name: str

    @property
    def faces(self) -> Sequence[Face]:
        """The faces to work on, at least one, largest first."""
        return self.found.chosen


class Worker(Protocol):
    """`Protector`, or `Coverer`."""

    @property
    def method(self) -> str:
        """Its name in marks and records."""
        ...

    @property
    def recognizers(self) -> Sequence[str]:
        """Names of the surrogates."""
        ...

    @property
    def device(self) -> str:
        """Where it computes."""
        ...

    @property
    def batch_size(self) -> int:
        """How many faces are worth waiting for."""
        ...

    @property
    def keyed(self) -> bool:
        """Whether the results follow from a secret key."""
        ...

    @property
    def mark(self) -> Mark:
        """The provenance mark of the outputs."""
        ...

    @property
    def accept_doubt(self) -> bool:
        """Whether damaged or contradictory photos are taken for what they seem to be."""
        ...

    def parameters(self, *, seeded: bool = False) -> Mapping[str, Any]:
        """What a result depends on, for the manifest; no seed and no key.

        Args:
            seeded: Whether the caller chooses the seed.
        """
        ...

    def prepare(
        self,
        photo: Photo,
        *,
        name: str,
        aligned: bool = False,
        largest: bool = False,
        seed: int | None = None,
    ) -> Prepared:
        """Find the faces of a photo."""
        ...

    def protect_crops(
        self,
        crops: Sequence[Tensor],
        *,
        generators: Sequence[Generator] | None = None,
        on_progress: Callable[[float], None] | None = None,
    ) -> list[FaceResult]:
        """Work on (3, 112, 112) faces."""
        ...

    def finish(
        self, prepared: Prepared, results: Sequence[FaceResult], *, paste: bool = False
    ) -> ProtectedPhoto:
        """Put the faces of a photo together."""
        ...
