"""The keyboard: driving keys act while they are repeated, the others ask for something.

A terminal tells of presses only. A held key repeats; one that has not come for `timeout` is up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ros_mbmrl.collection.requests import Kind, Request

Sticks = tuple[float, float]  # forward, turn: -1 to 1, turn positive to the left

# A terminal repeats only the newest key, so curves have keys of their own.
DRIVE: Mapping[str, Sticks] = MappingProxyType(
    {
        **dict.fromkeys(("w", "up"), (1.0, 0.0)),
        **dict.fromkeys(("s", "down"), (-1.0, 0.0)),
        **dict.fromkeys(("a", "left"), (0.0, 1.0)),
        **dict.fromkeys(("d", "right"), (0.0, -1.0)),
        "q": (1.0, 0.5),
        "e": (1.0, -0.5),
    }
)
ASK: Mapping[str, Request] = MappingProxyType(
    {
        "enter": Request(Kind.EPISODE),
        "x": Request(Kind.DISCARD),
        "m": Request(Kind.MIDDLE),
        " ": Request(Kind.HALT),
        "r": Request(Kind.RESET),
        "c": Request(Kind.SOURCE),
        **{str(k): Request(Kind.TERRAIN, k) for k in range(1, 10)},
    }
)
HELP = (
    "w a s d, q e, arrows: drive   space: stop at once   enter: start or stop an episode   "
    "x: discard   1-9: terrain   m: to the middle   c: next source   r: reset safety   ctrl-c: end"
)
_NAMES: Mapping[str, str] = MappingProxyType({"\r": "enter", "\n": "enter"})
_ARROWS: Mapping[str, str] = MappingProxyType({"A": "up", "B": "down", "C": "right", "D": "left"})
ESCAPE = "\x1b"


class Keyboard:
    """Which driving key is down, and what the other keys ask for. clock: [s], steady."""

    def __init__(self, clock: Callable[[], float], timeout: float = 0.5) -> None:
        if not timeout > 0:
            raise ValueError(f"key_timeout: expected above 0 s, got {timeout}")
        self._clock, self._timeout = clock, timeout
        self._down: Sticks | None = None
        self._at = 0.0

    def press(self, key: str) -> Request | None:
        """A key has come; what it asks for, if it is no driving key."""
        if key in DRIVE:
            self._down, self._at = DRIVE[key], self._clock()
            return None
        request = ASK.get(key)
        if request is not None and request.kind is Kind.HALT:
            self._down = None
        return request

    def sticks(self) -> Sticks | None:
        """Forward and turn of the key that is down; None: none is."""
        fresh = 0 <= self._clock() - self._at < self._timeout
        return self._down if fresh else None


class KeyDecoder:
    """Names of keys from a terminal's characters; an arrow is three of them."""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, characters: str) -> list[str]:
        """The keys that are complete."""
        text, self._rest = self._rest + characters, ""
        keys: list[str] = []
        while text:
            if text[0] != ESCAPE:
                keys.append(_NAMES.get(text[0], text[0].lower()))
                text = text[1:]
            elif len(text) > 1 and text[1] not in "[O":
                text = text[1:]
            elif len(text) < 3:
                self._rest, text = text, ""
            else:
                if text[2] in _ARROWS:
                    keys.append(_ARROWS[text[2]])
                text = text[3:]
        return keys
