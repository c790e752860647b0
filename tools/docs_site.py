"""Hooks of mkdocs: README.md is the first page, and links into the repository become its paths.

The pages are read in the repository as much as on the site, so their links are those that work
there; a test follows every one.
"""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

README = Path(__file__).resolve().parents[1] / "README.md"

_OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./([^)]+)\)")
_FROM_README = re.compile(r"\]\((?!https?:|#)(docs/)?")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Put README.md in as index.md, with links as seen from docs/."""
    text = README.read_text(encoding="utf-8")
    text = _FROM_README.sub(lambda found: "](" if found[1] else "](../", text)
    files.append(File.generated(config, "index.md", content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Say where in the repository a file is that is no page."""
    return _OUTSIDE.sub(r"\1 (`\2`)", markdown)
