"""The environment: a middleware that is not installed, an rclpy that fails, no home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.ros_environment import INDEX, check_middleware, environment, log_folder, middlewares
from ros_mbmrl.share import find

WORDS = {
    "launch": ["-m", "ros_mbmrl.cli", "launch", "twin", "record:=false", "startup_timeout:=1"],
    "node": ["-m", "ros_mbmrl.nodes.safety", "--ros-args", "-r", "__ns:=/hexapod"],
    "collect": ["-m", "ros_mbmrl.cli", "collect", "hexapod", "--duration", "1", "--mocap", "/x"],
}


def _run(words: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / INDEX).mkdir(parents=True)
    for name in ("rmw_implementation", "rmw_one_cpp", "rmw_two_cpp"):
        (tmp_path / INDEX / name).touch()
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "none"))
    return tmp_path


def test_middlewares_are_those_of_every_prefix(prefix: Path) -> None:
    variables = {"AMENT_PREFIX_PATH": f"/none:{prefix}"}
    assert middlewares(variables) == {"rmw_one_cpp", "rmw_two_cpp"}
    check_middleware({**variables, "RMW_IMPLEMENTATION": "rmw_two_cpp"})
    check_middleware({**variables, "RMW_IMPLEMENTATION": ""})
    check_middleware({"RMW_IMPLEMENTATION": "rmw_two_cpp"})  # no ROS at all: others say so
    with pytest.raises(UserError, match="^RMW_IMPLEMENTATION: 'x' is not installed: expected "):
        check_middleware({**variables, "RMW_IMPLEMENTATION": "x"})


@pytest.mark.parametrize("what", WORDS)
def test_a_middleware_that_is_not_there_is_one_line(what: str) -> None:
    pytest.importorskip("rclpy")
    done = _run(WORDS[what], RMW_IMPLEMENTATION="rmw_none_cpp")
    assert done.returncode == 2
    assert "RMW_IMPLEMENTATION: 'rmw_none_cpp' is not installed" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("what", ["node", "collect"])
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise ImportError('The C extension\\ncannot be loaded')", "The C extension cannot be"),
        ("import no_such_thing", "No module named 'no_such_thing'"),
    ],
)
def test_an_rclpy_that_fails_says_why(what: str, code: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "rclpy").mkdir()
    (tmp_path / "rclpy" / "__init__.py").write_text(code)
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = _run(WORDS[what], PYTHONPATH=path)
    assert done.returncode == 2
    assert reason in done.stderr and "not installed" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_logs_go_where_ros_puts_them_if_that_can_be_written(tmp_path: Path) -> None:
    assert log_folder({"HOME": str(tmp_path)}) is None
    assert log_folder({"HOME": "/proc", "ROS_HOME": str(tmp_path / "ros")}) is None
    assert log_folder({"HOME": "/proc", "ROS_LOG_DIR": str(tmp_path / "log")}) is None
    with pytest.raises(UserError, match="^ROS_LOG_DIR: '/proc/x' cannot be written"):
        log_folder({"HOME": str(tmp_path), "ROS_LOG_DIR": "/proc/x"})


@pytest.mark.parametrize("given", [{}, {"HOME": ""}, {"HOME": "/proc"}, {"ROS_LOG_DIR": ""}])
def test_and_elsewhere_if_not(
    given: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    folder = Path(environment(given)["ROS_LOG_DIR"])
    assert folder.parent == tmp_path and folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_is_a_link_of_somebody_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    (tmp_path / "theirs").mkdir()
    (tmp_path / f"ros_mbmrl-{os.getuid()}-log").symlink_to(tmp_path / "theirs")
    with pytest.raises(UserError, match="^HOME: '/proc' cannot be written, nor "):
        log_folder({"HOME": "/proc"})


def test_discovery_stays_here_unless_asked_otherwise() -> None:
    name = "ROS_AUTOMATIC_DISCOVERY_RANGE"
    # Where the profile does what the range would, or in place of it where there is no profile.
    assert environment({})[name] == "SYSTEM_DEFAULT"
    assert environment({name: "LOCALHOST"})[name] == "SYSTEM_DEFAULT"
    assert environment({"RMW_IMPLEMENTATION": "rmw_zenoh_cpp"})[name] == "LOCALHOST"
    assert environment({"ROS_STATIC_PEERS": "192.0.2.7"})[name] == "LOCALHOST"
    assert environment({name: "SUBNET"})[name] == "SUBNET"
    assert environment({"ROS_LOCALHOST_ONLY": "1"})["ROS_LOCALHOST_ONLY"] == "0"


def test_a_nodes_environment_stays_what_it_is_in_its_children() -> None:
    once = environment({})
    assert environment(once) == once


def test_the_network_is_not_listened_to_unless_asked() -> None:
    name, profile = "FASTDDS_DEFAULT_PROFILES_FILE", find("config/security/loopback.xml")
    assert environment({})[name] == str(profile)
    assert environment({name: "mine.xml"})[name] == "mine.xml"
    for asked in (
        {"ROS_AUTOMATIC_DISCOVERY_RANGE": "SUBNET"},
        {"ROS_STATIC_PEERS": "192.0.2.7"},
    ):
        assert name not in environment(asked)
