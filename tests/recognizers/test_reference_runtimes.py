"""The rebuilt networks against the runtimes that their files were made for.

A missing channel swap or an even padding costs little accuracy, so agreement to 1e-5 on real faces
is what shows that preprocessing and network are right.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from tests.recognizers.conftest import LoadRecognizer
from veilface.weights import store

TOLERANCE = 1e-5
Array = npt.NDArray[np.float32]


def unit(raw: Array) -> Tensor:
    return F.normalize(torch.from_numpy(np.asarray(raw, dtype=np.float32)), dim=1)


@torch.inference_mode()
def difference(found: Tensor, expected: Tensor) -> float:
    print(f"largest difference {(found - expected).abs().max():.1e}")
    return float((found - expected).abs().max())


@pytest.mark.data
def test_dlib(recognizer: LoadRecognizer, some_faces: Tensor) -> None:
    dlib = pytest.importorskip("dlib")
    model = recognizer("dlib")
    runtime = dlib.face_recognition_model_v1(str(store.locate(model.spec)[0]))
    expected, found = [], []
    mean = torch.tensor(model.spec.preprocessing.mean).view(1, 3, 1, 1)
    for face in some_faces.permute(0, 2, 3, 1).numpy():
        chip = np.array(Image.fromarray(face).resize((150, 150), Image.Resampling.BICUBIC))
        expected.append(list(runtime.compute_face_descriptor(chip)))
        pixels = torch.from_numpy(chip).permute(2, 0, 1)[None].float()
        found.append(model.network((pixels - mean) / 256))
    reference = torch.tensor(expected)
    assert difference(torch.cat(found), reference) < TOLERANCE  # raw, not normalised


_OPENCV = """
import sys, cv2, numpy as np
model = cv2.FaceRecognizerSF.create(sys.argv[1], "")
faces = np.load(sys.argv[2])
np.save(sys.argv[3], np.concatenate([model.feature(face[:, :, ::-1].copy()) for face in faces]))
"""


@pytest.mark.data
def test_sface(recognizer: LoadRecognizer, some_faces: Tensor, tmp_path: Path) -> None:
    """OpenCV's own class; it takes BGR and its new engine does not load the quantised file."""
    model = recognizer("sface")
    faces, result = tmp_path / "faces.npy", tmp_path / "features.npy"
    np.save(faces, some_faces.permute(0, 2, 3, 1).numpy())
    command = [sys.executable, "-c", _OPENCV, str(store.locate(model.spec)[0]), str(faces)]
    environment = {**os.environ, "OPENCV_FORCE_DNN_ENGINE": "1"}
    done = subprocess.run(
        [*command, str(result)], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"this OpenCV does not load SFace: {done.stderr.strip()[-200:]}")
    assert difference(model.embed(some_faces / 255), unit(np.load(result))) < TOLERANCE


@pytest.mark.data
def test_mobilefacenet(recognizer: LoadRecognizer, some_faces: Tensor) -> None:
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    model = recognizer("mobilefacenet")
    interpreter = litert.Interpreter(model_path=str(store.locate(model.spec)[0]))
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    goal = interpreter.get_output_details()[0]["index"]
    pixels = ((some_faces.float() - 127.5) / 128).permute(0, 2, 3, 1).contiguous().numpy()
    expected = []
    for start in range(0, len(pixels), 2):  # the file's batch is fixed to two
        interpreter.set_tensor(source, pixels[start : start + 2])
        interpreter.invoke()
        expected.append(interpreter.get_tensor(goal).copy())
    assert difference(model.embed(some_faces / 255), unit(np.concatenate(expected))) < TOLERANCE


@pytest.mark.data
def test_fr_feature(recognizer: LoadRecognizer, some_faces: Tensor) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    model = recognizer("fr_feature")
    path = str(store.locate(model.spec)[0])
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    pixels = ((some_faces.float() - 127) / 128).numpy()
    expected = [session.run(None, {"input": face[None]})[0] for face in pixels]
    assert difference(model.embed(some_faces / 255), unit(np.concatenate(expected))) < TOLERANCE


