"""The robot's start-up, its polls, and its way to rest, in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.plants.base import PlantFault
from ros_mbmrl.plants.wire import velociroach as v
from ros_mbmrl.plants.wire.conversation import Conversation
from ros_mbmrl.plants.wire.link import RadioLink
from ros_mbmrl.plants.wire.settings import RadioConfig

MakeBench = Callable[..., Any]
STOCK = RadioConfig(dialect="roach", battery=3.9)


def talk(bench: Any, config: RadioConfig | None = None) -> Conversation:
    """A conversation over an open line to the bench's robot."""
    config = config or RadioConfig()
    link = RadioLink(bench.line, config.address, bench.clock, forget=config.patience)
    link.open()
    return Conversation(config, link, bench.clock, bench.line.sleep)


def test_the_start_up_is_the_published_one(make_bench: MakeBench) -> None:
    bench = make_bench()
    robot = talk(bench)
    assert not robot.ready
    robot.start_up()
    assert robot.ready
    assert bench.kinds() == [0x97, 0x81, 0x90, 0x82, 0x8E, 0x96]
    times = [when for when, _ in bench.line.sent]
    assert times[3] - times[2] >= 1.0
    assert robot.version == "VelociRoACH twin, emulated radio"
    stock = make_bench(STOCK)
    talk(stock, STOCK).start_up()
    assert stock.kinds() == [0x81, 0x90, 0x82, 0x8E, 0x8D, 0x84]


def test_gains_are_sent_until_they_are_echoed(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.far.faults.set("silent")
    heard = iter([False] * 4 + [True] * 100)
    write = bench.line.write

    def hears_the_fifth(data: bytes) -> None:
        if bytes([0, v.SET_PID_GAINS]) in data and next(heard):
            bench.far.faults.set()
        write(data)

    bench.line.write = hears_the_fifth  # type: ignore[method-assign]
    talk(bench).start_up()
    times = [when for when, packet in bench.line.sent if packet[1] == v.SET_PID_GAINS]
    assert len(times) == 5
    assert np.diff(times) == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        ("silent", PlantFault, "radio silent: no answer"),
        (
            "garbage",
            UserError,
            r"\d+ bytes, no valid frame: wrong baud rate\? hardware.baud is 57600",
        ),
        ("wrong_address", UserError, "robot 0x0007 answers, expected 0x0001"),
        ("wrong_version", UserError, "runs 'ImageProc 2.5 hall', expected 'VelociRoACH'"),
    ],
)
def test_a_robot_that_is_not_there(
    fault: str, error: type, message: str, make_bench: MakeBench
) -> None:
    bench = make_bench()
    bench.far.faults.set(fault)
    robot = talk(bench, RadioConfig(version="VelociRoACH"))
    with pytest.raises(error, match=message):
        robot.start_up()
    assert not robot.ready


def test_a_robot_of_the_other_dialect_is_named(make_bench: MakeBench) -> None:
    bench = make_bench()
    handle = bench.far.firmware.handle
    bench.far.firmware.handle = (  # type: ignore[method-assign]
        lambda packet, lag: [] if packet[1] == v.SET_VEL_GET_IMU else handle(packet, lag)
    )
    with pytest.raises(PlantFault, match="does not speak dialect 'grbal'"):
        talk(bench).start_up()


@pytest.mark.parametrize("config", [RadioConfig(), STOCK], ids=["grbal", "roach"])
def test_it_drives_and_is_brought_to_rest(config: RadioConfig, make_bench: MakeBench) -> None:
    bench = make_bench(config, noise=0.0)
    robot = talk(bench, config)
    robot.start_up()
    _, start = robot.poll((0, 0), bench.clock.now + 1.0)
    for _ in range(5):
        robot.drive((200, 200))
        bench.line.sleep(0.1)
    _, angles = robot.poll((200, 200), bench.clock.now + 1.0)
    assert (angles - start > 1.0).all()
    began = bench.clock.now
    assert robot.bring_to_rest(began + 1.0)
    _, rest = robot.poll((0, 0), bench.clock.now + 1.0)
    bench.line.sleep(0.1)
    _, later = robot.poll((0, 0), bench.clock.now + 1.0)
    assert later == pytest.approx(rest, abs=0.3)


def test_a_robot_that_falls_silent_is_a_fault_until_it_has_come_back(
    make_bench: MakeBench,
) -> None:
    bench = make_bench()
    robot = talk(bench)
    robot.start_up()
    bench.far.faults.set("silent")
    with pytest.raises(PlantFault, match="radio silent"):
        robot.poll((0, 0), bench.clock.now + 0.1)
    assert not robot.ready
    assert not robot.bring_to_rest(bench.clock.now + 1.0)
    bench.far.faults.set()
    before = len(bench.line.sent)
    robot.come_back(bench.clock.now + 1.0)
    assert robot.ready
    assert v.ZERO_POS not in bench.kinds()[before:]
    robot.poll((0, 0), bench.clock.now + 0.1)
