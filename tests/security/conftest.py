"""Every loader of the project beside a valid file of its kind, for the tests to spoil."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from rosbags.rosbag2 import Writer

from ros_mbmrl.adaptation.guard import make_guard
from ros_mbmrl.bringup import graph
from ros_mbmrl.collection.recorder import RunRecorder
from ros_mbmrl.commands.replay import settings
from ros_mbmrl.commands.train import read_recipe
from ros_mbmrl.data import dataset
from ros_mbmrl.data.bag_report import report
from ros_mbmrl.data.files import CARD_FILE, sha256_of
from ros_mbmrl.data.foreign.layout import layout_of
from ros_mbmrl.data.foreign.run import make_rule, make_run
from ros_mbmrl.data.foreign.samples import read_samples
from ros_mbmrl.data.foreign.table import read_table, table_layout
from ros_mbmrl.data.recording import read_raw
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.data.velociroach import COLUMNS, import_logs
from ros_mbmrl.dynamics.files import load_model, save_model
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.evaluation import campaign, recorded_run
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.safety.types import Checked, Level
from ros_mbmrl.share import find
from ros_mbmrl.simulation.calibration import calibrated, load_calibration, save_calibration

HEXAPOD = make_robot("hexapod")


@dataclass(frozen=True)
class Loader:
    """make: writes a valid file into a folder; the file. load: what reads it, or UserError."""

    make: Callable[[Path], Path]
    load: Callable[[Path], Any]


def model(folder: Path) -> Path:
    """A model folder of the hexapod, untrained."""
    spec = HEXAPOD.spec
    inputs, changes = len(spec.features) + len(spec.action), len(spec.changes)
    mean_and_std = [torch.zeros(inputs), torch.ones(inputs), torch.zeros(changes)]
    mlp = MLP((inputs, 8, changes), "silu")
    normalizer = Normalizer(*mean_and_std, torch.ones(changes), clip=10.0)
    parameters = mlp.init(torch.Generator().manual_seed(0))
    facts = {"method": "mb", "adapt_window": 16, "horizon": 8}
    save_model(folder, DynamicsModel(HEXAPOD, mlp, normalizer), parameters, facts)
    return folder


def use_model(folder: Path) -> Any:
    return make_guard(load_model(folder, HEXAPOD))


def data_set(folder: Path) -> Path:
    """A data set of two runs."""
    spec = HEXAPOD.spec
    rollout = Rollout(
        robot=spec.name,
        states=np.zeros((6, len(spec.state)), dtype=np.float32),
        actions=np.zeros((5, len(spec.action)), dtype=np.float32),
        times=0.1 * np.arange(6),
        marks=np.zeros(5, dtype=np.uint8),
        tags={"session": "a"},
    )
    dataset.save(folder, [rollout, rollout])
    return folder


def load_arrays(path: Path) -> Any:
    """As if the card had been made to fit: whoever spoils the arrays can do that."""
    card = path.with_name(CARD_FILE)
    facts = yaml.safe_load(card.read_text())
    card.write_text(yaml.safe_dump({**facts, "sha256": sha256_of(path)}))
    return dataset.load([path.parent])


def logs(folder: Path) -> Path:
    """Logs of the VelociRoACH, two runs of three rows."""
    samples = np.ones((6, len(COLUMNS)))
    samples[:, :2] = np.linspace(1, 1.5, 6)[:, None]
    runs = {"length": np.array([3, 3]), "run": np.array([0, 1])}
    names = {"session": np.array(["a", "b"]), "surface": np.array(["turf", "turf"])}
    np.savez(folder / "logs.npz", samples=samples, columns=np.array(COLUMNS), **runs, **names)
    return folder / "logs.npz"


def recording(folder: Path) -> Path:
    """A recorded run of the hexapod, ten steps."""
    path = folder / "run.mcap"
    path.unlink(missing_ok=True)
    checked = Checked(np.ones(2), Level.RUN, ())
    with RunRecorder(HEXAPOD.spec, path) as recorder:
        for k in range(10):
            values = np.ones(len(HEXAPOD.spec.measurement))
            recorder.measured(Measurement(1 + 0.1 * k, values))
            recorder.answered(np.ones(2), checked, stopped=False)
    return path


def use_recording(path: Path) -> Any:
    dataset.load([path])
    return recorded_run.read_run(path)


def recipe(folder: Path) -> Path:
    path = folder / "recipe.yaml"
    path.write_text("hidden: [8, 8]\nbatch: 4\nmb: {noise: 0.1}\noptions: {}\n")
    return path


def calibration(folder: Path) -> Path:
    save_calibration(folder / "calibration.yaml", calibrated())
    return folder / "calibration.yaml"


def parameters(folder: Path) -> Path:
    default = find("config/hexapod.yaml")
    assert default is not None
    (folder / "params.yaml").write_text(default.read_text())
    return folder / "params.yaml"


def use_parameters(path: Path) -> Any:
    graph("twin", [f"params:={path}", "record:=false"])
    return settings("hexapod", path)


def rows(folder: Path) -> Path:
    (folder / "rows.jsonl").write_text('{"key": "a", "x": 1}\n{"key": "b", "x": [2, {"y": 3}]}\n')
    return folder / "rows.jsonl"


@cache
def _sqlite() -> bytes:
    """The same run in a database, as `ros2 bag` converts it."""
    with TemporaryDirectory() as folder:
        made, writer = recording(Path(folder)), Writer(Path(folder, "bag"), version=9)
        with writer:
            known: dict[str, Any] = {}
            for topic, kind, text, time, data in read_raw(made):
                if topic not in known:
                    hashed = f"RIHS01_{kind}"
                    known[topic] = writer.add_connection(
                        topic, kind, msgdef=text.decode(), rihs01=hashed
                    )
                writer.write(known[topic], time, data)
        return Path(folder, "bag", "bag.db3").read_bytes()


def bag(folder: Path) -> Path:
    (folder / "bag.db3").write_bytes(_sqlite())
    return folder / "bag.db3"


def use_bag(path: Path) -> Any:
    report(path)
    layout = layout_of(HEXAPOD)
    return make_run(path, read_samples(path, layout), layout, make_rule(layout))


def table(folder: Path) -> Path:
    names = [*(q.name for q in HEXAPOD.spec.measurement), *(a.name for a in HEXAPOD.spec.action)]
    lines = [",".join(["time", *names])]
    lines += [",".join([f"{0.1 * k}", *("1" for _ in names)]) for k in range(6)]
    (folder / "table.csv").write_text("\n".join(lines))
    return folder / "table.csv"


def use_table(path: Path) -> Any:
    layout = table_layout(HEXAPOD.spec)
    return make_run(path, read_table(path, layout), layout, make_rule(layout))


LOADERS = MappingProxyType(
    {
        "weights": Loader(
            lambda folder: model(folder) / "model.safetensors", lambda path: use_model(path.parent)
        ),
        "card": Loader(
            lambda folder: model(folder) / "card.yaml", lambda path: use_model(path.parent)
        ),
        "checkpoint": Loader(lambda folder: model(folder) / "model.safetensors", tensor_file.load),
        "arrays": Loader(lambda folder: data_set(folder) / "rollouts.npz", load_arrays),
        "data set": Loader(
            lambda folder: data_set(folder) / "dataset.yaml",
            lambda path: dataset.load([path.parent]),
        ),
        "logs": Loader(logs, import_logs),
        "recording": Loader(recording, use_recording),
        "bag": Loader(bag, use_bag),
        "table": Loader(table, use_table),
        "recipe": Loader(recipe, lambda path: read_recipe(path, "mb", 0)),
        "calibration": Loader(calibration, load_calibration),
        "parameters": Loader(parameters, use_parameters),
        "rows": Loader(rows, campaign.read),
    }
)


@pytest.fixture
def loaders() -> Mapping[str, Loader]:
    """By name."""
    return LOADERS


@pytest.fixture(params=LOADERS)
def loader(request: pytest.FixtureRequest) -> Loader:
    """Each of them."""
    return LOADERS[request.param]
