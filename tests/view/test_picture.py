"""What is made of a graph's messages: frames that move, lines, figures."""

from __future__ import annotations

import struct
from importlib import import_module
from types import SimpleNamespace as Message
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.data.measurement_messages import MeasurementMessages
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.view.picture import TRAIL_EVERY, Picture, colours, read_cloud
from ros_mbmrl.view.things import (
    CANDIDATES,
    DRIVEN,
    PLAN,
    REFERENCE,
    ROBOT,
    TRANSFORMS,
    Entity,
    Shown,
)

SPEC = make_robot("hexapod").spec
NAMES = [quantity.name for quantity in SPEC.measurement]


def blank(kind: str) -> Any:
    """An empty message."""
    package, _, name = kind.split("/")
    return getattr(import_module(f"{package}.msg"), name)()


@pytest.fixture(scope="module")
def codec() -> MeasurementMessages:
    pytest.importorskip("sensor_msgs")
    return MeasurementMessages(SPEC, blank)


@pytest.fixture
def picture() -> Picture:
    return Picture("hexapod", "hexapod")


def measured(x: float, y: float, second: float) -> Measurement:
    values = np.zeros(len(NAMES))
    values[NAMES.index("x")], values[NAMES.index("y")] = x, y
    values[NAMES.index("z")], values[NAMES.index("qw")] = 0.02, 1.0
    return Measurement(second, values)


def drive(picture: Picture, codec: Any, steps: int) -> list[Shown]:
    """What is shown of a robot that moves 1 cm a step along x, 2 cm left of it."""
    shown: list[Shown] = []
    for k in range(steps):
        for name, message in codec.encode(measured(0.01 * k, 0.02, 0.1 * k), None).items():
            shown += picture.take(name, message)
    return shown


def point(x: float, y: float) -> Any:
    return Message(pose=Message(position=Message(x=x, y=y, z=0.0)))


def path(*points: tuple[float, float]) -> Any:
    return Message(poses=[point(*each) for each in points])


def of(shown: list[Shown], topic: str) -> list[Any]:
    return [each.content for each in shown if each.topic == topic]


def line_of(entities: tuple[Entity, ...]) -> Any:
    ((line,),) = (entity.lines for entity in entities)
    return line


def test_the_base_moves_with_the_robot(picture: Picture, codec: Any) -> None:
    shown = of(drive(picture, codec, 4), TRANSFORMS)
    bases = [each for step in shown for each in step if each.child == "base_link"]
    places = [each.translation for each in bases]
    np.testing.assert_allclose(places, [(0.01 * k, 0.02, 0.02) for k in range(4)], atol=1e-12)
    assert {each.parent for each in bases} == {"odom"}
    assert {"odom", "leg_left_front"} <= {each.child for each in shown[0]}


def test_the_way_driven_ends_where_the_robot_is(picture: Picture, codec: Any) -> None:
    steps = 2 * TRAIL_EVERY + 1
    ways = of(drive(picture, codec, steps), DRIVEN)
    assert len(ways) == 3
    points = line_of(ways[-1]).points
    np.testing.assert_allclose(points[0], [0, 0.02, 0.02], atol=1e-12)
    np.testing.assert_allclose(points[-1], [0.01 * (steps - 1), 0.02, 0.02], atol=1e-12)
    picture.restart()
    assert len(line_of(of(drive(picture, codec, steps), DRIVEN)[0]).points) < steps


def test_the_distance_from_the_reference_is_told(picture: Picture, codec: Any) -> None:
    assert of(drive(picture, codec, 1), "/view/tracking") == []  # nothing to follow yet
    (reference,) = picture.take("reference", path((0, 0), (1, 0)))
    assert reference.latched and reference.topic == REFERENCE
    assert line_of(reference.content).points[:, 0].tolist() == [0, 1]
    (now,) = of(drive(picture, codec, 1), "/view/tracking")
    assert now["cross_track_m"] == pytest.approx(0.02)
    assert now["progress_m"] == pytest.approx(0.0, abs=1e-9)


