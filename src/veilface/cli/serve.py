"""`veilface serve`: the HTTP service and its tokens."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from veilface.cli.common import USAGE, print_json, sentences, split_names, table
from veilface.text import printable

if TYPE_CHECKING:
    from veilface.recognizers.recognizer import Recognizer
    from veilface.service.networks import Networks
    from veilface.service.state import Enrolled

app = typer.Typer(help="Answer over HTTP: protect, verify, and a gallery of people.")
token = typer.Typer(help="Who may use the service, and for what.", no_args_is_help=True)
app.add_typer(token, name="token")

_TOKENS = Path("veilface-tokens.json")
TokensOption = Annotated[
    Path,
    typer.Option("--tokens", envvar="VEILFACE_TOKENS", help="File of the tokens' hashes."),
]


@app.callback(invoke_without_command=True)
def serve(  # noqa: PLR0917 - typer passes by keyword
    context: typer.Context,
    host: Annotated[
        str, typer.Option(help="Where it listens; elsewhere than on loopback only with tokens.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    tokens: TokensOption = _TOKENS,
    database: Annotated[
        str | None,
        typer.Option(
            envvar="VEILFACE_DATABASE",
            help="Gallery of people: a file, or postgresql://USER@HOST/NAME [default: none].",
        ),
    ] = None,
    recognizer: Annotated[
        list[str] | None,
        typer.Option(
            help="Recogniser that has to match; repeat it for more [default: all present]. The "
            "first one is the gallery's."
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    batch_size: Annotated[int, typer.Option(min=1, help="Most faces at once.")] = 8,
    queue: Annotated[
        int, typer.Option(min=1, help="Most requests under way; others get 429.")
    ] = 64,
    deadline: Annotated[
        float, typer.Option(min=0.1, help="Seconds until a request gets 504.")
    ] = 120.0,
    max_wait: Annotated[
        float, typer.Option(min=0, help="Seconds that a batch waits for more photos.")
    ] = 0.02,
    max_body: Annotated[int, typer.Option(min=1, max=64, help="Largest body, in MiB.")] = 32,
    max_pixels: Annotated[
        int, typer.Option(min=1, max=64, help="Largest photo, in 2^20 pixels.")
    ] = 32,
) -> None:
    """Answer over HTTP until Ctrl-C or SIGTERM.

    Without tokens the service listens on loopback only and does whatever this machine asks. Nothing
    of a photo is stored or logged.
    """
    if context.invoked_subcommand is not None:
        return
    with sentences():
        _need_extra()
        from veilface.core.devices import apart, fitting_threads
        from veilface.errors import ServiceError
        from veilface.service.access import LOOPBACK
        from veilface.service.app import make_app
        from veilface.service.networks import Networks
        from veilface.service.server import Server
        from veilface.service.settings import Limits
        from veilface.service.tokens import Tokens

        known = Tokens(tokens)
        names = [one.name for one in known.all()]
        if not names and host not in LOOPBACK:
            raise ServiceError(
                f"without tokens the service listens on loopback only, not on {host}; "
                "run: veilface serve token new NAME --scope protect"
            )
        if not names:
            typer.echo(
                "no tokens: listening on loopback only, for everybody on this machine", err=True
            )
        apart(fitting_threads)  # this thread only listens; the worker begins with as many
        networks = Networks.load(split_names(recognizer), device=device, batch_size=batch_size)
        application = make_app(
            networks,
            tokens=known if names else None,
            people=None if database is None else _open(database, networks),
            limits=Limits(
                max_body=max_body * 2**20,
                max_pixels=max_pixels * 2**20,
                max_queue=queue,
                deadline=deadline,
                max_wait=max_wait,
            ),
        )
        logging.basicConfig(level=logging.INFO, format="%(message)s")
        server = Server(
            application,
            host=host,
            port=port,
            deadline=deadline,
            on_start=lambda url: typer.echo(f"listening on {url}", err=True),
        )
        with contextlib.suppress(KeyboardInterrupt):  # of either signal, raised once it has ended
            server.run()


@token.command("new")
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who gets it, in your words.")],
    scope: Annotated[
        list[str], typer.Option(help="protect, verify, enrol or identify; repeat it for more.")
    ],
    tokens: TokensOption = _TOKENS,
) -> None:
    """Make a token. It is printed once and stored as a hash."""
    with sentences(status=USAGE):
        from veilface.service.tokens import Tokens

        secret = Tokens(tokens).new(name, split_names(scope) or [])
    typer.echo(secret)


@token.command("list")
def list_tokens(
    tokens: TokensOption = _TOKENS,
    json_output: Annotated[
        bool, typer.Option("--json", help="One JSON document on stdout.")
    ] = False,
) -> None:
    """List names, scopes and dates; the tokens themselves are nowhere."""
    with sentences(status=USAGE, json_output=json_output):
        from veilface.service.tokens import Tokens

        known = Tokens(tokens).all()
    if json_output:
        listed = [
            {"name": one.name, "scopes": list(one.scopes), "created": one.created} for one in known
        ]
        print_json({"tokens": listed})
        return
    rows = [("name", "scopes", "created")]
    rows += [(printable(one.name), ", ".join(one.scopes), one.created) for one in known]
    typer.echo(table(rows))


@token.command("revoke")
def revoke(
    name: Annotated[str, typer.Argument(metavar="NAME")], tokens: TokensOption = _TOKENS
) -> None:
    """Revoke a token; a running service refuses it at once."""
    with sentences(status=USAGE):
        from veilface.service.tokens import Tokens

        Tokens(tokens).revoke(name)
    typer.echo(f"{printable(name)}: revoked")


def _need_extra() -> None:
    from veilface.errors import MissingExtraError

    for package in ("fastapi", "uvicorn", "python_multipart", "prometheus_client"):
        try:
            importlib.import_module(package)
        except ImportError as error:
            raise MissingExtraError(
                f"{package} is needed for the service and does not load ({error}); "
                'run: pip install "veilface[service]"'
            ) from error


def _open(database: str | os.PathLike[str], networks: Networks) -> Enrolled:
    """The gallery of the recogniser that is in the database, or of the first one."""
    from veilface.errors import UnknownNameError
    from veilface.gallery import open_gallery, space_of
    from veilface.gallery.opening import recognizers_of
    from veilface.service.state import Enrolled

    stored = [space.recognizer for space in recognizers_of(database)]
    loaded = networks.recognizers
    name = next((name for name in loaded if not stored or name in stored), None)
    if name is None:
        raise UnknownNameError("recogniser of this gallery", stored[0], loaded)
    chosen: Recognizer = loaded[name]
    return Enrolled(open_gallery(database, space_of(chosen.spec)), chosen)
