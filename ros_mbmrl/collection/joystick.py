"""The joystick: its sticks count while the dead-man button is held, its buttons make requests."""

from __future__ import annotations

import math
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
    """Numbers of axes and buttons; the defaults are an Xbox pad's. A button of -1 is none.

    Args:
        timeout: age above which the joystick's last message no longer counts [s].
        still_timeout: time without any change after which the sticks do not count [s]: a pad that
            is out of range looks like one that is held still. Sticks under a thumb tremble and
            change many times a second; digital ones do not and may need more.
        deadman_timeout: the same for permission to move by the dead-man button alone [s]. Longer,
            because a held button changes nothing; press any other one now and then.
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
    still_timeout: float = 5.0
    deadman_timeout: float = 30.0

    def __post_init__(self) -> None:
        for name in ("deadman_button", "forward_axis", "turn_axis"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: expected 0 or more, got {getattr(self, name)}")
        limits = {
            "joy_timeout": self.timeout,
            "still_timeout": self.still_timeout,
            "deadman_timeout": self.deadman_timeout,
        }
        for name, limit in limits.items():
            if not limit > 0:
                raise ValueError(f"{name}: expected above 0 s, got {limit}")

    @property
    def asking(self) -> tuple[tuple[int, Kind], ...]:
        """Return the buttons and their requests."""
        return (
            (self.stop_button, Kind.HALT),
            (self.episode_button, Kind.EPISODE),
            (self.discard_button, Kind.DISCARD),
            (self.terrain_button, Kind.TERRAIN),
            (self.middle_button, Kind.MIDDLE),
            (self.source_button, Kind.SOURCE),
        )


class Lag:
    """Delay of stamped messages beyond the shortest one seen.

    The sender's clock may differ from this machine's: only the advance of its stamps counts.
    """

    def __init__(self) -> None:
        self._least = math.inf

    def update(self, stamp: float, now: float, restart: bool) -> float:
        """Return the delay [s] of a message stamped `stamp`, which came at `now` [s], steady.

        restart: forget the shortest one, because the sender's clock may have been set since.
        """
        offset = now - stamp
        self._least = offset if restart else min(self._least, offset)
        return offset - self._least


class Joystick:
    """The joystick's last message, as long as it is fresh. clock: [s], steady."""

    def __init__(self, clock: Callable[[], float], config: JoystickConfig | None = None) -> None:
        self._clock, self._config = clock, config or JoystickConfig()
        self._axes: Sequence[float] = ()
        self._buttons: Sequence[int] | None = None
        self._said = b""
        self._at = self._changed_at = -math.inf
        self._stamps, self._lag = Lag(), 0.0

    def update(
        self, axes: Sequence[float], buttons: Sequence[int], stamp: float | None = None
    ) -> list[Request]:
        """Take in a message; return the requests of newly pressed buttons.

        A late message can make requests, but does not drive.

        Args:
            axes: -1 to 1, forward and left positive, as in `sensor_msgs/Joy`.
            buttons: 1 for a pressed one.
            stamp: by the sender's clock [s]; None: not stamped.
        """
        now, config = self._clock(), self._config
        before = buttons if self._buttons is None else self._buttons
        said = struct.pack(f"{len(axes)}d{len(buttons)}q", *axes, *buttons)
        if said != self._said:
            self._said, self._changed_at = said, now
        released = not _pressed(buttons, config.deadman_button)
        self._lag = 0.0 if stamp is None else self._stamps.update(stamp, now, released)
        self._at = now - self._lag
        self._axes, self._buttons = axes, tuple(buttons)
        return [
            Request(kind)
            for button, kind in config.asking
            if _pressed(buttons, button) and not _pressed(before, button)
        ]

    def held(self) -> bool:
        """Return whether the dead-man button is pressed, as far as is known."""
        return self._counts(self._config.deadman_timeout)

    def sticks(self) -> Sticks | None:
        """Return forward and turn; None: released, too old, or an axis is missing."""
        config = self._config
        wanted = (config.forward_axis, config.turn_axis)
        if not self._counts(config.still_timeout) or len(self._axes) <= max(wanted):
            return None
        forward, turn = (float(self._axes[axis]) for axis in wanted)
        return (forward, turn) if math.isfinite(forward + turn) else None

    @property
    def doubt(self) -> str:
        """Return why the sticks do not count while the dead-man button is held; empty: they do."""
        config = self._config
        if not self._deadman or self.sticks() is not None:
            return ""
        if self._lag > config.timeout:
            return (
                f"its stamps lag by more than {config.timeout:g} s: let go of the dead-man button "
                "and press it again"
            )
        if self._age > config.timeout:
            return f"silent for more than {config.timeout:g} s"
        if self._still > config.still_timeout:
            return f"no change for {config.still_timeout:g} s, is it out of range? Move a stick"
        return f"expected finite numbers on axes {config.forward_axis} and {config.turn_axis}"

    @property
    def _deadman(self) -> bool:
        return _pressed(self._buttons or (), self._config.deadman_button)

    @property
    def _age(self) -> float:
        return self._clock() - self._at

    @property
    def _still(self) -> float:
        return self._clock() - self._changed_at

    def _counts(self, longest: float) -> bool:
        fresh = 0 <= self._age <= self._config.timeout and 0 <= self._still <= longest
        return fresh and self._deadman


def _pressed(buttons: Sequence[int], button: int) -> bool:
    return 0 <= button < len(buttons) and buttons[button] == 1


class JoystickDevice:
    """A joystick device of this machine, such as /dev/input/js0.

    It sends changes only: while it exists, silence means no change, up to the joystick's
    `still_timeout`. Events of 8 bytes: time [ms], value, type (1 a button, 2 an axis, 0x80 with
    either: state at the start), number (Linux kernel, Documentation/input/joydev/joystick-api.rst).
    Raises UserError.
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
        """Return the requests of its buttons since the last call."""
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
            elif kind & 2:  # the kernel's axes are positive to the right and backwards
                self._axes[number] = -max(-1.0, value / self.FULL)
            asked += self._update()
        return asked

    def _update(self) -> list[Request]:
        axes = [self._axes.get(k, 0.0) for k in range(1 + max(self._axes, default=-1))]
        buttons = [self._buttons.get(k, 0) for k in range(1 + max(self._buttons, default=-1))]
        return self._joystick.update(axes, buttons)

    def close(self) -> None:
        """Close the device; may be called again."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
