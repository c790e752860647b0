from __future__ import annotations

import json

import pytest

from veilface.errors import UnknownNameError, VeilfaceError
from veilface.recognizers import RECOGNIZERS, available, get_spec


def test_unknown_name_lists_the_names_and_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean 'mobilefacenet'.*dlib.*sface"):
        get_spec("mobilefacnet")
    with pytest.raises(UnknownNameError):
        available(["dlib", "nobody"])


def test_thresholds() -> None:
    spec = get_spec("sface")
    assert spec.threshold(1e-3) == spec.threshold() == 0.3589
    assert spec.threshold(0.01) == 0.3043
    assert spec.threshold("best") == 0.3292
    assert spec.fmrs == (1e-2, 1e-3)
    with pytest.raises(VeilfaceError, match=r"false match rate of sface '0\.05'.*0\.001.*best"):
        spec.threshold(0.05)


@pytest.mark.parametrize("name", RECOGNIZERS)
def test_entries_are_complete(name: str) -> None:
    spec = RECOGNIZERS[name]
    assert spec.name == name
    assert spec.threshold(1e-3) > spec.threshold(1e-2) > spec.impostor_mean
    assert spec.calibration.genuine_mean > spec.threshold(1e-3) > spec.impostor_mean
    assert all(len(file.sha256) == 64 and file.size > 0 for file in spec.source.files)
    assert json.loads(json.dumps(spec.to_dict()))["calibration"]["thresholds"]["0.001"]
