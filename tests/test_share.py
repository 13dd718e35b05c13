import sys
from pathlib import Path

import pytest

from ros_mbmrl import share
from ros_mbmrl.errors import UserError


def test_the_checkout_has_the_hexapod() -> None:
    assert share.sim_path("hexapod.xml").name == "hexapod.xml"


@pytest.mark.parametrize("where", ["sys.prefix", "AMENT_PREFIX_PATH"])
def test_installed_files_are_found_in_share(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "share" / "ros_mbmrl" / "sim"
    folder.mkdir(parents=True)
    (folder / "other.xml").write_text("<mujoco/>")
    if where == "sys.prefix":
        monkeypatch.setattr(sys, "prefix", str(tmp_path))
    else:
        monkeypatch.setenv("AMENT_PREFIX_PATH", f"/nowhere:{tmp_path}")
    assert share.sim_path("other.xml") == folder / "other.xml"


def test_a_missing_file_is_named() -> None:
    with pytest.raises(UserError, match=r"no simulation file 'octopod.xml'"):
        share.sim_path("octopod.xml")
