"""What the doctor says of machines that lack something."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ros_mbmrl import ros_environment
from ros_mbmrl.commands import doctor


def test_every_check_answers_and_says_what_to_do_about_what_fails() -> None:
    findings = doctor.examine()
    assert list(findings) == list(doctor.CHECKS)
    assert findings["python"]["ok"]
    assert findings["packages"]["ok"], findings["packages"]
    for finding in findings.values():
        assert finding["found"]
        assert finding["ok"] or finding["advice"]


def test_a_probe_that_crashes_is_a_finding() -> None:
    assert doctor.probe("raise OSError('no driver')") == "OSError: no driver"
    assert doctor.probe("import os; os._exit(7)") == "exit status 7"
    assert doctor.probe("print('noise'); print('{\"a\": 1}')") == {"a": 1}


def test_a_probe_that_hangs_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PROBE_SECONDS", 0.2)
    assert doctor.probe("import time; time.sleep(60)") == "no answer within 0.2 s"


def test_no_ros_says_where_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = "ModuleNotFoundError: No module named 'rclpy'"
    monkeypatch.setattr(doctor, "probe", lambda code: missing)
    finding = doctor.check_ros()
    assert not finding.ok
    assert finding.found == missing
    assert "[ros]" in finding.advice


def test_a_missing_package_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_version", lambda name: "" if name == "pyserial" else "1.0")
    assert doctor.check_packages().advice == "for pyserial: pip install -e '.[hardware]'"
    monkeypatch.setattr(doctor, "_version", lambda name: "" if name == "mcap" else "1.0")
    assert not doctor.check_packages().ok


def test_serial_ports_are_listed_with_their_access(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert doctor.check_serial(tmp_path).found == "no port"
    (tmp_path / "ttyUSB0").touch()
    assert doctor.check_serial(tmp_path) == doctor.Finding(True, str(tmp_path / "ttyUSB0"))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    finding = doctor.check_serial(tmp_path)
    assert not finding.ok
    assert "dialout" in finding.advice


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("bogus", "unset MUJOCO_GL; only pictures need it"),
        ("osmesa", "install libosmesa6, or unset MUJOCO_GL; only pictures need it"),
        (
            "",
            "install libegl1 and a GL driver (mesa), or use MUJOCO_GL=osmesa with libosmesa6; "
            "only pictures need it",
        ),
    ],
)
def test_rendering_advice_fits_what_was_asked_for(
    name: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MUJOCO_GL", name)
    monkeypatch.setattr(doctor, "probe", lambda code, environment: "RuntimeError: no GL")
    assert doctor.check_rendering().advice == advice


def test_another_middleware_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ros_environment, "middlewares", lambda environment: {"rmw_here_cpp"})
    monkeypatch.setenv("RMW_IMPLEMENTATION", "rmw_there_cpp")
    finding = doctor.check_ros()
    assert not finding.ok and "unset RMW_IMPLEMENTATION" in finding.advice
    assert finding.found.startswith("RMW_IMPLEMENTATION: 'rmw_there_cpp' is not installed")


def test_an_rclpy_that_fails_is_not_advised_to_be_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = "ImportError: The C extension cannot be loaded"
    monkeypatch.setattr(doctor, "probe", lambda code: reason)
    finding = doctor.check_ros()
    assert finding.found == reason and "source a ROS" not in finding.advice


@pytest.mark.parametrize("home", [None, "", "/proc"])
def test_without_a_home_ros_works(home: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rclpy")
    monkeypatch.delenv("HOME")
    if home is not None:
        monkeypatch.setenv("HOME", home)
    assert doctor.check_ros().ok


def test_a_log_folder_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rclpy")
    monkeypatch.setenv("ROS_LOG_DIR", "/proc/none")
    finding = doctor.check_ros()
    assert not finding.ok
    assert finding.found.startswith("ROS_LOG_DIR: '/proc/none' cannot be written")
    assert finding.advice.startswith("set ROS_LOG_DIR")
