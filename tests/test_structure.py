"""The structure that the imports draw; those inside of functions and for types count too."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest
from importlinter.cli import lint_imports

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
    assert lint_imports(config_filename="pyproject.toml", no_cache=True) == 0


def test_no_module_is_long() -> None:
    lines = {
        path.relative_to(ROOT / "src").as_posix(): path.read_text(encoding="utf-8").count("\n")
        for path in (ROOT / "src").rglob("*.py")
    }
    assert {name: count for name, count in lines.items() if count > LONGEST} == {}
