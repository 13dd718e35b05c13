"""`mbmrl view`: a recording over the socket, and what is no recording."""

from __future__ import annotations

import json
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("foxglove")
from ros_mbmrl import cli
from ros_mbmrl.data.message_definitions import definition
from ros_mbmrl.data.recording import RecordingWriter
from ros_mbmrl.errors import UserError

NANO = 1_000_000_000


def path_message(points: int) -> bytes:
    """A nav_msgs/Path through points on a line, in CDR."""
    body = struct.pack("<iII", 0, 0, 4) + b"map\0"
    body += struct.pack("<I", points)
    for k in range(points):
        body += struct.pack("<iII", 0, 0, 4) + b"map\0"
        body += b"\0" * (-len(body) % 8)
        body += struct.pack("<7d", float(k), 0, 0, 0, 0, 0, 1)
    return b"\x00\x01\x00\x00" + body


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Half a second of a hexapod's graph: a reference, and safety's word."""
    try:
        definition("nav_msgs/msg/Path")
    except UserError as error:
        pytest.skip(str(error))
    path = tmp_path / "run.mcap"
    with RecordingWriter(path) as writer:
        writer.write_raw("/hexapod/reference", "nav_msgs/msg/Path", path_message(3), NANO, NANO)
        for k in range(6):
            now = NANO + k * NANO // 10
            said = b"\x00\x01\x00\x00" + bytes([k % 2])
            writer.write_raw("/hexapod/safety/state", "std_msgs/msg/Bool", said, now, now)
    return path


def test_a_recording_is_shown_once(recording: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    cli.main(["view", str(recording), "--port", "0", "--once", "--json", str(out)])
    results = json.loads(out.read_text())["results"]
    assert results == {
        "seconds": 0.5,
        "topics": 2,
        "robot": "hexapod",
        "messages_sent": 7,
        "rounds": 1,
    }


@pytest.fixture
def serving(recording: Path) -> Iterator[tuple[Any, str]]:
    """The command in a process of its own, and the URL that it prints."""
    words = [sys.executable, "-m", "ros_mbmrl.cli", "view", str(recording), "--port", "0"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    yield process, next(word.rstrip(":") for word in line.split() if word.startswith("ws://"))
    process.kill()
    process.wait()


def test_it_is_served_until_ctrl_c(serving: tuple[Any, str]) -> None:
    client = pytest.importorskip("websockets.sync.client")
    process, url = serving
    topics: dict[int, str] = {}
    seen: set[str] = set()
    with client.connect(url, subprotocols=["foxglove.sdk.v1"], close_timeout=0.1) as viewer:
        while not {"/hexapod/safety/state", "/hexapod/reference", "/view/reference"} <= seen:
            message = viewer.recv(timeout=60)
            if isinstance(message, bytes):
                if message[0] == 1:
                    seen.add(topics[struct.unpack_from("<I", message, 1)[0]])
                continue
            told = json.loads(message)
            if told["op"] == "advertise":
                topics |= {each["id"]: each["topic"] for each in told["channels"]}
                wanted = [{"id": c["id"], "channelId": c["id"]} for c in told["channels"]]
                viewer.send(json.dumps({"op": "subscribe", "subscriptions": wanted}))
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert "Traceback" not in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no.mcap"], "no.mcap: cannot be read"),
        (["text.mcap"], "text.mcap: not a recording, expected an MCAP file"),
        (["run.mcap", "--robot", "cat"], "unknown robot 'cat'"),
        (["run.mcap", "--port", "70000"], "port: expected"),
        (["run.mcap", "--speed", "0"], "speed: expected above 0"),
        (["run.mcap", "--host", "no.such.host.invalid"], "cannot listen at no.such.host.invalid"),
    ],
)
def test_bad_input_is_one_line(
    recording: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(recording.parent)
    Path("text.mcap").write_text("once upon a time")
    with pytest.raises(SystemExit) as ended:
        cli.main(["view", *words])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert said in line


def test_a_recording_without_messages_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "empty.mcap"
    RecordingWriter(path).close()
    with pytest.raises(SystemExit):
        cli.main(["view", str(path), "--robot", "hexapod"])
    assert "nothing to show: expected ROS 2 messages" in capsys.readouterr().err


def test_a_taken_port_is_one_line(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SystemExit) as ended:
            cli.main(["view", str(recording), "--port", str(taken.getsockname()[1])])
    assert ended.value.code == 2
    assert "is taken" in capsys.readouterr().err


def test_without_its_package_it_says_how_to_get_it(
    recording: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ros_mbmrl.view.address.find_spec", lambda name: None)
    with pytest.raises(SystemExit) as ended:
        cli.main(["view", str(recording)])
    assert ended.value.code == 2
    assert "foxglove-sdk is not installed: pip install" in capsys.readouterr().err
