"""`veilface gallery`: enrol people from photos or protected images, and find who somebody is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from veilface.cli.common import USAGE, print_json, sentences, table
from veilface.text import printable

if TYPE_CHECKING:
    from veilface.gallery import Gallery
    from veilface.recognizers.recognizer import Recognizer

app = typer.Typer(
    help="Enrol people from photos or protected images, and find out who somebody is.",
    no_args_is_help=True,
)

_PAGE = 1000

DatabaseOption = Annotated[
    str,
    typer.Option(
        envvar="VEILFACE_DATABASE",
        help="A file, or postgresql://USER@HOST/NAME; better in the variable with a password.",
    ),
]
RecognizerOption = Annotated[
    str | None,
    typer.Option(
        help="Whose embeddings; by default those that are in the database, in a new one those of "
        "the first recogniser that is present."
    ),
]
AlignedOption = Annotated[
    bool, typer.Option("--aligned", help="Files are aligned 112x112 crops already.")
]
LargestOption = Annotated[
    bool, typer.Option("--largest", help="Take the largest face of a photo with several.")
]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Your name for the person.")]

DATABASE = "gallery.db"


@app.command("add")
def add(  # noqa: PLR0917 - typer passes by keyword
    id: IdArgument,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Photos of the person.")],
    database: DatabaseOption = DATABASE,
    recognizer: RecognizerOption = None,
    aligned: AlignedOption = False,
    largest: LargestOption = False,
    device: DeviceOption = "auto",
    json_output: JsonOption = False,
) -> None:
    """Enrol a person, or more photos of one: embeddings are stored, pictures are not.

    All files are enrolled or none.
    """
    with sentences(status=USAGE, json_output=json_output):
        from veilface.gallery import Enrolment, open_gallery, space_of
        from veilface.gallery.opening import shown
        from veilface.pipeline.crops import FaceFinder
        from veilface.pipeline.embedding import embed_face

        network = _network(database, recognizer, device)
        finder = FaceFinder(aligned=aligned)
        faces = [embed_face(f, network, finder=finder, largest=largest) for f in files]
        with open_gallery(database, space_of(network.spec)) as gallery:
            gallery.enrol_many(Enrolment(id, face.vector, face.source) for face in faces)
            person = gallery.get(id)
    if person is None:  # somebody else has removed it at once
        raise typer.Exit(1)
    if json_output:
        print_json({"recognizer": network.name, "person": person.to_dict()})
    else:
        typer.echo(
            f"{printable(id)}: {len(faces)} added, {len(person.records)} embeddings of "
            f"{network.name} in {printable(shown(database))}"
        )


@app.command("find")
def find(  # noqa: PLR0917
    file: Annotated[str, typer.Argument(metavar="FILE", help="A photo or a protected image.")],
    database: DatabaseOption = DATABASE,
    recognizer: RecognizerOption = None,
    limit: Annotated[int, typer.Option(help="Most people that are named, 1 to 100.")] = 5,
    fpir: Annotated[
        float,
        typer.Option(help="Share of searches for strangers that may call somebody a match."),
    ] = 0.01,
    aligned: AlignedOption = False,
    largest: LargestOption = False,
    device: DeviceOption = "auto",
    json_output: JsonOption = False,
) -> None:
    """Who is it? The most similar people, with a decision that holds for a gallery of this size.

    Exit status: 0 somebody matches, 1 nobody does, 2 error, or the recogniser has no threshold
    that is strict enough for so many people.
    """
    with sentences(status=USAGE, json_output=json_output):
        from veilface.gallery import open_gallery, space_of
        from veilface.pipeline.crops import FaceFinder
        from veilface.pipeline.embedding import embed_face

        _stored(database)
        network = _network(database, recognizer, device)
        face = embed_face(file, network, finder=FaceFinder(aligned=aligned), largest=largest)
        with open_gallery(database, space_of(network.spec)) as gallery:
            found = gallery.identify(face.vector, limit=limit, fpir=fpir)
    if json_output:
        print_json({"file": file, **found.to_dict()})
    else:
        words = {None: "undecided", True: "match", False: "no match"}
        rows = [("person", "similarity", "decision")]
        rows += [(printable(c.id), f"{c.score:.4f}", words[c.match]) for c in found.candidates]
        typer.echo(table(rows))
        typer.echo(str(found.rule), err=True)
    if found.rule.threshold is None:
        raise typer.Exit(USAGE)
    raise typer.Exit(0 if any(candidate.match for candidate in found.candidates) else 1)


@app.command("list")
def list_people(
    database: DatabaseOption = DATABASE,
    recognizer: RecognizerOption = None,
    json_output: JsonOption = False,
) -> None:
    """List who is enrolled."""
    with (
        sentences(status=USAGE, json_output=json_output),
        _existing(database, recognizer) as gallery,
    ):
        name, people = gallery.space.recognizer, gallery.people(limit=_PAGE)
        while page := gallery.people(after=people[-1].id, limit=_PAGE) if people else []:
            people += page
    if json_output:
        print_json({"recognizer": name, "people": [person.to_dict() for person in people]})
        return
    rows = [("person", "embeddings", "enrolled")]
    rows += [
        (printable(one.id), str(len(one.records)), f"{one.enrolled:%Y-%m-%d %H:%M} UTC")
        for one in people
    ]
    typer.echo(table(rows))


@app.command("remove")
def remove(
    id: IdArgument,
    database: DatabaseOption = DATABASE,
    recognizer: RecognizerOption = None,
    json_output: JsonOption = False,
) -> None:
    """Remove a person with all embeddings.

    Exit status: 0 removed, 1 nobody has that id, 2 error.
    """
    with (
        sentences(status=USAGE, json_output=json_output),
        _existing(database, recognizer) as gallery,
    ):
        removed = gallery.delete(id)
    if json_output:
        print_json({"id": id, "removed": removed})
    else:
        typer.echo(f"{printable(id)}: {'removed' if removed else 'nobody has that id'}")
    raise typer.Exit(0 if removed else 1)


def _network(database: str, recognizer: str | None, device: str) -> Recognizer:
    """The recogniser that is asked for, that of the database, or the first that is present."""
    from veilface.core.devices import resolve_device
    from veilface.gallery.opening import recognizers_of
    from veilface.pipeline.ensemble import choose
    from veilface.recognizers.registry import load_recognizer

    if recognizer is None:
        stored = [space.recognizer for space in recognizers_of(database)]
        recognizer = _only(stored, database) if stored else choose()[0]
    return load_recognizer(recognizer, device=str(resolve_device(device)), differentiable=False)


def _existing(database: str, recognizer: str | None) -> Gallery:
    """A gallery that is there, opened without its recogniser's weights."""
    from veilface.errors import UnknownNameError
    from veilface.gallery import open_gallery

    stored = _stored(database)
    name = _only(list(stored), database) if recognizer is None else recognizer
    if name not in stored:
        raise UnknownNameError("recognizer in this database", name, stored)
    return open_gallery(database, stored[name])


def _stored(database: str) -> dict[str, Any]:
    """The recognisers of a database that has at least one, by name."""
    from veilface.errors import GalleryError
    from veilface.gallery.opening import recognizers_of, shown

    stored = {space.recognizer: space for space in recognizers_of(database)}
    if not stored:
        raise GalleryError(
            f"there is no gallery in {shown(database)}; 'veilface gallery add' makes one"
        )
    return stored


def _only(names: list[str], database: str) -> str:
    from veilface.errors import GalleryError
    from veilface.gallery.opening import shown

    if len(names) > 1:
        raise GalleryError(
            f"{shown(database)} has galleries of {', '.join(names)}; choose one with --recognizer"
        )
    return names[0]
