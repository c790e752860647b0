"""Everything that `veilface train` trains, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import torch
from torch import nn

from veilface.errors import DatasetError, ShapeError, UnknownNameError
from veilface.protectors.dct.front_end import CHANNELS
from veilface.protectors.duetface.network import Client, Server
from veilface.protectors.duetface.protector import DuetFace
from veilface.protectors.duetface.train import CLIENT_NAME, client_task, server_task
from veilface.protectors.duetface.train import IMAGES as PEOPLE
from veilface.protectors.minusface.network import Generator
from veilface.protectors.minusface.train import MinusFaceTask
from veilface.protectors.native import NativeRecognizer, NativeTask, native_name
from veilface.protectors.proface.train import IMAGES, ProFaceTask
from veilface.protectors.proface.transform import OBFUSCATORS
from veilface.protectors.registry import METHODS
from veilface.protectors.spec import MethodSpec
from veilface.recognizers.recognizer import Recognizer
from veilface.recognizers.registry import load_recognizer
from veilface.training.images import TrainingImages, load_images
from veilface.training.kept import fill, keep, record_of, training_folder, unset
from veilface.training.loop import Budget, Outcome, Task, train
from veilface.training.reader import empty, reader

TEACHER = "mobilefacenet"
"""The recogniser of the registry that trainings learn from: fast, and verified."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a training is started with.

    Attributes:
        faces: Images of anybody; None where those of ``identities`` serve.
        identities: Images of people, one folder each, where identities are learnt.
        width: Multiplier of the networks' channels.
        batch: Images (or triplets) of a step.
        device: Where to train.
    """

    faces: TrainingImages | None
    identities: TrainingImages | None
    width: float
    batch: int
    device: torch.device


class Product(Task, Protocol):
    """A task that says what of it is kept."""

    @property
    def product(self) -> nn.Module:
        """The networks that are used afterwards."""


@dataclass(frozen=True, slots=True)
class Trainer:
    """One training.

    Attributes:
        summary: One line about it.
        build: The task of a set-up; draws first weights from the global generator.
        batch: Images of a step unless another number is given.
        has_width: Whether its networks have a width.
        images: The option of `veilface train` that suffices for its images.
    """

    summary: str
    build: Callable[[Setup], Product]
    batch: int
    has_width: bool = True
    images: str = "--faces"


def conduct(
    name: str,
    *,
    faces: Path | None,
    identities: Path | None,
    width: float | None,
    batch: int | None,
    seed: int,
    budget: Budget,
    device: torch.device | str = "cpu",
    progress: Callable[[Mapping[str, Any]], None] | None = None,
) -> tuple[Outcome, Path]:
    """Train something of `TRAINERS`, or go on with it, and keep its weights in the cache folder.

    Args:
        name: What.
        faces: Folder of aligned faces of anybody.
        identities: Folder with one folder of aligned faces a person.
        width: Multiplier of the networks' channels, 1 by default.
        batch: Images of a step, by default the authors' number.
        seed: Of first weights, batches and draws.
        budget: When to stop.
        device: Where to train.
        progress: Told each line of the curve.

    Returns:
        How it ended, and the file of the weights.

    Raises:
        UnknownNameError: There is no such training.
        DatasetError: It lacks images that it needs.
        ShapeError: A width is given and its networks have none, or have another already.
        UntrainedError: Another training has to come first.
        WeightsError: A run of another recipe lies there, or a recogniser is missing.
    """
    if name not in TRAINERS:
        raise UnknownNameError("training", name, TRAINERS)
    trainer = TRAINERS[name]
    if width is not None and not trainer.has_width:
        raise ShapeError(f"the networks of {name} have one width only, the authors'")
    sets = {
        kind: load_images(folder)
        for kind, folder in (("faces", faces), ("identities", identities))
        if folder is not None
    }
    setup = Setup(
        sets.get("faces"),
        sets.get("identities"),
        width=1.0 if width is None else width,
        batch=batch or trainer.batch,
        device=torch.device(device),
    )
    recipe = {
        "training": name,
        **{kind: {"name": found.name, "images": len(found)} for kind, found in sets.items()},
        **({"width": setup.width} if trainer.has_width else {}),
        "batch": setup.batch,
        "seed": seed,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        task = trainer.build(setup)
    folder = training_folder(name)
    outcome = train(task, folder=folder, recipe=recipe, seed=seed, budget=budget, progress=progress)
    return outcome, keep(name, task.product, recipe, outcome)


def native_recognizer(method: str) -> NativeRecognizer:
    """The recogniser that reads what a method sends, with the weights of this machine.

    Raises:
        UnknownNameError: The method is not in the table, or needs none.
        UntrainedError: It is not trained.
        WeightsError: Its weights are damaged.
    """
    needed = {name: spec for name, spec in METHODS.items() if spec.native_recognizer}
    if method not in needed:
        raise UnknownNameError("method with a recogniser of its own", method, needed)
    recipe = record_of(native_name(method))["recipe"]
    if method == DuetFace.name and "identities" in recipe:
        return NativeRecognizer.trained(
            method, lambda: Server(width=recipe["width"]), part="server"
        )
    channels = needed[method].in_channels
    return NativeRecognizer.trained(method, lambda: empty(channels, recipe, _fresh))


def residue_recognizer() -> nn.Module:
    """The recogniser of MinusFace's residue that its generator was trained with.

    Maps (N, 192, 112, 112) to (N, D) unit vectors.

    Raises:
        UntrainedError: MinusFace is not trained.
        WeightsError: Its weights are damaged.
    """
    recipe = record_of("minusface")["recipe"]
    network = unset(lambda: empty(CHANNELS, recipe, _fresh))
    fill("minusface", network, part="network")
    return network.eval()


def _fresh() -> Recognizer:
    return load_recognizer(TEACHER)


def _proface(kind: str, setup: Setup) -> Product:
    if setup.identities is None:
        raise DatasetError(f"proface-{kind} learns from triplets: name {IMAGES} FOLDER")
    recognizer = load_recognizer(TEACHER, device=setup.device)
    return ProFaceTask(setup.identities, OBFUSCATORS[kind], recognizer, batch=setup.batch)


def _duetface_client(setup: Setup) -> Product:
    if setup.identities is None:
        raise DatasetError(f"{CLIENT_NAME} learns to tell people apart: name {PEOPLE} FOLDER")
    return client_task(setup.identities, width=setup.width, batch=setup.batch, device=setup.device)


def _duetface(setup: Setup) -> Product:
    """With people named both parties, as in the paper; else what reads the server's channels."""
    if setup.identities is None:
        return _native(METHODS[DuetFace.name], setup)
    known = record_of(CLIENT_NAME, images=PEOPLE)["recipe"]["width"]
    if known != setup.width:
        raise ShapeError(f"{CLIENT_NAME} was trained with --width {known:g}: give the same")
    client = Client(width=known)
    fill(CLIENT_NAME, client.network, images=PEOPLE)
    return server_task(
        client, setup.identities, width=known, batch=setup.batch, device=setup.device
    )


