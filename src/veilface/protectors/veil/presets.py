"""The named operating points. A preset is data: every parameter can be replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from veilface.protectors.veil.diversity import Diversity
from veilface.protectors.veil.filling import EYES, NOSE_AND_MOUTH, Ellipse


@dataclass(frozen=True, slots=True)
class LocalFeatures:
    """A start made from X: high-passed regions in a stochastic filling (Eq. 1-4).

    Attributes:
        regions: Kept ellipses in the template; None keeps the high-pass everywhere (no pruning).
        cutoff: ω_C of Eq. 2, cycles per image.
        gain: Factor on the high-passed signal.
        spread: κ of Eq. 4.
        softness: Edge of the regions, as a share of their radius.
    """

    regions: tuple[Ellipse, ...] = EYES
    cutoff: float = 8.0
    gain: float = 2.0
    spread: float = 1.0
    softness: float = 0.3


@dataclass(frozen=True, slots=True)
class Persona:
    """A start that is a synthetic face; X enters through the embeddings only.

    Attributes:
        sharpness: Weight of an unsharp mask on the drawn face.
        candidates: Faces drawn, of which the nearest to the embeddings of X is the start.
        model: Path of a face model; the shipped one by default. Another is needed where the
            shipped one was built from the faces that are protected.
    """

    sharpness: float = 2.0
    candidates: int = 32
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Modulation:
    """Multi-scale noise of the step, Eq. 5-6: λ, levels, ε, τ, and its deviation from 1."""

    wavelength: float = 28.0
    octaves: int = 4
    persistence: float = 0.5
    lacunarity: float = 2.0
    amplitude: float = 0.5


_DIVERSITY = Diversity()


@dataclass(frozen=True, slots=True)
class Preset:
    """All parameters of the method.

    Attributes:
        name: Name on the command line.
        summary: What a person sees, in one line.
        start: How X_0 is made.
        radius: ε, the largest change of X_0 in any channel, in units of [0, 1]; None: unbounded.
        steps: Gradient evaluations.
        step_size: α of Eq. 9, in units of [0, 1].
        momentum: μ of Eq. 9.
        modulation: The noise N' of Eq. 9; None multiplies by 1.
        diversity: Random views; None evaluates X_t itself.
        entropy: γ of Eq. 10.
        repulsion: Weight of the penalty on resembling decoys, which are draws like X_0.
        decoys: Number of decoys an image, its own X_0 included.
        dissimilarity: Weight of the HOG and of the NCC penalty.
        fidelity: Weight of the structural similarity to X_0.
        final_blur: σ in pixels of a Gaussian blur of the result; 0 for none.
    """

    name: str
    summary: str
    start: LocalFeatures | Persona
    radius: float | None
    steps: int
    step_size: float = 0.004
    momentum: float = 0.9
    modulation: Modulation | None = Modulation()
    diversity: Diversity | None = _DIVERSITY
    entropy: float = 0.0
    repulsion: float = 0.0
    decoys: int = 4
    dissimilarity: float = 0.0
    fidelity: float = 0.0
    final_blur: float = 0.0


_PERSONA = Preset(
    name="persona",
    summary="a synthetic stranger, different for every draw",
    start=Persona(),
    radius=16 / 255,
    steps=50,
    entropy=0.02,
    repulsion=1.0,
    fidelity=1.0,
)
_HIDDEN = Preset(
    name="hidden",
    summary="a caricature of strokes that comparisons of pictures miss and people may recognise",
    start=LocalFeatures(regions=EYES + NOSE_AND_MOUTH),
    radius=None,
    steps=200,
    step_size=0.003,
    entropy=0.02,
    repulsion=2.0,
    dissimilarity=1.0,
    final_blur=0.5,
)
_PAPER = Preset(
    name="paper",
    summary="the published equations as they stand, for reproduction",
    start=LocalFeatures(),
    radius=None,
    steps=100,
    step_size=0.003,
    diversity=None,
    entropy=0.1,
)

PRESETS: Mapping[str, Preset] = MappingProxyType({p.name: p for p in (_PERSONA, _HIDDEN, _PAPER)})
