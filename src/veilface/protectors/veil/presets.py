"""The named operating points. A preset is data: every parameter can be replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from veilface.protectors.veil.diversity import Diversity
from veilface.protectors.veil.starts import LocalFeatures, Start, Stranger


@dataclass(frozen=True, slots=True)
class Modulation:
    """Multi-scale noise of the step, Eq. 5-6: λ, levels, ε, τ, and its deviation from 1."""

    wavelength: float = 28.0
    octaves: int = 4
    persistence: float = 0.5
    lacunarity: float = 2.0
    amplitude: float = 0.5


@dataclass(frozen=True, slots=True)
class Band:
    """The fine band of `band.FineBand`: ω_C and the width of its edge, in cycles per image."""

    cutoff: float
    edge: float = 0.0


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
        band: Where alone X' differs from X_0; None: everywhere.
        masking: How far ε follows what the start hides: 0 for one ε everywhere.
        step_size: α of Eq. 9, in units of [0, 1].
        momentum: μ of Eq. 9.
        modulation: The noise N' of Eq. 9; None multiplies by 1.
        diversity: Random views; None evaluates X_t itself.
        entropy: γ of Eq. 10.
        repulsion: Weight of the penalty on resembling decoys, which are draws like X_0.
        decoys: Number of decoys an image, its own X_0 included.
        fidelity: Weight of the structural similarity to X_0.
    """

    name: str
    summary: str
    start: Start
    radius: float | None
    steps: int
    band: Band | None = None
    masking: float = 0.0
    step_size: float = 0.004
    momentum: float = 0.9
    modulation: Modulation | None = Modulation()
    diversity: Diversity | None = _DIVERSITY
    entropy: float = 0.0
    repulsion: float = 0.0
    decoys: int = 4
    fidelity: float = 0.0


_PERSONA = Preset(
    name="persona",
    summary="a synthetic stranger, different for every draw",
    start=Stranger(),
    radius=16 / 255,
    steps=50,
    band=Band(cutoff=14.0),
    repulsion=1.0,
    fidelity=1.0,
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

PRESETS: Mapping[str, Preset] = MappingProxyType({p.name: p for p in (_PERSONA, _PAPER)})
