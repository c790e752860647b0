"""Write docs/irreversibility.md from what `veilface attack` and `tools.unlinkability` measured.

    python tools/irreversibility.py benchmarks/documents -o docs/irreversibility.md

Each folder holds JSON documents, of single attacks or of `veilface reproduce table3`; those of the
present page are kept in benchmarks/documents. Every figure of the page is one of theirs, but for
those that the paper published. Of an attack that was measured twice with as many photos to learn
from, the most people count; two that differ with equally many are refused.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from veilface.attacks.run import beaten
from veilface.measures.intervals import Estimate
from veilface.paper.compared import compared_methods
from veilface.paper.published import OURS, SETS, TABLE_3

_COLUMNS = {
    "ssim": "SSIM",
    "psnr": "PSNR",
    "source": "is the photo",
    "xdr": "is the person",
    "stranger": "is the stranger",
    "lineup_mean": "line-up",
}
_DIGITS = {"psnr": 1, "control": 3}  # what is not 2
_LINKED = {
    "draws": "X' against another X' of the photo",
    "photos": "X' against another photo",
    "clean": "a photo against another photo",
}
_HEAD = """# Irreversibility, unlinkability, renewability

The three properties of ISO/IEC 24745 for biometric references, as far as they apply to protected
images. Written by `tools/irreversibility.py` from the documents of [`veilface
attack`](attacks.md) and `tools/unlinkability.py`: every figure but the published ones is measured.

## Irreversibility

Does any attack get more of the photo than one who knows nothing, or more of the person than the
inverted embedding shows? 'Beats its null in' names which of SSIM, photo, person and line-up it gets
more of than the null in the first row, with intervals that do not meet. The line-up is that of
blurred recognisers, where guessing is .10. A method whose images recognisers are meant to match is
matched in what is recovered, too: read 'is the person' beside its row `look`. 'Is the stranger' is
matched with the portrait that `persona` started from, found in the bank.

The control says how strong the attacker is: of one that learns from pairs, the SSIM of the planted
cheat that it recovers least of, where .9 is needed; of one that inverts embeddings, the share of
unprotected photos that it recovers. A figure above its null counts even where the attacker is too
weak; one that is not proves nothing then.

Photos are those that an attack was fitted on; steps those of its training, or of `embedding` those
of the descent to each face. Published are SSIM and PSNR of a U-Net in the paper's Table 3, on its
own choice of people.
"""
_UNLINKABILITY = """
## Unlinkability

There is none, by construction: X' of `persona` is made so that every recogniser matches it with
every photo of the person, so two X' of one person match each other. Whoever needs references that
cannot be compared across services must not use an image that recognisers match. D_sys
(Gomez-Barrero et al., IEEE TIFS 2018) is 1 where scores tell pairs of one person from all others,
and 0 where they do not; drawn pairs are what it is of the same scores when chance says who belongs
together, which is not 0 for so few people.
"""
_TAIL = """
## Renewability