def _minusface(setup: Setup) -> Product:
    reading, train, rest = reader(
        CHANNELS, setup.faces, setup.identities, _fresh, width=setup.width
    )
    return MinusFaceTask(
        Generator(width=setup.width), reading, train, rest, batch=setup.batch, device=setup.device
    )


def _native(method: MethodSpec, setup: Setup) -> Product:
    reading, train, rest = reader(
        method.in_channels, setup.faces, setup.identities, _fresh, width=setup.width
    )
    # The global generator is the seeded one here, see `conduct`.
    start = torch.Generator().manual_seed(int(torch.randint(2**31, ())))
    return NativeTask(
        method.build(),
        reading,
        train,
        rest,
        batch=setup.batch,
        device=setup.device,
        generator=start,
        taught=None if setup.identities is None else method.taught,
    )


TRAINERS: Mapping[str, Trainer] = MappingProxyType(
    {
        **{
            f"proface-{kind}": Trainer(
                f"the embedder of PRO-Face for {obfuscator.summary}; needs people",
                partial(_proface, kind),
                batch=8,
                has_width=False,
                images=IMAGES,
            )
            for kind, obfuscator in OBFUSCATORS.items()
        },
        "minusface": Trainer(
            "the generator of MinusFace, and a recogniser of what it leaves", _minusface, batch=64
        ),
        **{
            native_name(name): Trainer(
                f"the recogniser that reads what {name} sends", partial(_native, spec), batch=64
            )
            for name, spec in METHODS.items()
            if spec.native_recognizer
        },
        CLIENT_NAME: Trainer(
            "the network of DuetFace's client; needs people", _duetface_client, 64, images=PEOPLE
        ),
        native_name(DuetFace.name): Trainer(
            "the recogniser of DuetFace's server; with people named it gets the client's masks, "
            f"after {CLIENT_NAME}",
            _duetface,
            batch=64,
        ),
    }
)
"""By the name under which the weights are kept."""
