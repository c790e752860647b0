"""Build the face model of the `persona` preset, and check that no training face comes back.

    python tools/build_face_model.py build --faces DIR [--out FILE]
    python tools/build_face_model.py check --faces DIR --unseen DIR [--out FILE]

DIR holds aligned 112x112 crops in one folder for each identity. The model is the mean face and the
leading principal components, in 8 bits with one scale for each.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from veilface.protectors.veil.persona import load_face_model
from veilface.protectors.veil.presets import Persona
from veilface.protectors.veil.randomness import Draws
from veilface.recognizers.registry import load_recognizer

MODEL = Path(__file__).parents[1] / "src" / "veilface" / "data" / "face_model.safetensors"


def read_faces(root: Path, *, per_identity: int) -> tuple[Tensor, int]:
    """(N, 3, 112, 112) 8-bit faces, at most ``per_identity`` of each, and the identity count."""
    folders = sorted(folder for folder in root.iterdir() if folder.is_dir())
    paths = [path for folder in folders for path in sorted(folder.glob("*.jpg"))[:per_identity]]
    faces = np.stack([np.asarray(Image.open(path).convert("RGB")) for path in paths])
    return torch.from_numpy(faces).permute(0, 3, 1, 2), len(folders)


def build(root: Path, out: Path, *, components: int, per_identity: int) -> None:
    """Write the model file."""
    faces, identities = read_faces(root, per_identity=per_identity)
    data = (faces.float() / 255).flatten(1)
    mean = data.mean(dim=0)
    data -= mean
    # Eigenvectors of the small Gram matrix give the principal components of the large space.
    values, vectors = torch.linalg.eigh(data @ data.T)
    values, vectors = values.flip(0)[:components], vectors.flip(1)[:, :components]
    scaled = (vectors.T @ data) / len(data) ** 0.5  # rows of length sqrt(eigenvalue / N): 1 sigma
    about = {
        "faces": str(len(data)),
        "identities": str(identities),
        "data_set": root.name,
        "explained_variance": f"{float(values.sum() / (data**2).sum()):.3f}",
    }
    scales = scaled.abs().amax(dim=1) / 127
    levels = (scaled / scales[:, None]).round().to(torch.int8)
    save_file(
        {
            "mean": mean.view(3, 112, 112).half(),
            "components": levels.view(-1, 3, 112, 112).contiguous(),
            "scales": scales,
        },
        out,
        metadata=about,
    )
    print(f"{out.name}: {out.stat().st_size / 1e6:.1f} MB, {about}")


@torch.inference_mode()
def check(root: Path, unseen: Path, out: Path, *, draws: int, recognizer: str) -> None:
    """Print how near 1,000 draws come to training faces, beside faces that were not trained on.

    A model that had stored its training faces would give draws nearer to them than to other
    people's faces, and would reconstruct them better than others.
    """
    model = load_face_model(out)
    network = load_recognizer(recognizer)
    generator = torch.Generator().manual_seed(0)
    personas = model.sample(Draws(draws, generator=generator), sharpness=Persona().sharpness)

    def embed(faces: Tensor) -> Tensor:
        batches = torch.split(faces, 64)
        scale = 255.0 if faces.dtype == torch.uint8 else 1.0
        return torch.cat([network.embed(batch.float() / scale) for batch in batches])

    basis = torch.linalg.qr(model.components.flatten(1).T).Q
    probes = embed(personas)
    threshold = network.spec.threshold(1e-3)
    for name, folder in (("training", root), ("unseen", unseen)):
        faces, _ = read_faces(folder, per_identity=20)
        faces = faces[torch.randperm(len(faces), generator=generator)[:2000]]
        nearest = (probes @ embed(faces).T).amax(dim=1)
        pixels = faces.float().flatten(1) / 255 - model.mean.flatten()
        left = pixels - pixels @ basis @ basis.T
        share = 1 - left.square().sum(dim=1) / pixels.square().sum(dim=1)
        rebuilt = (pixels - left + model.mean.flatten()).view(-1, 3, 112, 112).clamp(0, 1)
        again = (embed(rebuilt) * embed(faces)).sum(dim=1)
        print(
            f"{name:9s} {len(faces)} faces: nearest to a draw by {recognizer}: median "
            f"{nearest.median():.3f}, largest {nearest.max():.3f} (FMR 1e-3 at {threshold:.3f}, "
            f"{(nearest > threshold).float().mean():.1%} of draws above); projection explains "
            f"{share.mean():.1%}, still matches its face: {(again > threshold).float().mean():.1%}"
        )


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=("build", "check"))
    parser.add_argument("--faces", type=Path, required=True, help="folder the model is built from")
    parser.add_argument("--unseen", type=Path, help="folder of other people, for the check")
    parser.add_argument("--out", type=Path, default=MODEL, help="the model; the shipped one")
    parser.add_argument("--components", type=int, default=128)
    parser.add_argument("--per-identity", type=int, default=20)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--recognizer", default="sface")
    arguments = parser.parse_args()
    if arguments.command == "build":
        build(
            arguments.faces,
            arguments.out,
            components=arguments.components,
            per_identity=arguments.per_identity,
        )
        return
    if arguments.unseen is None:
        parser.error("check needs --unseen DIR")
    check(
        arguments.faces,
        arguments.unseen,
        arguments.out,
        draws=arguments.draws,
        recognizer=arguments.recognizer,
    )


if __name__ == "__main__":
    main()
