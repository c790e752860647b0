"""Make the picture of the README from the public-domain photo of an astronaut.

    python tools/picture_grid.py

Above the photo as it is and with its face replaced; below the aligned face, draws of `persona`, and
the change of the first draw on its own, stretched: what somebody with an image editor sees.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from skimage import data
from torch import Tensor

from veilface import Protector
from veilface.attacks.unmasking import unmask
from veilface.imaging.decode import Photo
from veilface.imaging.tensors import to_uint8
from veilface.protectors.registry import build_protector
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
    draws = build_protector("persona", surrogates).protect(x.expand(4, -1, -1, -1)).images
    photos = [
        ("the photo", Image.fromarray(astronaut[:360, 40:400])),
        ("persona, pasted", Image.fromarray(np.asarray(pasted)[:360, 40:400])),
    ]
    faces = [("the aligned face", picture(x[0]))]
    faces += [(f"persona, draw {k + 1}", picture(face)) for k, face in enumerate(draws)]
    faces += [("draw 1, unmasked", picture(unmask(draws[:1])[0]))]
    large = (len(faces) * (SIDE + GAP) - GAP) // 2 - GAP // 2
    width = len(faces) * (SIDE + GAP) + GAP
    sheet = Image.new("RGB", (width, large + SIDE + 3 * GAP + 2 * LABEL), "white")
    draw = ImageDraw.Draw(sheet)
    top = GAP
    for cells, side in ((photos, large), (faces, SIDE)):
        for column, (label, image) in enumerate(cells):
            left = GAP + column * (side + GAP)
            sheet.paste(image.resize((side, side), Image.Resampling.LANCZOS), (left, top + LABEL))
            draw.text((left + 2, top + 2), label, fill="black")
        top += side + LABEL + GAP
    OUT.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(OUT, optimize=True)
    print(f"written: {OUT}")


if __name__ == "__main__":
    main()
