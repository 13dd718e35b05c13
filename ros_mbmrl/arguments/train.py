"""Arguments of `mbmrl train`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, UseAppendAction, arg

from ros_mbmrl.arguments.ranges import Natural, Seed, Share
from ros_mbmrl.arguments.shipped import RecipeFile


@dataclass(frozen=True)
class Train:
    """Train a dynamics model: supervised, then meta-trained if the method requires it; or a policy
    of a simulated robot, by practice."""

    method: Positional[Annotated[str, arg(metavar="METHOD")]]
    """mb, mb_de, residual, grbal, rebal, context, bayes_context, leaky_context;
    with a latent variable: gssm, mlsm_v0, mlsm_v1;
    with gradient steps on top: context_de, bayes_context_de, leaky_context_de;
    with a Bayesian last layer: last_layer, bayes_context_ll; by Kalman filters: kalman_last_layer;
    with inferred causes, on data that tell what actuators have lost: causes;
    policies: trpo, ppo, sac, sb3_sac, maml_rl, promp, e_maml, maml_vpg; learned in models, on the
    twin of half_cheetah or ant: me_trpo, me_ppo, mb_mpo; in one model: bptt, one_model_vpg,
    one_model_trpo; from real and imagined transitions: maac, mbpo, steve_sac;
    V and Q from real ones, the policy through the model: memb; with a history of the episode:
    m3po, m3po_h, m2po, pearl, pe_ppo; in a contextual model: gssm_policy, mlsm_v0_policy,
    mlsm_v1_policy, m_dpilco_policy."""
    robot: Positional[Annotated[str, arg(metavar="ROBOT")]]
    """hexapod, pr2_arm, half_cheetah, ant, arm_7dof, swimmer, snake, hopper, walker2d, humanoid,
    pr2_reach, pr2_insertion, pr2_stacking, or another robot that is installed; for policies also
    point_corners, point_navigation, point_centre, pendulum, cart-pole, acrobot, or an environment,
    such as promp-hopper-rand-params."""
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
    recipe: RecipeFile | None = None
    """YAML file of training settings, or a shipped recipe by name, such as hexapod_twin."""
    set: UseAppendAction[Annotated[tuple[str, ...], arg(metavar="NAME=VALUE")]] = ()
    """A setting that overrides the recipe's, such as learning_rate=1e-3, or options.steps=2 within
    settings; may be repeated.
    """
    rounds: Natural = 1
    """With `--data twin`: how often on-policy data is added (Algorithm 9)."""
    situations: tuple[str, ...] = ()
    """With `--data twin`, or of a policy: situations of a simulated robot, taken in turn:
    cheetah-disabled, cheetah-slope, cheetah-pier; ant-crippled; arm-force; of a robot of a file
    varied and broken; or an environment of the robot, such as promp-hopper-rand-params. Default:
    the robot's first, of a file both.
    """
    cluster: str = ""
    """With `--data twin`: address of a ray cluster that makes the random runs, or `local`; with
    --asynchronous: of one that the workers run on."""
    asynchronous: bool = False
    """Collect data, learn the model and improve the policy at once, each in a process of its own,
    at the robot's own pace: me_trpo, me_ppo, mb_mpo, or a model (mb, grbal, ...) and the robot's
    planner. Settings: asynchronous.trajectories, asynchronous.buffer, asynchronous.ema_weight,
    asynchronous.pace and others (docs/asynchronous.md)."""
    in_turn: bool = False
    """With --asynchronous: one worker at a time, without waiting; equal seeds give equal results,
    in this process as on a --cluster."""
    collectors: Natural = 1
    """With --asynchronous: number of robots that collect at once."""
    graph: tuple[str, ...] = ()
    """With --asynchronous: the collector is the running graph of `mbmrl launch adapt`, with these
    arguments, such as plant:=serial port:=/dev/ttyUSB0 path:=figure8."""
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
    track: str = ""
    """Also send the curves to wandb, trackio or mlflow, which the extra of that name installs."""
    video: bool = False
    """Write an episode of a policy as video.gif, if pictures can be drawn here."""
    fresh: bool = False
    """Start anew even if there is a checkpoint."""
    json: Path | None = None
    """Write the results to this file."""
