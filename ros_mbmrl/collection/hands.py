"""Hands: the keyboard and the joystick of this machine, as far as they exist."""

from __future__ import annotations

import select
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from ros_mbmrl.collection.joystick import Joystick, JoystickConfig, JoystickDevice
from ros_mbmrl.collection.keyboard import Keyboard
from ros_mbmrl.collection.mapping import Steer, driven
from ros_mbmrl.collection.requests import Request
from ros_mbmrl.collection.session import Source
from ros_mbmrl.collection.terminal import Terminal


class Hands:
    """An operator; a context manager, which opens the devices and restores the terminal.

    Raises UserError for an unsuitable device.

    Args:
        terminal, joystick: devices, None for none.
        ending: set when the run should end.
        clock: steady [s].
        config: of the joystick.
    """

    def __init__(
        self,
        terminal: Path | None,
        joystick: Path | None,
        ending: threading.Event,
        clock: Callable[[], float],
        config: JoystickConfig | None = None,
    ) -> None:
        self.unattended = terminal is None and joystick is None
        self._ending = ending
        self._keyboard, self._joystick = Keyboard(clock), Joystick(clock, config)
        self._held = ExitStack()
        self._paths = terminal, joystick
        self._terminal: Terminal | None = None
        self._device: JoystickDevice | None = None

    def __enter__(self) -> Hands:
        terminal, joystick = self._paths
        with self._held as opening:
            if joystick is not None:
                self._device = JoystickDevice(joystick, self._joystick)
                opening.callback(self._device.close)
            if terminal is not None:
                self._terminal = opening.enter_context(Terminal(terminal))
            self._held = opening.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._held.close()

    def sources(self, steer: Steer) -> dict[str, Source]:
        """Return the existing sources of commands."""
        terminal, joystick = self._paths
        named: dict[str, Source] = {}
        if terminal is not None:
            named["keyboard"] = driven(self._keyboard.sticks, steer)
        if joystick is not None:
            named["joystick"] = driven(self._joystick.sticks, steer)
        return named

    def permit(self) -> bool:
        """Return whether the robot may move on its own; a lone joystick decides by its button."""
        terminal, joystick = self._paths
        return self._joystick.held() if terminal is None and joystick is not None else True

    @property
    def doubt(self) -> str:
        """Return why pressed keys or buttons do not count; empty if they do."""
        devices = {"keyboard": self._keyboard.doubt, "joystick": self._joystick.doubt}
        return "; ".join(f"{name}: {why}" for name, why in devices.items() if why)

    @property
    def gone(self) -> bool:
        """Return whether a device was removed."""
        return any(device.gone for device in (self._terminal, self._device) if device)

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` [s] for input from either device; return whether there is any."""
        devices = [device.fd for device in (self._terminal, self._device) if device]
        if self.gone or not devices:
            self._ending.wait(timeout)
            return False
        return bool(select.select(devices, [], [], max(0.0, timeout))[0])

    def requests(self) -> list[Request]:
        """Return the requests by keys and buttons since the last call."""
        asked: list[Request] = []
        if self._terminal is not None:
            answers = [self._keyboard.press(key) for key in self._terminal.pressed()]
            asked += [request for request in answers if request is not None]
        if self._device is not None:
            asked += self._device.requests()
        return asked