def test_plans_are_soon_gone(picture: Picture) -> None:
    (plan,) = picture.take("plan", path((0, 0), (0.1, 0.2)))
    (entity,) = plan.content
    assert (plan.topic, entity.frame) == (PLAN, "map")
    assert 0 < entity.seconds <= 1  # type: ignore[union-attr]
    assert line_of(plan.content).points.tolist() == [[0, 0, 0], [0.1, 0.2, 0]]


def cloud(rows: int, steps: int, **changed: Any) -> Any:
    values = [(k, step, 0.5, 10.0 - k) for k in range(rows) for step in range(steps)]
    data = b"".join(struct.pack("<4f", *each) for each in values)
    fields = [Message(name=name) for name in ("x", "y", "z", "cost")]
    given = {"height": rows, "width": steps, "data": data, "fields": fields, **changed}
    return Message(header=Message(frame_id="map"), **given)


def test_each_candidate_is_a_line_in_the_colour_of_its_cost(picture: Picture) -> None:
    (shown,) = picture.take("plan/candidates", cloud(24, 4))
    assert shown.topic == CANDIDATES
    (entity,) = shown.content
    assert len(entity.lines) == 24  # type: ignore[union-attr]
    dearest, *_, cheapest = entity.lines  # type: ignore[union-attr]
    assert cheapest.points.tolist() == [[23, step, 0.5] for step in range(4)]
    assert cheapest.colour[:2] == (0.0, 1.0)  # green
    assert dearest.colour[:2] == (1.0, 0.0)  # red


def test_colours_follow_the_order_of_costs() -> None:
    found = colours(np.array([3.0, 1.0, 2.0, 1e9]))
    assert sorted(found, key=lambda c: c[0] - c[1]) == [found[k] for k in (1, 2, 0, 3)]
    assert colours(np.array([5.0]))[0][:2] == (0.0, 1.0)


@pytest.mark.parametrize(
    "changed",
    [{"height": 25}, {"width": 0}, {"fields": []}, {"data": b""}, {"data": bytes(2**21)}],
)
def test_another_cloud_is_not_drawn(picture: Picture, changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="candidates: expected a cloud"):
        read_cloud(cloud(24, 4, **changed))
    assert list(picture.take("plan/candidates", cloud(24, 4, **changed))) == []


def diagnostics(owner: str, name: str, **values: str) -> Any:
    pairs = [Message(key=key, value=value) for key, value in values.items()]
    return Message(status=[Message(name=name, hardware_id=owner, values=pairs)])


def test_figures_are_of_this_graph_alone(picture: Picture) -> None:
    told = diagnostics("hexapod", "dynamics: adaptation", error_before="2.0", error_after="0.5")
    (shown,) = picture.take("adaptation", told)
    assert shown.topic == "/view/dynamics/adaptation"
    assert shown.content == {"error_before": 2.0, "error_after": 0.5}
    assert list(picture.take("/diagnostics", diagnostics("other", "driver: timing"))) == []


def test_what_is_not_as_the_graph_sends_it_changes_nothing(picture: Picture) -> None:
    for topic in sorted(picture.topics):
        assert list(picture.take(topic, Message(poses=3))) == []
    assert list(picture.take("imaginary", None)) == []
    assert len(list(picture.take("reference", path()))) == 1  # an empty line
    assert list(picture.take("reference", path((0, 0), (float("nan"), 0))))


def test_shapes_need_no_message(picture: Picture) -> None:
    (still,) = picture.still()
    assert still.topic == ROBOT and still.latched
    assert {entity.frame for entity in still.content} >= {"map", "base_link"}


def test_a_robot_without_a_model_has_figures_but_no_shapes(
    monkeypatch: pytest.MonkeyPatch, codec: Any
) -> None:
    def none(robot: str) -> Any:
        raise UserError(f"robot '{robot}' has no MuJoCo model to draw")

    monkeypatch.setattr("ros_mbmrl.view.picture.make_frames", none)
    picture = Picture("hexapod", "hexapod")
    assert list(picture.still()) == []
    shown = drive(picture, codec, 1)
    assert of(shown, TRANSFORMS) == [] and len(of(shown, DRIVEN)) == 1
