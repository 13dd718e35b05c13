"""The joystick: its sticks count while the dead-man button is held, its buttons ask for things."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ros_mbmrl.collection.keyboard import Sticks
from ros_mbmrl.collection.requests import Kind, Request
from ros_mbmrl.errors import UserError


@dataclass(frozen=True)
class JoystickConfig:
    """Numbers of axes and buttons; those given are an Xbox pad's. A button of -1 is none.

    timeout: age [s] above which what the joystick said does not count any more.
    """

    deadman_button: int = 4
    forward_axis: int = 1
    turn_axis: int = 0
    episode_button: int = 7
    discard_button: int = 6
    terrain_button: int = 0
    middle_button: int = 3
    stop_button: int = 1
    source_button: int = 2
    timeout: float = 0.5

    def __post_init__(self) -> None:
        for name in ("deadman_button", "forward_axis", "turn_axis"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: expected 0 or more, got {getattr(self, name)}")
        if not self.timeout > 0:
            raise ValueError(f"joy_timeout: expected above 0 s, got {self.timeout}")

    @property
    def asking(self) -> tuple[tuple[int, Kind], ...]:
        """Buttons and what they ask for."""
        return (
            (self.stop_button, Kind.HALT),
            (self.episode_button, Kind.EPISODE),
            (self.discard_button, Kind.DISCARD),
            (self.terrain_button, Kind.TERRAIN),
            (self.middle_button, Kind.MIDDLE),
            (self.source_button, Kind.SOURCE),
        )


class Joystick:
    """What the joystick said last, as long as it is fresh. clock: [s], steady."""

    def __init__(self, clock: Callable[[], float], config: JoystickConfig | None = None) -> None:
        self._clock, self._config = clock, config or JoystickConfig()
        self._axes: Sequence[float] = ()
        self._buttons: Sequence[int] | None = None
        self._at = 0.0

    def update(self, axes: Sequence[float], buttons: Sequence[int]) -> list[Request]:
        """It has spoken; what the buttons that have just been pressed ask for.

        axes: -1 to 1, forward and left positive, as in `sensor_msgs/Joy`.
        """
        before = buttons if self._buttons is None else self._buttons
        self._axes, self._buttons, self._at = axes, tuple(buttons), self._clock()
        return [
            Request(kind)
            for button, kind in self._config.asking
            if _pressed(buttons, button) and not _pressed(before, button)
        ]

    def held(self) -> bool:
        """Whether the dead-man button is."""
        fresh = 0 <= self._clock() - self._at <= self._config.timeout
        return fresh and _pressed(self._buttons or (), self._config.deadman_button)

    def sticks(self) -> Sticks | None:
        """Forward and turn; None: the dead-man button is released, or an axis is missing."""
        config = self._config
        if not self.held() or len(self._axes) <= max(config.forward_axis, config.turn_axis):
            return None
        return float(self._axes[config.forward_axis]), float(self._axes[config.turn_axis])


def _pressed(buttons: Sequence[int], button: int) -> bool:
    return 0 <= button < len(buttons) and buttons[button] == 1


class JoystickDevice:
    """A joystick of this machine: /dev/input/js0 and its like.

    It speaks of changes only, so it counts as fresh until it is gone. Events of 8 bytes: time
    [ms], value, type (1 a button, 2 an axis, 0x80 with either: as it was at the start), number
    (Linux kernel, Documentation/input/joydev/joystick-api.rst). Raises UserError.
    """

    EVENT = struct.Struct("<IhBB")
    FULL = 32767.0

    def __init__(self, device: Path, joystick: Joystick) -> None:
        self._joystick = joystick
        self._axes: dict[int, float] = {}
        self._buttons: dict[int, int] = {}
        self.gone = False
        try:
            self.fd = os.open(device, os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            raise UserError(f"joystick: {device}: {error.strerror}") from None

    def requests(self) -> list[Request]:
        """What its buttons have asked for since the last call."""
        asked: list[Request] = []
        while not self.gone:
            try:
                data = os.read(self.fd, self.EVENT.size)
            except BlockingIOError:
                return [*asked, *self._update()]
            except OSError:
                data = b""
            if len(data) < self.EVENT.size:
                self.gone = True
                return asked
            _, value, kind, number = self.EVENT.unpack(data)
            if kind & 1:
                self._buttons[number] = int(value != 0)
            elif kind & 2:  # the kernel's axes grow to the right and backwards
                self._axes[number] = -max(-1.0, value / self.FULL)
            asked += self._update()
        return asked

    def _update(self) -> list[Request]:
        axes = [self._axes.get(k, 0.0) for k in range(1 + max(self._axes, default=-1))]
        buttons = [self._buttons.get(k, 0) for k in range(1 + max(self._buttons, default=-1))]
        return self._joystick.update(axes, buttons)

    def close(self) -> None:
        """Let go of it."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
