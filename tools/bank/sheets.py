"""Contact sheets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from tools.bank.crops import Pixels, Portrait


def sheet(
    crops: Sequence[Pixels], columns: int, side: int, labels: Sequence[str] = ()
) -> Image.Image:
    """Crops in rows, each ``side`` pixels wide, with a label in its corner where there is one."""
    rows = -(-len(crops) // columns)
    made = Image.new("RGB", (columns * side, rows * side))
    draw = ImageDraw.Draw(made)
    for k, crop in enumerate(crops):
        place = (k % columns * side, k // columns * side)
        picture = Image.fromarray(crop)
        if side != crop.shape[0]:
            picture = picture.resize((side, side), Image.Resampling.LANCZOS)
        made.paste(picture, place)
        if labels:
            draw.text((place[0] + 2, place[1] + 1), labels[k], (255, 255, 0))
    return made


def contact_sheets(portraits: Sequence[Portrait], folder: Path, each: int = 200) -> None:
    """Sheets of ``each`` portraits with their seeds, to look at."""
    folder.mkdir(parents=True, exist_ok=True)
    for first in range(0, len(portraits), each):
        part = portraits[first : first + each]
        labels = [str(p.about["seed"]) for p in part]
        made = sheet([p.pixels for p in part], 16, 112, labels)
        made.save(folder / f"sheet_{first // each:02d}.png")
