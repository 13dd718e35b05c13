"""Who acts in a study: models that adapt and plan, policies, simulators that plan, chance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ros_mbmrl.control_batch import Agent, ModelAgent
from ros_mbmrl.dynamics.files import LoadedModel, load_model
from ros_mbmrl.evaluation.study.description import Scale, Study
from ros_mbmrl.evaluation.study.studies import MODEL_FREE, ORACLE, RANDOM, SIMULATING
from ros_mbmrl.robots import make_robot
from ros_mbmrl.twin.situations import Situation


def model_agent(study: Study, scale: Scale, loaded: LoadedModel, method: str) -> Agent:
    """Algorithm 10 with a learned model, of the method that it was saved for."""
    return ModelAgent(loaded, method, study.task, scale.planner, precision=scale.precision)


def make_agent(
    study: Study,
    scale: Scale,
    method: str,
    folder: Path | None,
    situations: Sequence[Situation],
) -> Agent:
    """The agent called `method`; situations: what it will meet, for the planner that knows."""
    if method == RANDOM:
        return RandomAgent()
    if method in SIMULATING:
        return physics_agent(study, scale, situations if method == "true_model" else None)
    assert folder is not None
    if method in MODEL_FREE:
        return load_policy_agent(folder)
    loaded = load_model(folder, make_robot(study.robot))
    return model_agent(study, scale, loaded, "mb" if method == ORACLE else method)
