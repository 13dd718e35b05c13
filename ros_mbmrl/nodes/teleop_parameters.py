"""Parameters of the node `teleop`, and what they say to its session, keyboard and joystick."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ros_mbmrl.collection.joystick import JoystickConfig
from ros_mbmrl.collection.keyboard import KeyboardConfig
from ros_mbmrl.collection.session import RANDOM, SessionConfig


@dataclass(frozen=True)
class TeleopParameters:
    """Parameters of the node `teleop`.

    source: who drives at the start. tty: the terminal that keys come from, empty for none.
    tags: names of terrains, joined by commas. scale: part of the command's range that sticks and
    keys reach. key_timeout, joy_timeout: [s]. The rest as in `SessionConfig`, `KeyboardConfig`,
    `JoystickConfig`.
    """

    robot: str = "hexapod"
    source: str = "joystick"
    tty: str = ""
    tags: str = "unknown"
    episode_seconds: float = 30.0
    seed: int = 0
    scale: float = 0.5
    key_timeout: float = 0.5
    first_key_timeout: float = 0.8
    hold_timeout: float = 30.0
    joy_timeout: float = 0.5
    still_timeout: float = 5.0
    deadman_timeout: float = 30.0
    deadman_button: int = 4
    forward_axis: int = 1
    turn_axis: int = 0
    episode_button: int = 7
    discard_button: int = 6
    terrain_button: int = 0
    middle_button: int = 3
    stop_button: int = 1
    source_button: int = 2

    @property
    def session(self) -> SessionConfig:
        """Return how the session goes. Raises ValueError."""
        return SessionConfig(
            terrains=tuple(self.tags.replace(",", " ").split()),
            source=self.source,
            episode_seconds=self.episode_seconds,
            automatic=self.source == RANDOM,
        )

    @property
    def keyboard(self) -> KeyboardConfig:
        """Return when a key counts as released. Raises ValueError."""
        return KeyboardConfig(self.key_timeout, self.first_key_timeout, self.hold_timeout)

    @property
    def joystick(self) -> JoystickConfig:
        """Return which axes and buttons count. Raises ValueError."""
        names = {field.name for field in fields(JoystickConfig)} - {"timeout"}
        numbers = {name: getattr(self, name) for name in names}
        return JoystickConfig(timeout=self.joy_timeout, **numbers)
