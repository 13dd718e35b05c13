"""What people see of a moving robot: its twist and its transforms, in a recording of its twin."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from ros_mbmrl.collection.recorder import RunRecorder
from ros_mbmrl.collection.transforms import RecordedTransforms, TransformMessages
from ros_mbmrl.data.recording import read_messages
from ros_mbmrl.data.variances import UNKNOWN
from ros_mbmrl.errors import UserError
from ros_mbmrl.plants import make_plant, usual_ground
from ros_mbmrl.plants.base import PlantOptions
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.measurement import Measurement

pytest.importorskip("geometry_msgs")
STEPS = 60
MOBILE = ("hexapod", "half_cheetah", "ant")


@pytest.fixture(scope="module", params=MOBILE)
def drive(request: Any, tmp_path_factory: Any) -> tuple[str, Path]:
    """A run of a robot's twin, and its recording. The hexapod is steered by its state."""
    name = request.param
    robot, path = make_robot(name), tmp_path_factory.mktemp(name) / "run.mcap"
    spec, estimator = robot.spec, StateEstimator(robot)
    options = PlantOptions(terrain=usual_ground(name), seed=2)
    with make_plant(robot, "twin", options) as plant, RunRecorder(spec, path) as recorder:
        for k in range(STEPS):
            measurement = plant.observe()
            recorder.measured(measurement)
            state = estimator.update(measurement)
            phase = 0.7 * k + np.arange(len(spec.action))
            wave = 0.5 * spec.action_high * np.sin(phase)
            plant.command(robot.retreat(state, (-0.4, 0.5)) if name == "hexapod" else wave)
            plant.advance(spec.period)
    return name, path


def _pose(odom: Any) -> tuple[np.ndarray, Rotation]:
    p, q = odom.pose.pose.position, odom.pose.pose.orientation
    return np.array([p.x, p.y, p.z]), Rotation.from_quat([q.x, q.y, q.z, q.w])


def _time(message: Any) -> float:
    return float(message.header.stamp.sec + message.header.stamp.nanosec * 1e-9)


def test_the_twist_is_the_differentiated_pose_in_the_body_frame(drive: tuple[str, Path]) -> None:
    name, path = drive
    odometry = [each.message for each in read_messages(path, [f"/{name}/odom"])]
    errors, sizes = [], []
    for before, now in zip(odometry[:-1], odometry[1:], strict=True):
        (p, r), (p_next, r_next) = _pose(before), _pose(now)
        dt = _time(now) - _time(before)
        linear, angular = now.twist.twist.linear, now.twist.twist.angular
        expected = [
            *r_next.apply(p_next - p, inverse=True) / dt,
            *(r.inv() * r_next).as_rotvec() / dt,
        ]
        told = [getattr(part, axis) for part in (linear, angular) for axis in "xyz"]
        errors.append(np.subtract(told, expected))
        sizes.append(expected)
        variances = np.reshape(now.twist.covariance, (6, 6)).diagonal()
        assert (variances > 0).all()
        moved = np.abs(expected) > 1e-6
        assert (variances[moved] < 1.0).all()  # what changes is known
    speeds, turns = np.linalg.norm(sizes, axis=0)[:3].max(), np.linalg.norm(sizes, axis=0)[3:].max()
    assert speeds > 0.3 and turns > 0.3  # it moved, and turned
    assert np.abs(errors).max() < 0.1 * np.abs(sizes).max(axis=0)[np.array(sizes).any(0)].min()
    first = np.reshape(odometry[0].twist.covariance, (6, 6)).diagonal()
    assert (first == UNKNOWN).all()


def test_the_velocity_that_a_simulated_robot_measures_is_there_as_it_was(
    drive: tuple[str, Path],
) -> None:
    name, path = drive
    velocities = [each.message for each in read_messages(path, [f"/{name}/velocity"])]
    assert len(velocities) == (0 if name == "hexapod" else STEPS)
    assert all(each.header.frame_id == "map" for each in velocities)


def test_base_link_moves_in_the_transforms_as_odom_says(drive: tuple[str, Path]) -> None:
    name, path = drive
    odometry = {_time(m): m for m in (r.message for r in read_messages(path, [f"/{name}/odom"]))}
    moving = [each.message for each in read_messages(path, ["/tf"])]
    (static,) = [each.message for each in read_messages(path, ["/tf_static"])]
    assert len(moving) == STEPS
    offset = next(each for each in static.transforms if each.child_frame_id == "odom")
    assert offset.header.frame_id == "map"
    places = set()
    for message in moving:
        base = next(each for each in message.transforms if each.child_frame_id == "base_link")
        assert base.header.frame_id == "odom"
        odom = odometry[_time(base)]
        assert odom.child_frame_id == "base_link"
        position, rotation = _pose(odom)
        t, q = base.transform.translation, base.transform.rotation
        np.testing.assert_allclose([t.x, t.y, t.z], position, atol=1e-9)
        turned = Rotation.from_quat([q.x, q.y, q.z, q.w])
        assert (rotation.inv() * turned).magnitude() < 1e-4  # the state holds angles
        places.add((round(t.x, 6), round(t.y, 6), round(t.z, 6)))
    assert len(places) > STEPS / 2  # it moves


def test_every_link_hangs_on_the_map_and_has_one_parent(drive: tuple[str, Path]) -> None:
    _, path = drive
    (static,) = [each.message for each in read_messages(path, ["/tf_static"])]
    moving = next(iter(read_messages(path, ["/tf"]))).message
    both = [*static.transforms, *moving.transforms]
    parents = {each.child_frame_id: each.header.frame_id for each in both}
    assert len(parents) == len(both) > 5
    for frame in list(parents):
        for _ in range(len(parents)):
            frame = parents.get(frame, frame)
        assert frame == "map"


def test_an_independent_reader_knows_the_transforms(drive: tuple[str, Path]) -> None:
    rosbags = pytest.importorskip("rosbags.highlevel")
    with rosbags.AnyReader([drive[1]]) as reader:
        told = [
            reader.deserialize(data, connection.msgtype)
            for connection, _, data in reader.messages()
            if connection.topic == "/tf"
        ]
        assert {each.topic for each in reader.connections} >= {"/tf", "/tf_static"}
    assert len(told) == STEPS
    assert "base_link" in {each.child_frame_id for each in told[0].transforms}


def test_a_step_that_is_sent_again_and_one_without_a_pose_have_no_transforms() -> None:
    transforms = RecordedTransforms("hexapod")
    values = np.array([0.0, 0.0, 0.03, 1.0, *[0.0] * 14])
    assert [name for name, _ in transforms.of(Measurement(1.0, values))] == ["/tf", "/tf_static"]
    assert transforms.of(Measurement(1.0, values)) == []
    broken = values.copy()
    broken[0] = math.nan
    assert transforms.of(Measurement(1.1, broken)) == []
    assert [name for name, _ in transforms.of(Measurement(1.2, values))] == ["/tf"]


def test_a_recording_goes_on_without_transforms(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("whatever")

    monkeypatch.setattr(TransformMessages, "moving", fail)
    transforms = RecordedTransforms("hexapod")
    values = np.array([0.0, 0.0, 0.03, 1.0, *[0.0] * 14])
    assert transforms.of(Measurement(1.0, values)) == []
    monkeypatch.undo()
    assert transforms.of(Measurement(1.1, values)) == []  # not tried again


def test_a_robot_without_a_mujoco_model_has_none() -> None:
    assert RecordedTransforms("spider").of(Measurement(1.0, np.zeros(3))) == []
    with pytest.raises(UserError, match="has no MuJoCo model"):
        TransformMessages("spider", lambda kind: None)
