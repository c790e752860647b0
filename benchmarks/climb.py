"""One line a variant of a preset: the search along the frontier of what matches and what is seen.

    python -m benchmarks.climb --people 48 --seed 1 "band.cutoff=12" "masking=.0 radius=.1"

LFW; each black box is left out of the recognisers that look finely, thresholds at FMR 1e-3 of
clean impostors. A line tells the share of X' that matches its source and another photo of the
person (XDR), each with the mean margin above the threshold, which says more than the share of a
few people; pairs of different people's X' that match; and what stands in for viewers, the line-up
by blurred recognisers. Tune with one seed, report with another. A folder given with ``--out`` keeps
the images of every variant, named as the data set names its photos, for `veilface lineup make`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.lfw import DATA
from benchmarks.study.rows import BLACK_BOXES, changed
from veilface.core.files import write_atomic
from veilface.datasets import load_faces
from veilface.evaluation.aligned import aligned_faces
from veilface.evaluation.protocol import Selection, choose
from veilface.imaging.encode import encode
from veilface.imaging.tensors import to_uint8
from veilface.measures import lineup, onlookers, operating, visibility
from veilface.protectors.veil.presets import PRESETS, Preset
from veilface.protectors.veil.protector import VeilProtector
from veilface.recognizers.embedding import embed_faces
from veilface.recognizers.registry import SURROGATES, load_recognizer

BATCH = 8
IMPOSTORS = 1024
SOURCES = 512


class Climb:
    """What is the same for every variant.

    Args:
        people: How many are protected.
        seed: Of the choice of people, the line-ups and the protection.
        targets: The black boxes.
    """

    def __init__(self, people: int, *, seed: int, targets: Sequence[str]) -> None:
        self.seed, self.targets = seed, targets
        self.chosen: Selection = choose(load_faces("lfw", DATA / "lfw112"), people, seed=seed)
        self.faces = aligned_faces(self.chosen.probes).faces
        others = aligned_faces([one for one in self.chosen.others if one is not None]).faces
        impostors = aligned_faces(self.chosen.impostors[:IMPOSTORS]).faces
        self.networks = {name: load_recognizer(name) for name in {*SURROGATES, *targets}}
        self.known = {}
        for name in targets:
            network = self.networks[name]
            threshold = operating.clean_threshold(embed_faces(network, impostors), 1e-3)
            own, other = embed_faces(network, self.faces), embed_faces(network, others)
            self.known[name] = (threshold, own, other)
        sources = aligned_faces(self.chosen.sources[:SOURCES]).faces
        shown = visibility.attributes(sources, visibility.load_attributes())
        self.own = torch.arange(people)
        self.lineups = lineup.lineups(visibility.likeness(sources, shown), self.own, seed=seed)
        self.onlookers = onlookers.Onlookers(sources, self.lineups)

    def line(self, preset: Preset, out: Path | None) -> str:
        """One line of the table."""
        began, cells = time.perf_counter(), []
        for target in self.targets:
            images = self._protect(preset, [name for name in SURROGATES if name != target])
            if out is not None:
                self._keep(images, out / f"{preset.name} ({target})".replace("/", "_"))
            threshold, own, other = self.known[target]
            embedded = embed_faces(self.networks[target], images)
            cells.append(target)
            for photo in (own, other):
                over = (embedded * photo).sum(axis=1) - threshold
                cells.append(f"{np.mean(over > 0):.3f} ({np.mean(over):+.3f})")
            cells.append(f"{operating.false_matches_protected(embedded, threshold).value:.4f}")
            picked = onlookers.pick_rates(self.onlookers.picks(images), self.lineups, self.own)
            cells.append(f"{picked['mean'].value:.3f}")
        return " | ".join([preset.name, *cells, f"{time.perf_counter() - began:.0f} s"])

    def _protect(self, preset: Preset, surrogates: Sequence[str]) -> Tensor:
        protector = VeilProtector(preset, [self.networks[name] for name in surrogates])
        generator = torch.Generator().manual_seed(self.seed)
        parts = torch.split(self.faces, BATCH)
        return torch.cat([protector.protect(part, generator=generator).images for part in parts])

    def _keep(self, images: Tensor, folder: Path) -> None:
        for record, pixels in zip(self.chosen.probes, to_uint8(images), strict=True):
            path = folder / Path(record.name).with_suffix(".png")
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, encode(pixels, format="png"), overwrite=True)


def main() -> None:
    """Parse the command line and print the table, line by line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("variants", nargs="*", default=[""], help="as the study takes them")
    parser.add_argument("--people", type=int, default=48)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--preset", default="persona", choices=PRESETS)
    parser.add_argument("--targets", default=",".join(BLACK_BOXES))
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    climb = Climb(arguments.people, seed=arguments.seed, targets=arguments.targets.split(","))
    print("variant, then for each black box: source, XDR (margins), FMR p-p, line-up, and the time")
    for variant in arguments.variants:
        print(climb.line(changed(PRESETS[arguments.preset], variant), arguments.out), flush=True)


if __name__ == "__main__":
    main()
