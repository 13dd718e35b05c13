"""Arguments of `mbmrl train`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from ros_mbmrl.arguments.ranges import Natural, Seed, Share


@dataclass(frozen=True)
class Train:
    """Train a dynamics model: supervised, then meta-trained if the method requires it; or a policy
    of a simulated robot, by practice."""

    method: Positional[str]
    """mb, mb_de, residual, grbal, rebal, context, bayes_context, leaky_context;
    with gradient steps on top: context_de, bayes_context_de, leaky_context_de;
    with a Bayesian last layer: last_layer, bayes_context_ll; by Kalman filters: kalman_last_layer;
    with inferred causes, on data that tell what actuators have lost: causes;
    policies: trpo, ppo, maml_rl, promp, e_maml, maml_vpg; learned in models, on the twin of
    half_cheetah or ant: me_trpo, me_ppo, mb_mpo; in one model: bptt, one_model_vpg,
    one_model_trpo."""
    robot: Positional[str]
    """hexapod, pr2_arm, half_cheetah, ant, arm_7dof, swimmer, snake, hopper, walker2d, humanoid, or
    another robot that is installed; for policies also point_corners, point_navigation,
    point_centre, or an environment, such as promp-hopper-rand-params."""
    out: Path
    """Folder of the model or the policy; training resumes from the checkpoint in it."""
    data: tuple[Path, ...] = ()
    """Data sets, recordings, folders of recordings; or `twin` to collect on the twin, with
    on-policy rounds. None for a policy."""
    terrains: tuple[str, ...] = ()
    """Terrains to train on; default: all of the data's."""
    held_out: Share = 0.2
    """Share of the sessions that is held out for validation."""
    untouched: Share = 0.0
    """Share of the sessions that are never used, the same for every seed: for `mbmrl score`."""
    recipe: Path | None = None
    """YAML file of training settings; shipped ones are in config/training."""
    rounds: Natural = 1
    """With `--data twin`: how often on-policy data is added (Algorithm 9)."""
    situations: tuple[str, ...] = ()
    """With `--data twin`, or of a policy: situations of a simulated robot, taken in turn:
    cheetah-disabled, cheetah-slope, cheetah-pier; ant-crippled; arm-force; or an environment of
    the robot, such as promp-hopper-rand-params. Default: the robot's first.
    """
    cluster: str = ""
    """With `--data twin`: address of a ray cluster that makes the random runs, or `local`."""
    task: str = ""
    """The robot's task that a policy learns; default: its only one."""
    budget: Natural = 0
    """Transitions of the robot that a policy may take in all; 0: as its recipe or method says."""
    tune_on: tuple[Path, ...] = ()
    """Data sets to tune test-time rules on (mb_de's steps, residual's gain, context_de's steps):
    faults that are neither trained on nor tested. Default: the held-out sessions, or with `--data
    twin` such faults or situations of the twin.
    """
    device: str = "cpu"
    """cpu, cuda, or auto: the GPU if there is one. Random numbers are the same on either."""
    seed: Seed = 0
    """Seed of all random numbers."""
    video: bool = False
    """Write an episode of a policy as video.gif, if pictures can be drawn here."""
    fresh: bool = False
    """Start anew even if there is a checkpoint."""
    json: Path | None = None
    """Write the results to this file."""
