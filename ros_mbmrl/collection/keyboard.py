"""The keyboard: driving keys act while they are repeated, other keys make requests.

A terminal reports presses only. A held key repeats; one that has not come for `timeout` counts as
released. Before the first repeat a terminal waits longer, 0.2 to 0.7 s, than between later ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ros_mbmrl.collection.requests import Kind, Request

Sticks = tuple[float, float]  # forward, turn: -1 to 1, turn positive to the left

# A terminal repeats only the newest key, so curves have their own keys.
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


@dataclass(frozen=True)
class KeyboardConfig:
    """Times after which a driving key counts as released [s].

    Args:
        timeout: after a repeat.
        first_timeout: after a press that is not yet a repeat; as long as the longest usual delay
            before the first repeat, or the robot would stop and start again.
        hold_timeout: after the first press of a key that repeats without end: a wireless keyboard
            that is out of range may leave a key pressed.
    """

    timeout: float = 0.5
    first_timeout: float = 0.8
    hold_timeout: float = 30.0

    def __post_init__(self) -> None:
        limits = {
            "key_timeout": self.timeout,
            "first_key_timeout": self.first_timeout,
            "hold_timeout": self.hold_timeout,
        }
        for name, limit in limits.items():
            if not limit > 0:
                raise ValueError(f"{name}: expected above 0 s, got {limit}")


class Keyboard:
    """The driving key that is pressed, and the requests of other keys. clock: [s], steady."""

    def __init__(self, clock: Callable[[], float], config: KeyboardConfig | None = None) -> None:
        self._clock, self._config = clock, config or KeyboardConfig()
        self._down: Sticks | None = None
        self._at = self._since = -math.inf
        self._repeats = False

    def press(self, key: str) -> Request | None:
        """Take in a key; return its request, None for a driving key."""
        if key in DRIVE:
            now = self._clock()
            if self._down != DRIVE[key] or not self._fresh(now):
                self._down, self._since = DRIVE[key], now
            self._repeats = self._since < now <= self._at + self._config.timeout
            self._at = now
            return None
        request = ASK.get(key)
        if request is not None and request.kind is Kind.HALT:
            self._down = None
        return request

    def sticks(self) -> Sticks | None:
        """Return forward and turn of the pressed key; None: no key is pressed."""
        now = self._clock()
        fresh = self._fresh(now) and now - self._since < self._config.hold_timeout
        return self._down if fresh else None

    @property
    def doubt(self) -> str:
        """Return why the pressed key does not count; empty if it does, or if none is pressed."""
        if self._down is None or self.sticks() is not None or not self._fresh(self._clock()):
            return ""
        return f"one key held for {self._config.hold_timeout:g} s: let go of it and press it again"

    def _fresh(self, now: float) -> bool:
        """Return whether the last key may still be pressed."""
        config = self._config
        first = max(config.timeout, config.first_timeout)
        return 0 <= now - self._at < (config.timeout if self._repeats else first)


class KeyDecoder:
    """Decoder from a terminal's characters to names of keys; an arrow is three characters."""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, characters: str) -> list[str]:
        """Return the complete keys."""
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
