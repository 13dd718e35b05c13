import pytest

from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.simulation.calibration import make_terrain
from ros_mbmrl.simulation.render import frame
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
