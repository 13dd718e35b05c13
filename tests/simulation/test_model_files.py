"""Model files by path, and by package."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.marked import Marked
from ros_mbmrl.simulation.model_files import digest_of, read_model


def marked(text: str) -> Marked:
    return Marked("robot.yaml", 7, "twin.model", text)


def test_a_path_is_relative_to_the_robots_file(arm_file: Path) -> None:
    model = read_model(marked("arm.xml"), arm_file.parent).compile()
    assert model.joint("elbow").id == 1


def test_a_urdf_is_a_model_too(tmp_path: Path) -> None:
    link = '<inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/>'
    (tmp_path / "arm.urdf").write_text(
        f'<robot name="arm"><link name="base"/><link name="tip">{link}</inertial></link>'
        '<joint name="elbow" type="continuous"><parent link="base"/><child link="tip"/>'
        '<axis xyz="0 0 1"/></joint></robot>'
    )
    assert read_model(marked("arm.urdf"), tmp_path).compile().njnt == 1


def test_a_package_is_found_and_not_imported(
    arm_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = arm_file.parent / "robots_of_others"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (arm_file.parent / "arm.xml").rename(package / "arm.xml")
    monkeypatch.syspath_prepend(str(arm_file.parent))
    assert read_model(marked("robots_of_others:arm.xml"), Path()).compile().nu == 2


def test_the_menagerie_says_where_its_robots_are(
    arm_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Missing(Exception):
        pass

    def get(name: str) -> SimpleNamespace:
        if name != "arm":
            raise Missing(f"unknown robot\n{name!r}")
        return SimpleNamespace(path=lambda: arm_file.parent)

    menagerie = SimpleNamespace(get=get, MenagerieError=Missing)
    monkeypatch.setitem(sys.modules, "mujoco_menagerie", menagerie)  # type: ignore[arg-type]
    assert read_model(marked("mujoco_menagerie:arm/arm.xml"), Path()).compile().nu == 2
    with pytest.raises(UserError, match=r"^robot.yaml:7: twin.model: unknown robot 'leg'$"):
        read_model(marked("mujoco_menagerie:leg/leg.xml"), Path())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("none.xml", "no file"),
        ("no_package:arm.xml", "no package 'no_package' is installed"),
        ("os.path:arm.xml", "no package 'os.path' is installed"),
        ("planar_arm.yaml", "planar_arm.yaml: "),
    ],
)
def test_what_is_no_model_is_told_in_a_line(arm_file: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=r"^robot\.yaml:7: twin\.model: ") as caught:
        read_model(marked(text), arm_file.parent)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_the_menagerie_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mujoco_menagerie", None)
    with pytest.raises(UserError, match=r"pip install 'ros_mbmrl\[menagerie\]'"):
        read_model(marked("mujoco_menagerie:arm/arm.xml"), Path())


def test_a_digest_is_of_what_the_model_says(arm_file: Path) -> None:
    def digest() -> str:
        return digest_of(read_model(marked("arm.xml"), arm_file.parent).compile())

    first, xml = digest(), arm_file.parent / "arm.xml"
    assert digest() == first
    xml.write_text(xml.read_text() + "<!-- a remark -->")
    assert digest() == first
    xml.write_text(xml.read_text().replace('damping="0.1"', 'damping="0.2"'))
    assert digest() != first
