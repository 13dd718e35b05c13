"""The two dialects of the VelociRoACH's protocol, behind one interface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from ros_mbmrl.plants.wire import velociroach as v


class Dialect(Protocol):
    """A dialect of the protocol. left, right: set-points [counts/ms]."""

    @property
    def prepare(self) -> tuple[bytes, ...]:
        """Return the packets to send first; nothing answers them."""

    @property
    def answered(self) -> bool:
        """Return whether the packet of `drive` is answered."""

    def drive(self, left: int, right: int) -> bytes:
        """Return a packet that sets the speeds."""

    def poll(self, left: int, right: int) -> tuple[bytes, ...]:
        """Return packets that set the speeds and ask for the legs; the last one is answered."""

    def positions(self, reply: v.Reply) -> tuple[int, int] | None:
        """Return the encoders [counts] from an answer to `poll`; None for any other reply."""


@dataclass(frozen=True)
class Grbal:
    """GrBAL's firmware: each set-point is answered with a full sample."""

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
    """The stock firmware: speeds as stride profiles; only a request for encoders is answered."""

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
