"""The two languages a VelociRoACH speaks, behind one interface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from ros_mbmrl.plants.wire import velociroach as v


class Dialect(Protocol):
    """Which packets do what. left, right: set-points [counts/ms]."""

    @property
    def prepare(self) -> tuple[bytes, ...]:
        """What comes before everything else; nothing is answered."""

    @property
    def answered(self) -> bool:
        """Whether the packet of `drive` is."""

    def drive(self, left: int, right: int) -> bytes:
        """Sets the speeds."""

    def poll(self, left: int, right: int) -> tuple[bytes, ...]:
        """Sets them again and asks where the legs are; the last packet is answered."""

    def positions(self, reply: v.Reply) -> tuple[int, int] | None:
        """Encoders [counts] of the answer to `poll`; None for any other reply."""


@dataclass(frozen=True)
class Grbal:
    """GrBAL's firmware: each set-point is answered with a sample of everything."""

    prepare: tuple[bytes, ...] = (v.set_pid_output_channel(1),)
    answered: bool = True

    def drive(self, left: int, right: int) -> bytes:
        """See `Dialect`."""
        return v.set_vel_get_imu(left, right)

    def poll(self, left: int, right: int) -> tuple[bytes, ...]:
        """See `Dialect`."""
        return (self.drive(left, right),)

    def positions(self, reply: v.Reply) -> tuple[int, int] | None:
        """See `Dialect`."""
        live = isinstance(reply, v.Telemetry) and not reply.saved
        return reply.positions if live else None  # type: ignore[union-attr]


@dataclass(frozen=True)
class Roach:
    """The stock firmware: speeds as stride profiles, no answer but to a question for encoders."""

    prepare: tuple[bytes, ...] = ()
    answered: bool = False

    def drive(self, left: int, right: int) -> bytes:
        """See `Dialect`."""
        return v.steady_profile(left, right)

    def poll(self, left: int, right: int) -> tuple[bytes, ...]:
        """See `Dialect`."""
        return self.drive(left, right), v.get_ams_pos()

    def positions(self, reply: v.Reply) -> tuple[int, int] | None:
        """See `Dialect`."""
        asked = isinstance(reply, v.Positions) and not reply.zeroed
        return reply.positions if asked else None  # type: ignore[union-attr]


DIALECTS: Mapping[str, Dialect] = MappingProxyType({"grbal": Grbal(), "roach": Roach()})
