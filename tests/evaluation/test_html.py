"""The page holds everything itself, and says what it was given, letter by letter."""

from __future__ import annotations

import base64
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ros_mbmrl.evaluation.html import Image, Table, write_page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.sources: list[str] = []

    def handle_data(self, data: str) -> None:
        self.texts += [data.strip()] if data.strip() else []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]


def test_a_page_embeds_its_pictures_and_escapes_its_text(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"\x89PNG not really")
    table = Table(("method", "cm"), (("mb <1>", "1.50"),), caption="errors")
    page = tmp_path / "new" / "page.html"
    write_page(page, "A & B", [("First", ["a < b", table]), ("Second", [Image(picture, "c")])])
    reader = _Reader()
    reader.feed(page.read_text())
    for text in ("A & B", "First", "a < b", "method", "mb <1>", "1.50", "errors", "Second", "c"):
        assert text in reader.texts
    encoded = base64.b64encode(b"\x89PNG not really").decode()
    assert reader.sources == [f"data:image/png;base64,{encoded}"]


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 2 cells a row, got 1"):
        Table(("a", "b"), (("1",),))
