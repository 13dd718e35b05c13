"""Address of a view, and what people are told of it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ros_mbmrl.errors import UserError
from ros_mbmrl.share import find

LAYOUT, PAGE = "config/foxglove_layout.json", "config/view.html"
HOST, PORT = "127.0.0.1", 8765
EXTRA = "pip install 'ros_mbmrl[view]'"


@dataclass(frozen=True)
class Address:
    """Address that a view listens on: of this machine's loopback, unless told otherwise.

    Args:
        host: name or address of an interface.
        port: 0: any that is free.
    """

    host: str = HOST
    port: int = PORT

    def __post_init__(self) -> None:
        if not self.host:
            raise UserError("host of the view: expected a name or an address, got ''")
        if not 0 <= self.port <= 65535:
            raise UserError(f"port of the view: expected 0 to 65535, got {self.port}")

    @property
    def url(self) -> str:
        """Return the URL of the web socket."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ws://{host}:{self.port}"

    def refused(self, reason: str) -> str:
        """Return what to do where the address cannot be used."""
        if "in use" in reason:
            return (
                f"view: {self.host}:{self.port} is taken, perhaps by another view: end that one, "
                "or choose another port (view_port:=0 or --port 0: any that is free)"
            )
        reason = reason.removeprefix("FoxgloveError: ").removeprefix("Failed to bind port: ")
        return f"view: cannot listen at {self.host}:{self.port} ({reason}): expected another host"


def check_installed() -> None:
    """Raise UserError where the package that serves views is not installed."""
    if find_spec("foxglove") is None:
        raise UserError(f"view: foxglove-sdk is not installed: {EXTRA}")


def layout() -> Path:
    """Return the file of the layout that comes along. Raises UserError if it is not there."""
    return _shared(LAYOUT)


def page(address: Address) -> str:
    """Return the URL of the page that comes along, for a view. Raises UserError."""
    return f"{_shared(PAGE).as_uri()}#{address.url}"


def greeting(address: Address, link: str) -> str:
    """Return a line that says how to see the view."""
    return (
        f"live view at {address.url}: open {page(address)} in a browser, or {link}, or "
        f"'Open connection' in Foxglove or Lichtblick; layout: 'Import from file' {layout()}"
    )


def _shared(name: str) -> Path:
    found = find(name)
    if found is None:
        raise UserError(f"view: no {name}: expected it where the package is installed")
    return found.resolve()
