"""A robot small enough to compute by hand, and systems of it whose gains differ per rollout."""

from __future__ import annotations

import fcntl
import importlib
import itertools
import os
import random
import shutil
import signal
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import settings
from torch import Tensor

from ros_mbmrl.data.import_summary import ImportSummary
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.data.velociroach import import_logs
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.robots import ROBOTS, robot_name
from ros_mbmrl.robots.quantities import Limit, Quantity
from ros_mbmrl.robots.spec import Array, Envelope, Robot, RobotSpec
from ros_mbmrl.robots.task import Task
from ros_mbmrl.ros_environment import CAMPAIGN, environment
from ros_mbmrl.simulation.environment import Flags, Observation, Transition, observe, rows_of

# An example takes as long as it takes: other processes may keep all cores busy.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

# As the graph's nodes: on this machine alone, without shared memory, which a killed process locks.
os.environ.update(environment(os.environ))
# What ends processes is tried, although the tests themselves may outlive a terminal (`nohup`).
signal.signal(signal.SIGHUP, signal.SIG_DFL)
# As the commands: on matrices this small, threads that share the cores only wait for each other.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def domains() -> Iterator[int]:
    """ROS domains below the campaign's, over and over; tests that run at once never share one."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    own = range(1 + worker, CAMPAIGN[0], int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
    first = random.randrange(len(own))  # other sessions on this machine begin elsewhere
    return itertools.cycle([*own[first:], *own[:first]])


@pytest.fixture(autouse=True)
def domain(domains: Iterator[int], monkeypatch: pytest.MonkeyPatch) -> int:
    """A ROS domain that nobody else is in, in the environment."""
    chosen = next(domains)
    monkeypatch.setenv("ROS_DOMAIN_ID", str(chosen))
    return chosen


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Has a folder filled once for all processes that tests run in, by whoever needs it first."""
    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root

    def once(name: str, fill: Callable[[Path], None]) -> Path:
        folder, filled = root / name, root / f"{name}.filled"
        with (root / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not filled.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                fill(folder)
                filled.touch()
        return folder

    return once


# Graphs whose reports and recordings several tests read.
REPORTED = {
    "hexapod": (("mb", "residual"), ("path:=figure8", "fault:=leg_left_middle@2", "duration:=4")),
    "half_cheetah": (("mb",), ("task:=run", "duration:=2")),
}


@pytest.fixture
def reported(once: Callable[..., Path]) -> Callable[[str], tuple[list[str], Path]]:
    """Runs a robot's graph in lockstep: the words that it was given, and the report's folder."""
    from ros_mbmrl.commands import launch

    def reported(robot: str) -> tuple[list[str], Path]:
        methods, more = REPORTED[robot]
        words = [f"robot:={robot}", *more, "lockstep:=true"]

        def fill(folder: Path) -> None:
            for method in methods:
                launch.start("adapt", [*words, f"method:={method}", f"report:={folder}"])

        return words, once(f"reported-{robot}", fill)

    return reported


STATE = (Quantity("x", "m"), Quantity("y", "m"), Quantity("yaw", "rad"), Quantity("speed", "m/s"))
CHANGES = (Quantity("forward", "m"), Quantity("left", "m"), Quantity("yaw", "rad"))

SPEC = RobotSpec(
    name="toy",
    period=0.1,
    measurement=STATE,
    channels=tuple(f"odom.pose.pose.position.{k}" for k in range(len(STATE))),
    state=STATE,
    action=(Limit("drive", "1", -1.0, 1.0, 40.0), Limit("turn", "1", -1.0, 1.0, 40.0)),
    features=("speed",),
    changes=(*CHANGES, Quantity("speed", "m/s")),
    change_weights=(2.0, 1.0, 2.0, 1.0),
    envelope=Envelope(0.25, 0.25, 25.0, (-9.0, 9.0, -9.0, 9.0), 0.5, 1.0, 1.0, 0.5),
)


class ToyTask:
    """Be fast: the cost is the negative speed, plus whatever the reference says."""

    def __init__(self) -> None:
        self.penalty = 0.0

    def reference(self, state: Array) -> Tensor:
        return torch.tensor(self.penalty)

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        return reference - states[:, 1:, 3].mean(dim=1)


class ToyRobot(Robot):
    """A cart: the state is (x, y, yaw, speed), measured as it is."""

    spec = SPEC

    def estimate(self, measurement: Array, previous: Array | None, dt: float) -> Array:
        return measurement.copy()

    def pose(self, state: Array) -> tuple[float, float, float]:
        return float(state[0]), float(state[1]), float(state[2])

    def tilt(self, state: Array) -> float:
        return 0.0

    def battery(self, state: Array) -> float:
        return 4.0

    def retreat(self, state: Array, target: tuple[float, float]) -> Array:
        return np.zeros(2)

    def features(self, state: Tensor) -> Tensor:
        return state[..., 3:]

    def difference(self, state: Tensor, next_state: Tensor) -> Tensor:
        d, cos, sin = next_state - state, state[..., 2].cos(), state[..., 2].sin()
        forward, left = cos * d[..., 0] + sin * d[..., 1], cos * d[..., 1] - sin * d[..., 0]
        return torch.stack([forward, left, d[..., 2], d[..., 3]], dim=-1)

    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        cos, sin = state[..., 2].cos(), state[..., 2].sin()
        x = cos * change[..., 0] - sin * change[..., 1]
        y = sin * change[..., 0] + cos * change[..., 1]
        return state + torch.stack([x, y, change[..., 2], change[..., 3]], dim=-1)

    def tasks(self) -> Sequence[str]:
        return ("fast",)

    def make_task(self, name: str, start: Array) -> ToyTask:
        return ToyTask()


def toy_change(speed: float, action: Array, gains: Array) -> Array:
    """(forward, left, yaw, speed) over one period: gains scale drive and turn, the last drifts."""
    faster = 0.5 * speed + 0.5 * gains[0] * action[0]
    return np.array([0.1 * faster, 0.02 * gains[2], 0.3 * gains[1] * action[1], faster - speed])


def toy_rollout(rng: np.random.Generator, gains: Array, steps: int, session: str) -> Rollout:
    """Random commands on a toy with these `gains` (3,), measured with a little noise."""
    robot, state = ToyRobot(), torch.zeros(4, dtype=torch.float64)
    actions = rng.uniform(-1, 1, (steps, 2))
    states = [state]
    for action in actions:
        change = torch.from_numpy(toy_change(float(state[3]), action, gains))
        state = robot.advance(state, change)
        states.append(state)
    noise = 1e-3 * rng.standard_normal((steps + 1, 4))
    return Rollout(
        robot="toy",
        states=(torch.stack(states).numpy() + noise).astype(np.float32),
        actions=actions.astype(np.float32),
        times=0.1 * np.arange(steps + 1),
        marks=np.zeros(steps, dtype=np.uint8),
        tags={"terrain": "flat" if int(session) % 2 else "hill", "session": session},
        effectiveness=np.ones((steps, 2), dtype=np.float32),
    )


def toy_rollouts(count: int, steps: int = 40, seed: int = 0) -> list[Rollout]:
    """Rollouts of `count` toys, each with gains of its own."""
    rng = np.random.default_rng(seed)
    return [
        toy_rollout(rng, rng.uniform([0.2, -1.0, -1.0], [1.8, 1.0, 1.0]), steps, str(k))
        for k in range(count)
    ]


def toy_model(rollouts: Sequence[Rollout], seed: int = 0) -> tuple[DynamicsModel, Parameters]:
    """An untrained model of the toy, normalised over `rollouts`."""
    robot = ToyRobot()
    mlp = MLP((3, 16, 16, 4), "tanh")
    normalizer = Transitions.of(robot, rollouts).normalizer()
    return DynamicsModel(robot, mlp, normalizer), mlp.init(torch.Generator().manual_seed(seed))


@pytest.fixture(scope="session")
def robot() -> ToyRobot:
    """The toy."""
    return ToyRobot()


@pytest.fixture(scope="session")
def make_rollouts() -> Callable[..., list[Rollout]]:
    """`toy_rollouts`."""
    return toy_rollouts


@pytest.fixture(scope="session")
def make_rollout() -> Callable[..., Rollout]:
    """`toy_rollout`."""
    return toy_rollout


@pytest.fixture(scope="session")
def rollouts() -> list[Rollout]:
    """Eight toys, 40 transitions each."""
    return toy_rollouts(8)


@pytest.fixture
def prior(rollouts: list[Rollout]) -> tuple[DynamicsModel, Parameters]:
    """An untrained model and its parameters."""
    return toy_model(rollouts)


@pytest.fixture
def change() -> Callable[..., Array]:
    """`toy_change`."""
    return toy_change


@pytest.fixture
def task() -> ToyTask:
    """A task whose cost a test can spoil."""
    return ToyTask()


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The toy as a robot that commands know by name."""
    monkeypatch.setitem(ROBOTS, "toy", f"{ToyRobot.__module__}:ToyRobot")
    return ToyRobot()


@pytest.fixture
def install(tmp_path: Path) -> Callable[..., Path]:
    """Makes what an installed package leaves on the path: modules, and facts with entry points.

    Called with a name, the text of `entry_points.txt`, files by name, and a version; returns the
    folder to be put on the path.
    """

    def install(name: str, points: str, files: dict[str, str], version: str = "1") -> Path:
        site = tmp_path / "site"
        for before in site.glob(f"{name}-*.dist-info"):
            shutil.rmtree(before)
        facts = site / f"{name}-{version}.dist-info"
        facts.mkdir(parents=True)
        about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        (facts / "METADATA").write_text(about)
        (facts / "entry_points.txt").write_text(points)
        for file, text in files.items():
            (site / file).write_text(text)
        return site

    return install


class Told:
    """What is handed to an action of `launch`."""

    def __init__(self, *given: Any, **named: Any) -> None:
        self.given, self.named = given, named


@pytest.fixture
def launching(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`nodes/launching.py` with stand-ins for the classes of `launch`, which is no wheel."""
    actions = ("DeclareLaunchArgument", "OpaqueFunction", "SetEnvironmentVariable", "Shutdown")
    names = {
        "launch": ("LaunchContext", "LaunchDescription"),
        "launch.actions": actions,
        "launch.substitutions": ("LaunchConfiguration",),
        "launch_ros": (),
        "launch_ros.actions": ("Node",),
    }
    for name, classes in names.items():
        module: Any = types.ModuleType(name)
        for each in classes:
            setattr(module, each, type(each, (Told,), {}))
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delitem(sys.modules, "ros_mbmrl.nodes.launching", raising=False)
    found = importlib.import_module("ros_mbmrl.nodes.launching")
    monkeypatch.delitem(sys.modules, "ros_mbmrl.nodes.launching")
    return found


@pytest.fixture(scope="session")
def real() -> tuple[list[Rollout], ImportSummary]:
    """The real robot's logs, imported; not part of the project, so not everywhere."""
    root = Path(__file__).resolve().parents[1]
    given = os.environ.get("MBMRL_VELOCIROACH_LOGS")
    path = Path(given) if given else root.parent / "shared/data/velociroach/velociroach_logs.npz"
    if not path.is_file():
        pytest.skip(f"the real logs are not at {path}: set MBMRL_VELOCIROACH_LOGS to their file")
    return import_logs(path)


# A point on a plane whose goal is the task: a robot and an environment without a simulator.
POINT_STATE = (Quantity("x", "m"), Quantity("y", "m"))
POINT = RobotSpec(
    name="point",
    period=0.1,
    measurement=POINT_STATE,
    channels=("odom.pose.pose.position.x", "odom.pose.pose.position.y"),
    state=POINT_STATE,
    action=tuple(Limit(name, "m/s", -2.0, 2.0, 100.0) for name in "xy"),
    features=("x", "y"),
    changes=POINT_STATE,
    change_weights=(1.0, 1.0),
    envelope=Envelope(0.25, 0.25, 25.0),
)


class PointRobot(Robot):
    spec = POINT

    def estimate(self, measurement: Array, previous: Array | None, dt: float) -> Array:
        return measurement.copy()

    def features(self, state: Tensor) -> Tensor:
        return state

    def difference(self, state: Tensor, next_state: Tensor) -> Tensor:
        return next_state - state

    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        return state + change

    def tasks(self) -> Sequence[str]:
        return ()

    def make_task(self, name: str, start: Array) -> Task:
        raise NotImplementedError


class PointEnvironment:
    """N points at the origin, each rewarded by how near it is to its goal, its situation."""

    def __init__(self, targets: Sequence[Array], seeds: Sequence[int]) -> None:
        count = len(targets)
        self.robot = PointRobot()
        self.goals, self.times = np.zeros((count, 0)), np.zeros(count)
        self.targets, self.positions = np.zeros((count, 2)), np.zeros((count, 2))
        self.lost = np.zeros(count, dtype=bool)  # rows that terminate in the next step
        self.reset(np.ones(count, dtype=bool), targets, seeds)

    def __len__(self) -> int:
        return len(self.targets)

    def states(self) -> Array:
        return self.positions.copy()

    def observe(self) -> Observation:
        return observe(self.robot, self.positions, self.goals)

    def tasks(self) -> list[Task]:
        return [None] * len(self)  # type: ignore[list-item]

    def step(self, actions: Array) -> Transition:
        assert (np.abs(actions) <= 2.0).all()
        self.positions += 0.1 * actions
        self.times += 0.1
        rewards = -np.linalg.norm(self.positions - self.targets, axis=1)
        return Transition(self.observe(), rewards, self.lost.copy(), np.zeros(len(self), bool))

    def reset(self, mask: Flags, situations: Sequence[Array], seeds: Sequence[int]) -> None:
        rows = rows_of(mask, situations, seeds)
        self.targets[rows], self.positions[rows], self.times[rows] = situations, 0.0, 0.0
        self.lost[rows] = False


def draw_goal(rng: np.random.Generator) -> Any:
    """On a circle of radius 1."""
    angle = rng.uniform(-np.pi, np.pi)
    return np.array([np.cos(angle), np.sin(angle)])


@pytest.fixture
def point_tasks() -> Tasks:
    """Goals all round."""
    return Tasks(PointRobot(), draw_goal, PointEnvironment)


@pytest.fixture
def one_goal() -> Tasks:
    """The same goal always: nothing to adapt to."""
    return Tasks(PointRobot(), lambda _: np.array([1.0, 0.5]), PointEnvironment)


def _bag(
    path: Path,
    messages: Sequence[tuple[str, str, int, dict[str, Any]]],
    storage: str = "sqlite3",
    compression: str = "none",
    types: dict[str, str] | None = None,
) -> Path:
    """A bag of messages (topic, type, receive time [ns], fields); `types`: own definitions."""
    from mcap_ros2._dynamic import serialize_dynamic
    from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

    from ros_mbmrl.data.message_definitions import definition

    writer = Writer(path, version=9, storage_plugin=StoragePlugin[storage.upper()])
    writer.set_compression(CompressionMode[compression.upper()], CompressionFormat.ZSTD)
    kinds = {kind for _, kind, _, _ in messages}
    texts = {kind: (types or {}).get(kind) or definition(kind) for kind in kinds}
    encoders = {kind: serialize_dynamic(kind, text)[kind] for kind, text in texts.items()}
    channels: dict[str, Any] = {}
    with writer:
        for topic, kind, time, fields in messages:
            if topic not in channels:
                channels[topic] = writer.add_connection(
                    topic, kind, msgdef=texts[kind], rihs01=f"RIHS01_{kind}"
                )
            writer.write(channels[topic], time, encoders[kind](fields))
    return path


# An arm in the plane, without gravity: a motor, and a servo whose command is a rate.
ARM_XML = """
<mujoco>
  <option timestep="0.005" gravity="0 0 0" integrator="implicitfast"/>
  <worldbody>
    <body name="upper">
      <joint name="shoulder_joint" axis="0 0 1" damping="0.5"/>
      <geom name="upper" type="capsule" fromto="0 0 0 0.3 0 0" size="0.02" mass="1" contype="0"/>
      <body name="lower" pos="0.3 0 0">
        <joint name="elbow" axis="0 0 1" range="-114.6 114.6" damping="0.1"/>
        <geom type="capsule" fromto="0 0 0 0.2 0 0" size="0.02" mass="0.5" contype="0"/>
      </body>
    </body>
  </worldbody>
  <actuator>
    <motor name="shoulder" joint="shoulder_joint"/>
    <position name="servo" joint="elbow" kp="20" kv="0.5" ctrlrange="-2 2"/>
  </actuator>
  <sensor><actuatorfrc name="torque" actuator="shoulder"/></sensor>
  <keyframe><key name="bent" qpos="0 0.5" ctrl="0 0.5"/></keyframe>
</mujoco>
"""
ARM_YAML = """\
name: planar_arm
kind: arm
period: 0.05
measured:
  torque: {unit: N m, predicted: false}
joints:
  names: [shoulder, elbow]
commands:
  values:
    shoulder: {unit: N m, low: -1.0, high: 1.0}
    elbow: {unit: rad/s, low: -2.0, high: 2.0}
tasks:
  bend: {goal: {elbow: 1.0}}
twin:
  model: arm.xml
  joints: {shoulder: shoulder_joint}
  keyframe: bent
  noise: {elbow: 0.01}
  latency: 0.01
  faults:
    load: {body: lower, mass: 2.0}
    servo_weak: {actuator: servo, factor: 0.1}
    encoder_off: [{sensor: elbow, add: 0.2}, {command: shoulder, factor: 0.5}]
    late: {latency: 0.1}
  randomise:
    mass: [0.5, 2.0]
    rusty: {joint: shoulder, friction: [0.0, 0.1]}
"""


@pytest.fixture
def arm_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A robot's file beside its MuJoCo model; no other file is known."""
    monkeypatch.setenv("MBMRL_ROBOTS", "")
    (tmp_path / "arm.xml").write_text(ARM_XML)
    path = tmp_path / "planar_arm.yaml"
    path.write_text(ARM_YAML)
    return path


@pytest.fixture
def write_bag() -> Callable[..., Path]:
    """Writes a bag as `ros2 bag` does: both storages, file or message compressed."""
    return _bag


@pytest.fixture
def planar_arm(arm_file: Path) -> str:
    """The name of the robot of `arm_file`, which is known."""
    return robot_name(str(arm_file))


def _untrained(robot: str, folder: Path, methods: Sequence[str] = ("mb",), seed: int = 0) -> Path:
    from ros_mbmrl.dynamics.files import save_model
    from ros_mbmrl.dynamics.normalizer import Normalizer
    from ros_mbmrl.robots import make_robot

    own = make_robot(robot)
    inputs, outputs = len(own.spec.features) + len(own.spec.action), len(own.spec.changes)
    mlp = MLP((inputs, 8, outputs), "tanh")
    parameters = mlp.init(torch.Generator().manual_seed(seed))
    small = 0.01 * torch.ones(outputs)
    normalizer = Normalizer(torch.zeros(inputs), torch.ones(inputs), 0 * small, small)
    for method in methods:
        facts = {"method": method, "options": {}, "adapt_window": 8, "seed": seed}
        save_model(folder / method, DynamicsModel(own, mlp, normalizer), parameters, facts)
    return folder


@pytest.fixture
def untrained() -> Callable[..., Path]:
    """Writes the folders of an untrained network of a robot, named by method, into a folder."""
    return _untrained


# A body that slides on nothing, pushed along its own axis: it follows paths.
ROVER_XML = """
<mujoco>
  <option timestep="0.01" gravity="0 0 0"/>
  <worldbody>
    <body name="base"><freejoint/><geom size="0.1" mass="1"/><site name="middle"/></body>
  </worldbody>
  <actuator><general name="push" site="middle" gear="1 0 0 0 0 0"/></actuator>
</mujoco>
"""
ROVER_YAML = """\
name: rover_twin
kind: planar_base
period: 0.1
commands:
  values:
    push: {unit: N, low: -1.0, high: 1.0}
twin:
  model: rover.xml
  faults:
    heavy: {body: base, mass: 2.0}
"""


@pytest.fixture
def rover_twin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a base that follows paths, beside its MuJoCo model."""
    monkeypatch.setenv("MBMRL_ROBOTS", "")
    (tmp_path / "rover.xml").write_text(ROVER_XML)
    path = tmp_path / "rover_twin.yaml"
    path.write_text(ROVER_YAML)
    return path
