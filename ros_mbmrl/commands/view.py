"""`mbmrl view`: a recording in the browser, with the time of its messages; or how a run goes."""

from __future__ import annotations

import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from ros_mbmrl.commands.view_run import is_run, show_run
from ros_mbmrl.data.recording import RecordingInfo, read_raw, recording_info
from ros_mbmrl.data.steps import SAFE, named, robot_of
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.robots import ROBOTS
from ros_mbmrl.runtime.signals import ended_by_signals
from ros_mbmrl.topics import TOPICS
from ros_mbmrl.view.address import Address, check_installed, greeting

if TYPE_CHECKING:
    from ros_mbmrl.arguments.view import View as Arguments


def run(arguments: Arguments) -> dict[str, Any]:
    """Serve until Ctrl-C, or to the end of the recording; return what was shown.

    Raises UserError.
    """
    check_installed()
    if is_run(arguments.recording):
        return show_run(arguments)
    address = Address(arguments.host, arguments.port)
    path, info = arguments.recording, recording_info(arguments.recording)
    if arguments.robot is not None:
        choose("robot", arguments.robot, ROBOTS)
    robot = arguments.robot or robot_of(path, info)
    if all(topic.encoding for topic in info.topics.values()):
        raise UserError(f"{path}: nothing to show: expected ROS 2 messages")
    from ros_mbmrl.view.picture import Picture
    from ros_mbmrl.view.playback import Playback
    from ros_mbmrl.view.player import Player
    from ros_mbmrl.view.server import Server

    names = named(robot, info, [topic.name for topic in TOPICS])
    playback = Playback(info.start_ns, info.end_ns, time.monotonic, arguments.speed)
    server = Server(path.name, address)
    picture = Picture(robot, _owner(names, robot))
    player = Player(server, picture, playback, partial(read_raw, path), names)
    stopped = threading.Event()
    try:
        player.start()
        print(greeting(server.address, server.link()), flush=True)
        print(f"{path.name}: {info.seconds:.1f} s of {robot}, {_ways(arguments.once)}", flush=True)
        with ended_by_signals(stopped.set):  # a normal end, with results
            rounds = player.run(stopped, once=arguments.once)
    finally:
        server.close()
    return {**_facts(info), "robot": robot, "messages_sent": player.messages, "rounds": rounds}


def _owner(names: dict[str, str], robot: str) -> str:
    """Return the `hardware_id` of the graph's diagnostics: its namespace."""
    safe = next((full for full, name in names.items() if name == SAFE), "")
    return safe.removesuffix(SAFE).strip("/") or robot


def _ways(once: bool) -> str:
    return "once" if once else "again and again until Ctrl-C"


def _facts(info: RecordingInfo) -> dict[str, Any]:
    return {"seconds": info.seconds, "topics": len(info.topics)}
