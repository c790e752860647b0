"""Make the picture of the README from the public-domain photo of an astronaut.

    python tools/picture_grid.py

Row by row: the photo with the face replaced in it; the aligned face and what each preset makes of
it; and what averaging gives an attacker who collects draws.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from skimage import data
from torch import Tensor

from veilface import Protector
from veilface.imaging.decode import Photo
from veilface.imaging.tensors import to_uint8
from veilface.protectors.registry import build_protector
from veilface.protectors.veil.presets import PRESETS
from veilface.recognizers.registry import load_recognizer

OUT = Path(__file__).parents[1] / "docs" / "images" / "astronaut.png"
SURROGATES = ("dlib", "sface", "mobilefacenet")
SIDE, GAP, LABEL = 168, 6, 18


def picture(face: Tensor) -> Image.Image:
    """One face at the size of the grid."""
    return Image.fromarray(to_uint8(face)).resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def main() -> None:
    """Write the picture."""
    astronaut = data.astronaut()
    protector = Protector(recognizers=list(SURROGATES))
    photo = Photo(astronaut, grey=False, alpha=None)
    x = protector.prepare(photo, name="astronaut").faces[0].crop[None]
    pasted = protector.protect_image(astronaut, paste=True).pasted
    assert pasted is not None
    surrogates = [load_recognizer(name) for name in SURROGATES]
    four = build_protector("persona", surrogates).protect(x.expand(4, -1, -1, -1)).images
    hidden, paper = (
        build_protector(name, surrogates).protect(x).images[0] for name in ("hidden", "paper")
    )
    assert set(PRESETS) == {"persona", "hidden", "paper"}
    cells = [
        [
            ("the photo", Image.fromarray(astronaut[:300, 80:380])),
            ("persona, pasted", Image.fromarray(np.asarray(pasted)[:300, 80:380])),
            ("the aligned face", picture(x[0])),
            ("hidden", picture(hidden)),
            ("paper", picture(paper)),
        ],
        [(f"persona, draw {k + 1}", picture(four[k])) for k in range(4)]
        + [("mean of the 4 draws", picture(four.mean(dim=0)))],
    ]
    width, height = 5 * (SIDE + GAP) + GAP, 2 * (SIDE + GAP + LABEL) + GAP
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    for row, line in enumerate(cells):
        for column, (label, image) in enumerate(line):
            left, top = GAP + column * (SIDE + GAP), GAP + row * (SIDE + GAP + LABEL)
            sheet.paste(image.resize((SIDE, SIDE), Image.Resampling.LANCZOS), (left, top + LABEL))
            draw.text((left + 2, top + 2), label, fill="black")
    OUT.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(OUT, optimize=True)
    print(f"written: {OUT}")


if __name__ == "__main__":
    main()
