"""The public names, and that importing them costs nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

import veilface


def test_every_public_name_is_there() -> None:
    for name in veilface.__all__:
        assert getattr(veilface, name) is not None
    assert dir(veilface) == sorted(veilface.__all__)
    assert issubclass(veilface.errors.NoFaceError, veilface.errors.VeilfaceError)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = veilface.nothing


@pytest.mark.parametrize("module", ["veilface", "veilface.cli.main"])
def test_import_loads_neither_torch_nor_opencv(module: str) -> None:
    code = f"import sys, {module}; print({{'torch', 'cv2', 'PIL'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["protect", "--help"], ["--version"], ["protect"]]
)
def test_help_and_mistakes_load_nothing_heavy(arguments: list[str]) -> None:
    """What takes time is imports: 2 s of torch on a quiet machine, 10 s on a loaded one."""
    code = (
        "import sys\n"
        f"sys.argv = ['veilface', *{arguments!r}]\n"
        "from veilface.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'numpy', 'cv2', 'PIL', 'onnx', 'filelock'} & set(sys.modules)\n"
        "print(sorted(heavy), len(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy, count = done.stderr.splitlines()[-1].rsplit(" ", 1)
    assert heavy == "[]"
    assert int(count) < 600


@pytest.mark.parametrize("code", ["import veilface", "from veilface.cli.main import app"])
def test_import_takes_less_than_a_third_of_a_second(code: str) -> None:
    """Time of this process's own work, so that a busy machine does not count."""
    program = f"import time; b = time.process_time(); {code}; print(time.process_time() - b)"
    times = [
        float(
            subprocess.run(
                [sys.executable, "-c", program], capture_output=True, text=True, check=True
            ).stdout
        )
        for _ in range(3)
    ]
    assert min(times) < 0.3
