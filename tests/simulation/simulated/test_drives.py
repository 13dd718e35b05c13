"""Which actuators commands move: by name, by joint, by formula, and as the rate of a servo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.reading import read_description
from ros_mbmrl.robots.described.twin_reading import read_twin
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.simulated.drives import Drive, complete, controls, find_drives, integrate


def drives_of(path: Path, old: str = "", new: str = "") -> tuple[Drive, ...]:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    description = read_description(path)
    model = mujoco.MjModel.from_xml_path(str(path.with_name("arm.xml")))
    return find_drives(model, description, read_twin(description))


def test_a_command_moves_the_actuator_of_its_name_or_of_its_joint(arm_file: Path) -> None:
    shoulder, elbow = drives_of(arm_file)
    assert (shoulder.number, shoulder.joint) == (0, -1)
    # Called servo in the model, and takes angles, of which the command is the rate.
    assert (elbow.number, elbow.joint) == (1, 1)


def test_a_command_in_a_servos_own_unit_is_not_integrated(arm_file: Path) -> None:
    _, elbow = drives_of(arm_file, "elbow: {unit: rad/s,", "elbow: {unit: rad,")
    assert elbow.joint == -1


def test_formulas_mix_commands_and_the_rest_stays(arm_file: Path) -> None:
    found = drives_of(arm_file, "keyframe: bent", "actuators: {servo: 0.5 + elbow - 2 * shoulder}")
    rest, motors = np.array([0.3, 0.0]), np.array([[[0.1, 0.2]], [[0.0, 0.0]]])
    expected = [[[0.3, 0.5]], [[0.3, 0.5]]]
    np.testing.assert_allclose(controls(found, ("shoulder", "elbow"), rest, motors), expected)


def test_a_set_points_range_is_the_actuators_or_else_the_joints(arm_file: Path) -> None:
    path = arm_file.with_name("arm.xml")
    limited = path.read_text().replace('"-2 2"', '"-1 1"')
    for text, limit in ((limited, 1.0), (limited.replace(' ctrlrange="-1 1"', ""), 2.0)):
        path.write_text(text)
        spec = mujoco.MjSpec.from_file(str(path))
        model = spec.compile()
        integrate(spec, model, drives_of(arm_file))
        model = spec.compile()
        assert (model.na, model.actuator_actlimited.tolist()) == (1, [0, 1])
        assert model.actuator_actrange[1] == pytest.approx([-limit, limit], abs=1e-3)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "    elbow: {unit: rad/s,",
            "    wrist: {unit: rad/s,",
            "command 'wrist' moves nothing in the model: expected an actuator of this name, one of "
            "the joint of this name, or a formula in 'actuators'; the model's actuators are "
            "shoulder, servo",
        ),
        ("keyframe: bent", "actuators: {sevro: elbow}", "no actuator 'sevro'"),
    ],
)
def test_what_moves_nothing_is_told(arm_file: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(UserError, match=r"planar_arm\.yaml:\d+: twin") as caught:
        drives_of(arm_file, old, new)
    assert message in str(caught.value)


def completed(arm_file: Path, servo: str, unit: str = "rad/s") -> mujoco.MjModel:
    """The arm without actuators, as a URDF has none, completed for its commands."""
    xml = arm_file.with_name("arm.xml")
    text = xml.read_text()
    xml.write_text(text[: text.index("  <actuator>")] + "</mujoco>")
    text = arm_file.read_text().replace("keyframe: bent", servo)
    arm_file.write_text(text.replace("elbow: {unit: rad/s,", f"elbow: {{unit: {unit},"))
    description, spec = read_description(arm_file), mujoco.MjSpec.from_file(str(xml))
    assert complete(spec, spec.compile(), description, read_twin(description))
    return spec.compile()


def test_joints_without_actuators_get_motors_and_servos(arm_file: Path) -> None:
    model = completed(arm_file, "servo: {stiffness: 30, damping: 2}")
    assert [model.actuator(k).name for k in range(model.nu)] == ["shoulder", "elbow"]
    np.testing.assert_array_equal(model.actuator_gainprm[:, 0], [1, 30])
    np.testing.assert_array_equal(model.actuator_biasprm[:, 1:3], [[0, 0], [-30, -2]])


@pytest.mark.parametrize(
    ("servo", "unit"), [("spread: 0", "rad/s"), ("servo: {stiffness: 30, damping: 2}", "V")]
)
def test_a_servo_must_be_known(arm_file: Path, servo: str, unit: str) -> None:
    with pytest.raises(UserError, match="joint 'elbow' has no actuator: expected a command in N m"):
        completed(arm_file, servo, unit)


def test_what_has_its_actuators_is_complete(arm_file: Path) -> None:
    description = read_description(arm_file)
    spec = mujoco.MjSpec.from_file(str(arm_file.with_name("arm.xml")))
    assert not complete(spec, spec.compile(), description, read_twin(description))
