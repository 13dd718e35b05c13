"""The page that comes along, by node.js where it is installed: it reads what the server sends."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("foxglove")
pytest.importorskip("websockets")
from websockets.sync.client import connect

from ros_mbmrl.simulation.frames import Transform
from ros_mbmrl.view.address import Address, page
from ros_mbmrl.view.diagnostics import FIGURES
from ros_mbmrl.view.foxglove_messages import frame_transforms, scene_update
from ros_mbmrl.view.server import Server
from ros_mbmrl.view.things import Entity, Line, Shape

RED = (1.0, 0.0, 0.0, 0.5)


@pytest.fixture(scope="module")
def script() -> str:
    """The page's script."""
    found = page(Address()).removeprefix("file://").partition("#")[0]
    text = Path(found).read_text()
    assert not re.findall(r"(?:src|href)\s*=|https?://|@import", text)  # it needs no network
    return text.partition("<script>")[2].partition("</script>")[0]


def evaluated(script: str, expression: str) -> Any:
    """What an expression is, after the page's script."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node.js is not installed")
    code = f"{script}\nconsole.log(JSON.stringify({expression}))"
    done = subprocess.run([node, "-e", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def bytes_of(message: Any) -> str:
    return f"new Uint8Array({list(message.encode())})"


def shape(kind: Any, points: Any = None) -> Shape:
    rotation = np.array([0.8, 0.6, 0.0, 0.0])
    return Shape(kind, np.array([1.0, 2.0, 3.0]), rotation, np.array([4.0, 5.0, 6.0]), RED, points)


def test_it_decodes_what_is_drawn(script: str) -> None:
    solids = (shape("box"), shape("ball"), shape("cylinder"), shape("mesh", np.eye(3)))
    line = Line(np.array([[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]]), RED, width=3.0)
    message = scene_update([Entity("leg", "base_link", solids, (line,), seconds=1.5)], 7)
    (got,) = evaluated(script, f"decode({bytes_of(message)}, SCENE).entities")
    assert (got["id"], got["frame"]) == ("leg", "base_link")
    assert got["lifetime"] == {"seconds": 1, "nanos": 500_000_000}
    for kind in ("cubes", "spheres", "cylinders"):
        (each,) = got[kind]
        assert each["size"] == {"x": 4, "y": 5, "z": 6}
        assert each["pose"]["orientation"] == {"w": 0.8, "x": 0.6, "y": 0, "z": 0}
        assert each["color"] == {"r": 1, "g": 0, "b": 0, "a": 0.5}
    assert [list(p.values()) for p in got["triangles"][0]["points"]] == np.eye(3).tolist()
    (drawn,) = got["lines"]
    assert drawn["thickness"] == 3
    assert drawn["points"] == [{"x": 0, "y": 0, "z": 0}, {"x": 1, "y": 2, "z": 3}]


def test_it_places_a_point_through_the_frames(script: str) -> None:
    quarter = (np.sqrt(0.5), 0.0, 0.0, np.sqrt(0.5))  # about z
    told = (
        Transform("map", "odom", (0.0, 0.0, 1.0), (1.0, 0.0, 0.0, 0.0)),
        Transform("odom", "base_link", (1.0, 0.0, 0.0), quarter),
    )
    data = bytes_of(frame_transforms(told, 7))
    taken = f"(take('/view/transforms', 0, {data}), place({{x: 1, y: 0, z: 0}}, 'base_link'))"
    found = evaluated(script, taken)
    assert [found[axis] for axis in "xyz"] == pytest.approx([1, 1, 1])


def test_the_camera_sees_left_on_the_left_and_up_above(script: str) -> None:
    """From behind a robot that looks along x: y is to its left, z up, x further away."""
    see = "(camera.yaw = Math.PI, camera.pitch = 0.3, camera.distance = 2, [[0, 0, 0], "
    see += "[0, .1, 0], [0, 0, .1], [.1, 0, 0]].map(([x, y, z]) => "
    see += "project({x, y, z}, {x: 0, y: 0, z: 0}, 800, 600)))"
    middle, left, up, ahead = evaluated(script, see)
    assert (middle["u"], middle["v"]) == (400, 300)
    assert left["u"] < 400 and up["v"] < 300
    assert ahead["depth"] > middle["depth"] == pytest.approx(2)


def test_it_plots_figures_that_there_are(script: str) -> None:
    for _, topic, names in evaluated(script, "PLOTS"):
        assert set(names) <= set(FIGURES[topic])


def test_a_page_that_is_a_file_may_connect(server: Server) -> None:
    server.start()
    with connect(server.address.url, subprotocols=["foxglove.sdk.v1"], origin="null") as socket:  # type: ignore[arg-type]
        assert json.loads(socket.recv(timeout=60))["op"] == "serverInfo"
