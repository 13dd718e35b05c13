import numpy as np
import pytest

from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.simulation.calibration import make_terrain
from ros_mbmrl.simulation.posture import make_posture
from ros_mbmrl.simulation.render import Camera, film, frame
from ros_mbmrl.simulation.world import HexapodWorld

WORLD = HexapodWorld(make_terrain("plain"))


def test_a_picture_shows_something_or_the_reason_is_named() -> None:
    try:
        picture = frame(WORLD, 160, 120)
    except RunError as error:
        pytest.skip(str(error))
    assert picture.shape == (120, 160, 3)
    assert picture.std() > 5


def test_no_gl_is_a_run_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "nothing")
    with pytest.raises(RunError, match="MUJOCO_GL=nothing"):
        frame(WORLD, 16, 16)


def test_bad_input() -> None:
    with pytest.raises(UserError, match="unknown camera 'x'"):
        frame(WORLD, camera="x")
    with pytest.raises(UserError, match="1280 x 960"):
        frame(WORLD, width=5000)


@pytest.mark.parametrize("robot", ["hexapod", "half_cheetah", "pr2_arm"])
def test_a_robot_in_states_is_drawn_where_it_is(robot: str) -> None:
    first = np.zeros(len(make_robot(robot).spec.state))
    if robot == "hexapod":
        first[[6, 8, 10, 15, 17]] = 1.0  # cosines
    second = first.copy()
    second[1] += 0.3
    try:
        pictures = film(make_posture(robot), np.stack([first, second, first]), 64, 48)
    except RunError as error:
        pytest.skip(str(error))
    assert [each.shape for each in pictures] == [(48, 64, 3)] * 3
    assert pictures[0].std() > 5
    assert (pictures[0] != pictures[1]).any()
    np.testing.assert_array_equal(pictures[2], pictures[0])  # nothing of those before


def test_cameras_do_not_disturb_each_other() -> None:
    one, other = make_posture("half_cheetah"), make_posture("arm_7dof")
    with Camera(64, 48) as left, Camera(32, 24) as right:
        try:
            before = left.picture(one.model, one.put(np.zeros(18)))
        except RunError as error:
            pytest.skip(str(error))
        assert right.picture(other.model, other.put(np.zeros(17))).shape == (24, 32, 3)
        np.testing.assert_array_equal(left.picture(one.model, one.data), before)