# What TensorFlow.js 4.22.0 (CPU backend, Node.js) gives for the generated image, as printed by
#
#   const tf = require('@tensorflow/tfjs'); const fs = require('fs');
#   const v = new Float32Array(112 * 112 * 3); let i = 0;
#   for (let y = 0; y < 112; y++) for (let x = 0; x < 112; x++) for (let c = 0; c < 3; c++)
#     v[i++] = 3 * Math.abs((x * (c + 2) + 3 * y) % 128 - 64) + (x * y) % 17;
#   const image = tf.tensor4d(v, [1, 112, 112, 3]);
#   async function run(name, node, prepare) {
#     const json = JSON.parse(fs.readFileSync(name + '.json'));
#     const bin = fs.readFileSync(name + '.bin');
#     const model = await tf.loadGraphModel({load: async () => ({
#       modelTopology: json.modelTopology, format: json.format, signature: json.signature,
#       weightSpecs: json.weightsManifest[0].weights, weightData: new Uint8Array(bin).buffer})});
#     const e = Array.from(model.execute(prepare(image), node).dataSync());
#     const norm = Math.hypot(...e), u = e.map(a => a / norm);
#     const dots = [0, 1, 2, 3, 4, 5, 6, 7].map(j =>
#       u.reduce((s, a, k) => s + a * ((k * (37 + 2 * j)) % 101 / 50 - 1), 0));
#     console.log(name, norm, u.slice(0, 8), dots);
#   }
#   (async () => { await tf.setBackend('cpu');
#     await run('mobileface', 'batchnorm0/add_1', x => x);
#     await run('faceres', 'global_pooling/Mean', x => tf.image.resizeBilinear(
#       x, [224, 224], false, true).sub([123.68, 116.779, 103.939]).reverse(3)); })();
#
# Norm of the raw embedding, first eight values of the unit embedding, eight projections of it.
TENSORFLOW_JS = {
    "mobileface": (
        82.97774491480414,
        "-0.00768629 0.00160245 0.04530065 0.10356086 0.08875856 -0.04615295 -0.09446721"
        " 0.01405191",
        "-0.5927165 0.3205931 -0.5875495 -0.3352194 -0.0957825 -0.6174470 -0.7132643 0.4351719",
    ),
    "faceres": (
        10.83690991505881,
        "0 0 0 0.00178329 0 0 0 0.17418009",
        "0.2978900 -0.0378230 0.1171308 -0.1077695 -0.8588378 -0.6349571 -0.2922724 0.9071629",
    ),
}


def generated_image() -> Tensor:
    """(1, 3, 112, 112) in [0, 1]: the image of the snippet above."""
    axes = (torch.arange(112), torch.arange(112), torch.arange(3))
    y, x, c = torch.meshgrid(*axes, indexing="ij")
    values = 3 * ((x * (c + 2) + 3 * y) % 128 - 64).abs() + (x * y) % 17
    return (values.permute(2, 0, 1)[None] / 255).float()


@pytest.mark.parametrize("name", TENSORFLOW_JS)
def test_tensorflow_js(name: str, recognizer: LoadRecognizer) -> None:
    norm, *lists = TENSORFLOW_JS[name]
    first, projections = ([float(word) for word in str(text).split()] for text in lists)
    model = recognizer(name)
    with torch.inference_mode():
        raw = model.embed_raw(generated_image())
        found = model.embed(generated_image())[0].double()
    assert float(raw.norm()) == pytest.approx(norm, rel=1e-5)
    assert torch.allclose(found[:8], torch.tensor(first, dtype=torch.float64), atol=TOLERANCE)
    k = torch.arange(found.numel())
    dots = [float((found * ((k * (37 + 2 * j)) % 101 / 50 - 1)).sum()) for j in range(8)]
    assert dots == pytest.approx(projections, abs=5 * TOLERANCE)