A new draw gives another stranger and another X', and a secret key makes that repeatable for its
owner ([threat model](threat-model.md#a-secret-key-instead-of-fresh-randomness)). It revokes
nothing: what recognisers match in the leaked X' is the person, and stays so. A bystander who finds
the stranger in the public bank undoes the draw (attack `portrait`): fresh randomness hides nothing
from somebody who looks for it.
"""


def page(documents: Iterable[Mapping[str, Any]]) -> str:
    """The page from documents of attacks, a table for each set of people."""
    all_ = [each for one in documents for each in one.get("details", (one,))]
    linked = [one for one in all_ if "unlinkability" in one]
    attacks: dict[tuple[str, str, str, int, int, int], Mapping[str, Any]] = {}
    for one in sorted((one for one in all_ if "attack" in one), key=_people):
        learned = (one["about"].get(name) or 0 for name in ("pair_steps", "photos"))
        key = (one["dataset"], one["protector"], one["attack"], one["versions"], *learned)
        other = attacks.get(key, one)
        if other != one and _people(other) == _people(one):
            raise SystemExit(
                f"two documents of {_name(one)} on {one['protector']} with {_people(one)} "
                f"people of {one['dataset']} differ: leave one out"
            )
        attacks[key] = one
    by_set: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for (dataset, *_), one in sorted(attacks.items()):
        by_set.setdefault((dataset, _people(one)), []).append(one)
    parts = [_HEAD.rstrip("\n")]
    for (dataset, people), found in sorted(by_set.items()):
        parts += [f"\n### {people} people of {dataset}\n", _table(found)]
        parts += [f"\n{said}" for said in _beyond_embedding(found)]
    parts.append(_UNLINKABILITY)
    if linked:
        parts.append(_linkability(linked))
    return "\n".join(parts) + "\n" + _TAIL


def _people(document: Mapping[str, Any]) -> int:
    count: int = document["measures"]["ssim"]["n"]
    return count


def _linkability(found: Sequence[Mapping[str, Any]]) -> str:
    rows = [["protector", "people", *_LINKED.values(), "drawn pairs"]]
    rows.append(["---"] * len(rows[0]))
    for one in sorted(found, key=lambda each: (each["dataset"], each["unlinkability"])):
        known = one["d_sys"]
        cells = [_figure(known.get(name), name) for name in _LINKED]
        noise = max(each["floor"] for each in known.values())
        people = f"{one['people']} of {one['dataset']}"
        rows.append([f"`{one['unlinkability']}`", people, *cells, f"{noise:.2f}"])
    return _markdown(rows)


def _table(found: Sequence[Mapping[str, Any]]) -> str:
    heading = ["protector", "attack", "level", "photos", "steps", *_COLUMNS.values(), "control"]
    heading += ["beats its null in", "published"]
    rows = [heading, ["---"] * len(heading)]
    # Who learns from photos is compared with their mean, who has none with a grey card.
    nulls: dict[tuple[str, ...], list[str]] = {}
    for one in found:
        count = one["about"].get("photos")
        whose = f"{_name(one)} on {one['protector']}" + (f" from {count} photos" if count else "")
        nulls.setdefault(tuple(_cells(one["null"])), []).append(whose)
    usual = max(nulls, key=lambda known: len(nulls[known]))
    for known, whose_all in nulls.items():
        beside = "" if known == usual else f", beside {', '.join(whose_all)}"
        rows.append(["", f"knows nothing{beside}", "null", "", "", *known, "", "", ""])
    # Their readiness, which is asked for beside their names, reads the weights of every method.
    titles = {each.name: each.published for each in compared_methods()} | {"paper": OURS}
    for one in found:
        above = [
            _COLUMNS[name] for name in beaten(*map(_estimates, (one["measures"], one["null"])))
        ]
        weak = [f"too weak{' for the rest' * bool(above)}"] if _is_weak(one) else []
        said = "; ".join([", ".join(above), *weak] if above else weak) or "nothing"
        cells = [*_cells(one["measures"]), _figure(one["planted"] or one["unprotected"], "control")]
        about = one["about"]
        spent = [str(about.get("photos", "")), str(about.get("training", {}).get("steps", ""))]
        row = [one["protector"], _name(one), one["level"], *spent, *cells, said]
        rows.append([*row, _published(one, titles.get(one["protector"]))])
    return _markdown(rows)


def _name(one: Mapping[str, Any]) -> str:
    versions, steps = one["versions"], one["about"].get("pair_steps")
    several = f", {versions} versions" if versions > 1 else ""
    hasty = f", pairs of {steps} steps" if steps else ""
    return f"`{one['attack']}`{several}{hasty}"


def _estimates(measures: Mapping[str, Mapping[str, Any]]) -> dict[str, Estimate]:
    return {name: Estimate(**known) for name, known in measures.items()}


def _published(one: Mapping[str, Any], method: str | None) -> str:
    known = TABLE_3.get(method or "", {})
    title = next((each for each in SETS if one["dataset"].upper().startswith(each)), "")
    if one["attack"] != "unet" or title not in known:
        return ""
    ssim, psnr = known[title]
    return f"{ssim:.2f}, {psnr:.1f}"


def _cells(measures: Mapping[str, Mapping[str, float]]) -> list[str]:
    return [_figure(measures.get(name), name) for name in _COLUMNS]


def _beyond_embedding(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Which attacks show more than the inverted embedding, where that can say anything."""
    for inverted in (one for one in found if one["attack"] == "embedding"):
        known = inverted["measures"].get("lineup_mean")
        if known is None or inverted["protector"] == "clean" or _is_weak(inverted):
            continue
        more = [
            _name(one)
            for one in found
            if one["protector"] == inverted["protector"]
            and one["measures"].get("lineup_mean", known)["low"] > known["high"]
        ]
        yield (
            f"`{inverted['protector']}`: blurred recognisers pick the person from what "
            f"the inversion ({_name(inverted)}) shows in {_figure(known, 'lineup_mean')}; "
            f"{', '.join(more) or 'no attack'} shows them more."
        )


def _is_weak(one: Mapping[str, Any]) -> bool:
    return any(said.startswith("too weak") for said in one["verdict"])


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _figure(estimate: Mapping[str, float] | None, name: str) -> str:
    if estimate is None:
        return "-"
    digits = _DIGITS.get(name, 2)
    value, low, high = (f"{estimate[end]:.{digits}f}" for end in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def main() -> None:
    """Read the documents and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/irreversibility.md"))
    arguments = parser.parse_args()
    files = sorted(path for folder in arguments.folders for path in folder.glob("*.json"))
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    arguments.output.write_text(page(documents), encoding="utf-8")


if __name__ == "__main__":
    main()
