"""Protect the portrait of an astronaut and ask every recogniser whether it still matches.

The photo is `skimage.data.astronaut()`, Eileen Collins by NASA, in the public domain. Run it with
`make demo`; the pictures are written to out/demo.
"""

from __future__ import annotations

import time
from pathlib import Path

from skimage import data

import veilface
from veilface.imaging.decode import load_photo
from veilface.imaging.encode import encode, write_atomic
from veilface.imaging.tensors import to_tensor
from veilface.measures.metrics import psnr, ssim
from veilface.pipeline.ensemble import coverage_note

OUT = Path("out/demo")


def main() -> None:
    """Write the pictures and print the table."""
    OUT.mkdir(parents=True, exist_ok=True)
    source, face, whole = (
        OUT / name for name in ("astronaut.png", "astronaut.veil.png", "astronaut.pasted.png")
    )
    write_atomic(source, encode(data.astronaut(), format="png"), overwrite=True)

    began = time.perf_counter()
    protector = veilface.Protector()
    loaded = time.perf_counter()
    print(f"preset {protector.preset.name}, recognisers {', '.join(protector.recognizers)}")
    result = protector.protect_file(source, paste=True)
    done = time.perf_counter()

    protected = result.faces[0]
    assert result.pasted is not None
    for path, image in ((face, protected.image), (whole, result.pasted)):
        write_atomic(path, encode(image, format="png", mark=protector.mark), overwrite=True)

    print(f"\n{'recogniser':15}{'X, X′':>8}{'X, pasted':>11}{'threshold':>11}   at FMR  decision")
    pairs = zip(veilface.verify_all(source, face), veilface.verify_all(source, whole), strict=True)
    for aligned, pasted in pairs:
        if aligned.threshold is None:  # nobody has calibrated it, so it decides nothing
            continue
        decision = "match" if aligned.match and pasted.match else "NO MATCH"
        used = "" if aligned.recognizer in protector.recognizers else "  (took no part)"
        print(
            f"{aligned.recognizer:15}{aligned.score:8.3f}{pasted.score:11.3f}"
            f"{aligned.threshold:11.3f}   {aligned.fmr:g}   {decision}{used}"
        )

    x = protector.prepare(load_photo(source), name=str(source)).faces[0].crop[None]
    y = to_tensor(load_photo(face).pixels)[None]
    print(f"\nface X against X′: SSIM {ssim(x, y).item():.3f}, PSNR {psnr(x, y).item():.2f} dB")
    print(f"{done - loaded:.1f} s for the photo, {loaded - began:.1f} s to load")
    print(f"\nwritten: {source} (X), {face} (X′), {whole} (X′ in the photo)")
    if note := coverage_note(protector.recognizers):
        print(note)


if __name__ == "__main__":
    main()
