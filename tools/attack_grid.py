"""Make the picture of the page on attacks from the public-domain photo of an astronaut.

    python -m tools.attack_grid PHOTOS

What is sent by three methods, and what attackers who train no network make of it. Photos: a folder
of aligned faces of other people, whose eigenfaces the inversion of embeddings is made of.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from PIL import Image, ImageDraw
from skimage import data
from torch import Tensor

from tools.picture_grid import GAP, LABEL, SIDE, SURROGATES, picture
from veilface.attacks.base import Setting
from veilface.attacks.registry import get_attack
from veilface.attacks.victim import Victim
from veilface.detection.yunet import YuNet
from veilface.imaging.align import align_face
from veilface.jobs.cache import Job
from veilface.training.completion import completed
from veilface.training.images import TrainingImages, load_images

OUT = Path(__file__).parents[1] / "docs" / "images" / "attacks.png"
SHOWN = (
    ("duetface", ("look", "linear")),
    ("partialface", ("look", "linear")),
    ("persona", ("look", "highpass", "portrait", "embedding")),
)


def attacked(
    face: Tensor, protector: str, attack: str, cache: Path, photos: TrainingImages
) -> Tensor:
    """(3, 112, 112) what an attack makes of a protected face (1, 3, 112, 112)."""
    job = Job(protector)
    if not job.is_transform:
        job = Job(protector, SURROGATES)
    victim = Victim(job, cache, jobs=1)
    fitted = get_attack(attack).fit(Setting(victim, cache / "networks", photos))
    return fitted.recover(victim.protect(face))[0]


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description="Make docs/images/attacks.png.")
    parser.add_argument("photos", type=Path, help="folder of aligned faces of other people")
    photos = completed(load_images(parser.parse_args().photos))
    astronaut = data.astronaut()
    (found,) = YuNet().detect(astronaut)
    face = align_face(astronaut, found.points)[None]
    cache = Path("veilface-attack") / "cache"
    cells = [("the photo", picture(face[0]))]
    for protector, attacks in SHOWN:
        for attack in attacks:
            label = protector if attack == "look" else f"{protector}: {attack}"
            cells.append((label, picture(attacked(face, protector, attack, cache, photos))))
    sheet = Image.new("RGB", (len(cells) * (SIDE + GAP) + GAP, SIDE + LABEL + 2 * GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for column, (label, image) in enumerate(cells):
        left = GAP + column * (SIDE + GAP)
        sheet.paste(image, (left, GAP + LABEL))
        draw.text((left + 2, GAP + 2), label, fill="black")
    OUT.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(OUT, optimize=True)
    print(f"written: {OUT}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
