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
