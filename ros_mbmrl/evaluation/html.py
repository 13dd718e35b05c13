"""One self-contained page: paragraphs, tables and pictures in a single HTML file."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem;
  color: #222; }
h1, h2 { line-height: 1.2; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #ddd; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { padding: .25rem .75rem; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; }
td { font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0; }
img { max-width: 100%; }
figcaption, caption { color: #666; font-size: .9rem; text-align: left; }
"""


@dataclass(frozen=True)
class Table:
    """A table of text; rows have a cell for each column. Raises ValueError for other lengths."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"expected {len(self.columns)} cells a row, got {len(row)}")


@dataclass(frozen=True)
class Image:
    """A picture; file: a PNG or a GIF, embedded into the page, caption: its description."""

    file: Path
    caption: str = ""


Block = str | Table | Image  # a paragraph, a table or a picture
Section = tuple[str, Sequence[Block]]  # a heading, and the blocks under it


def write_page(
    path: Path, title: str, sections: Sequence[Section], opening: Sequence[Block] = ()
) -> None:
    """Write the page to `path`, completely or not at all. Text is escaped; there are no links.

    Args:
        path: of the page.
        title: of the page.
        sections: in their order.
        opening: what stands between the title and the first section.

    Raises:
        OSError: a picture cannot be read, or the page cannot be written.
    """
    parts = [f"<h1>{escape(title)}</h1>", *(_block(block) for block in opening)]
    for heading, blocks in sections:
        parts += [f"<h2>{escape(heading)}</h2>", *(_block(block) for block in blocks)]
    body = "\n".join(parts)
    page = (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(page, encoding="utf-8")
    os.replace(partial, path)


def _block(block: Block) -> str:
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Image):
        return _image(block)
    return f"<p>{escape(block)}</p>"


def _table(table: Table) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    caption = f"<caption>{escape(table.caption)}</caption>" if table.caption else ""
    body = "\n".join(row(cells, "td") for cells in table.rows)
    return (
        f"<table>{caption}\n<thead>{row(table.columns, 'th')}</thead>\n"
        f"<tbody>\n{body}\n</tbody></table>"
    )


def _image(image: Image) -> str:
    data = base64.b64encode(image.file.read_bytes()).decode("ascii")
    caption, kind = escape(image.caption), image.file.suffix.lstrip(".")
    return (
        f'<figure><img alt="{caption}" src="data:image/{kind};base64,{data}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )
