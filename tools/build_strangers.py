"""Writes src/veilface/data/strangers.zip from rendered portraits (tools/strangers makes them).

    python -m tools.build_strangers RENDERS --people ../shared/data/lfw112 ../shared/data/celeba112

Every portrait is found by YuNet, cut out, judged and compared with all others by SFace; those that
resemble others most are left out as far as ``--count`` allows. Prints what the bank holds, how
alike its portraits are, and how often they match people.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

from tools.bank.choose import cell, choose
from tools.bank.crops import Portrait, read, rejected_by_eye
from tools.bank.pack import pack
from tools.bank.people import compare, embed, one_each
from tools.bank.sheets import contact_sheets, sheet
from veilface.measures.intervals import rate_over_pairs
from veilface.recognizers import load_recognizer

ROOT = Path(__file__).resolve().parents[1]
GOAL = ROOT / "src" / "veilface" / "data" / "strangers.zip"
PICTURE = ROOT / "docs" / "images" / "strangers.webp"
REJECTED = ROOT / "tools" / "strangers" / "rejected.txt"


def describe(portraits: list[Portrait]) -> str:
    """The table of balance."""
    about = [p.about for p in portraits]
    lines = [f"{len(portraits)} portraits, YuNet {np.mean([p.score for p in portraits]):.3f} mean"]
    for key, of in (("sex", lambda a: a["sex"]), ("beard", lambda a: a["beard"]),
                    ("glasses", lambda a: a["glasses"]), ("smile", lambda a: a["smile"] > 0),
                    ("age", lambda a: f"{int(a['age'] // 10) * 10}s"),
                    ("skin", lambda a: f"L {int(a['skin'] // 10) * 10}"),
                    ("hair", lambda a: a["hair"])):  # fmt: skip
        counts = sorted(Counter(of(a) for a in about).items())
        lines.append(f"{key}: " + ", ".join(f"{value} {n / len(about):.1%}" for value, n in counts))
    for key in ("yaw", "pitch"):
        low, high = np.percentile([a[key] for a in about], [2.5, 97.5])
        lines.append(f"{key}: 95 % within {low:.1f} and {high:.1f} degrees")
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("renders", type=Path, help="folder with <seed>.png and <seed>.json")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--quality", type=int, default=95, help="of WebP")
    parser.add_argument("--goal", type=Path, default=GOAL)
    parser.add_argument("--sheets", type=Path, help="folder for contact sheets of what is packed")
    parser.add_argument("--picture", type=Path, default=PICTURE, help="sheet of 200 for the docs")
    parser.add_argument(
        "--people", type=Path, nargs="*", default=[], help="folders of aligned people"
    )
    parser.add_argument("--limit", type=int, default=1500, help="people of each folder")
    options = parser.parse_args()

    found, refused = read(options.renders, rejected_by_eye(REJECTED))
    reasons = Counter(reason.split(" ", 1)[0] for reason in refused.values())
    print(f"{len(found)} of {len(found) + len(refused)} renders are fit; refused: {dict(reasons)}")
    sface = load_recognizer("sface")
    threshold = sface.spec.threshold(1e-3)
    embeddings = embed(sface, [p.pixels for p in found])
    similarity = embeddings @ embeddings.T
    chosen = choose(similarity, [cell(p.about) for p in found], options.count, threshold=threshold)
    bank, kept = [found[k] for k in chosen], embeddings[chosen]
    alike = rate_over_pairs(kept @ kept.T >= threshold, seed=0, rounds=200)
    print(describe(bank))
    mean = (kept @ kept.T)[np.triu_indices(len(kept), 1)].mean()
    print(
        f"SFace: {alike.value:.3%} [{alike.low:.3%}, {alike.high:.3%}] of {alike.n} pairs at or "
        f"above {threshold} (its FMR of 0.001), mean cosine {mean:.3f}"
    )
    for folder in options.people:
        people = embed(sface, one_each(folder, options.limit))
        print(f"{folder.name}: {compare(kept, people, threshold)}")
    about = {"threshold": threshold, "pairs_above_threshold": round(alike.value, 5)}
    pack(bank, options.goal, quality=options.quality, about=about)
    print(f"{options.goal}: {options.goal.stat().st_size / 1e6:.2f} MB")
    if options.sheets:
        contact_sheets(bank, options.sheets)
    spread = np.linspace(0, len(bank) - 1, min(200, len(bank))).astype(int)
    options.picture.parent.mkdir(exist_ok=True)
    sheet([bank[k].pixels for k in spread], 20, 96).save(options.picture, quality=80, method=6)
    print(f"{options.picture}: {options.picture.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
