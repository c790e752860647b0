"""One viewer's cases as an HTML page that a browser opens from disk."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from PIL import Image

from veilface.errors import MissingExtraError
from veilface.evaluation.asking.key import Task
from veilface.evaluation.asking.panels import CANDIDATE, FACE, QUESTIONS, Panel
from veilface.imaging.encode import encode

try:
    import jinja2
except ModuleNotFoundError as error:
    raise MissingExtraError(
        "jinja2 is needed to write line-ups and is not installed; "
        "run: pip install 'veilface[report]'"
    ) from error

CONSENT = (
    "You will see photographs from a research data set and altered versions of some of them. The "
    "purpose is to find out whether people still recognise whom an altered picture was made from. "
    "Taking part is voluntary and you may stop at any time. Nothing but your answers is recorded, "
    "and they stay with you until you hand them over. Do not copy or pass on the pictures: they "
    "show real people."
)
"""The first thing that a viewer reads."""


def render_page(panels: Sequence[Panel], *, viewer: int, study: str, task: Task) -> str:
    """The page as HTML text, which refers to nothing outside of itself.

    Args:
        panels: In the order in which they are shown.
        viewer: Number of the viewer, who saves ``answers-<viewer>.json``.
        study: Digest of what is shown, which the answers carry.
        task: What is asked.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("veilface.evaluation.asking"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    cases = [
        {"face": _uri(panel.face), "candidates": [_uri(photo) for photo in panel.candidates]}
        for panel in panels
    ]
    return environment.get_template("lineup.html").render(
        consent=CONSENT,
        question=QUESTIONS[task],
        side=FACE,
        small=CANDIDATE,
        data={"viewer": viewer, "study": study, "task": task, "cases": cases},
    )


def _uri(image: Image.Image) -> str:
    # JPEG: a page of 60 cases stays below 10 MB.
    return f"data:image/jpeg;base64,{base64.b64encode(encode(image, format='jpeg')).decode()}"
