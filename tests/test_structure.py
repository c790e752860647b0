"""The structure that the imports draw; those inside of functions and for types count too."""

from __future__ import annotations

import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
LONGEST = 300  # lines of a module


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = grimp.build_graph("veilface", cache_dir=None)
    assert len(graph.modules) > 200
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    try:
        order = list(TopologicalSorter(imports).static_order())
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))
    assert order.index("veilface.errors") < order.index("veilface.cli.main")


def test_no_arrow_points_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The layers of pyproject.toml, in which every folder has a place."""
    monkeypatch.chdir(ROOT)
    # In a process of its own: the linter switches off every logger of the process it runs in.
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_no_module_is_long() -> None:
    lines = {
        path.relative_to(ROOT / "src").as_posix(): path.read_text(encoding="utf-8").count("\n")
        for path in (ROOT / "src").rglob("*.py")
    }
    assert {name: count for name, count in lines.items() if count > LONGEST} == {}
