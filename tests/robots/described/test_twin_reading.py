"""The section `twin` as it is read: what it names, and where it is wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.reading import read_description
from ros_mbmrl.robots.described.twin_reading import FUNCTIONS, errors, read_twin


def changed(path: Path, old: str, new: str) -> Path:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


def test_a_section_says_what_its_keys_say(arm_file: Path) -> None:
    twin = read_twin(read_description(arm_file))
    assert (twin.model, twin.keyframe, twin.latency) == ("arm.xml", "bent", 0.01)
    assert twin.joints == {"shoulder": "shoulder_joint"}
    assert twin.noise == {"elbow": 0.01}
    # Those that every robot has, then the file's own.
    assert list(twin.faults) == [
        *("shoulder_disabled", "elbow_disabled", "shoulder_weak", "elbow_weak"),
        *("load", "servo_weak", "encoder_off", "late"),
    ]
    assert [change.name for change in twin.faults["encoder_off"]] == ["elbow", "shoulder"]
    # A joint goes by its name in the model.
    assert [(c.of, c.name, c.quantity) for c in twin.randomise] == [
        ("", "", "mass"),
        ("joint", "shoulder_joint", "friction"),
    ]


def test_errors_are_of_measured_numbers_and_of_angles(arm_file: Path) -> None:
    assert errors(read_description(arm_file)) == (
        *("torque", "shoulder", "elbow", "shoulder_velocity", "elbow_velocity"),
    )


def test_formulas_take_arrays(arm_file: Path) -> None:
    changed(arm_file, "keyframe: bent", "actuators: {shoulder: 'max(shoulder, elbow, 0.1)'}")
    formula = read_twin(read_description(arm_file)).actuators["shoulder"]
    values = {"shoulder": np.array([0.0, 1.0]), "elbow": np.array([0.5, -1.0])}
    np.testing.assert_array_equal(formula(values, FUNCTIONS), [0.5, 1.0])


def test_a_vectors_sensor_stands_for_its_three_numbers(arm_file: Path) -> None:
    changed(arm_file, "measured:\n", "measured:\n" + "".join(f"  gyro_{a}: {{}}\n" for a in "xyz"))
    changed(arm_file, "keyframe: bent", "sensors: {gyro: imu, torque: 3}")
    twin = read_twin(read_description(arm_file))
    assert twin.sensors == {
        **{f"gyro_{axis}": f"imu[{k}]" for k, axis in enumerate("xyz")},
        "torque": 3.0,
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("model: arm.xml", "modle: arm.xml", "did you mean 'model'"),
        ("keyframe: bent", "spread: -1", ":17: twin.spread: expected a number of 0 or more"),
        ("latency: 0.01", "latency: soon", "twin.latency: expected a finite number, got soon"),
        ("{elbow: 0.01}", "{wrist: 0.01}", "twin.noise.wrist: unknown key: expected one of torque"),
        ("{shoulder: shoulder_joint}", "{hip: x}", "twin.joints.hip: unknown key"),
        ("keyframe: bent", "actuators: {servo: elbow +}", "is no formula"),
        ("keyframe: bent", "actuators: {servo: wrist}", "wrist"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    arm_file: Path, old: str, new: str, message: str
) -> None:
    with pytest.raises(UserError, match=r"planar_arm\.yaml:\d+: ") as caught:
        read_twin(read_description(changed(arm_file, old, new)))
    assert message in str(caught.value)
