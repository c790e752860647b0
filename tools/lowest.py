"""Prints the lowest versions of direct dependencies that pyproject.toml allows, as constraints.

    python tools/lowest.py report heif > lowest.txt && pip install -c lowest.txt ".[report,heif]"

The arguments are the extras that are meant, too.
"""

from __future__ import annotations

import sys
from pathlib import Path

import tomllib
from packaging.requirements import Requirement

PYPROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"


def lowest(requirements: list[str]) -> list[str]:
    """``name==version`` for every requirement with a lower bound or one version.

    Args:
        requirements: As in pyproject.toml.

    Raises:
        ValueError: A requirement has no lower bound: nobody says which version suffices.
    """
    found = []
    for text in requirements:
        requirement = Requirement(text)
        versions = [s.version for s in requirement.specifier if s.operator in (">=", "==")]
        if len(versions) != 1:
            msg = f"pyproject.toml: {text} has no lower bound"
            raise ValueError(msg)
        found.append(f"{requirement.name}=={versions[0]}")
    return found


def main(extras: list[str]) -> None:
    """Print the constraints, one a line."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    wanted = list(project["dependencies"])
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    print("\n".join(lowest(wanted)))


if __name__ == "__main__":
    main(sys.argv[1:])
