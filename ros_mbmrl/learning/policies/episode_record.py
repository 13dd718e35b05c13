"""Episodes as they go on: runs of states and commands, cut into pieces to fit models to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.learning.batch_collection import SHORTEST
from ros_mbmrl.learning.rounds import Data
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.environment import Environment, Flags

LEAST = 16  # control periods that a model can be fitted to and judged by
PIECE = 50  # control periods of a piece that is held out, or trained on


class EpisodeRecord:
    """Runs of N robots since the last cut.

    Args:
        environment: of the robots, as their episodes begin.
    """

    def __init__(self, environment: Environment) -> None:
        self._robot = environment.robot.spec.name
        self._begin(environment.states(), environment.times)

    def _begin(self, states: Array, times: Array) -> None:
        self._states, self._times = [states], [times]
        self._commands: list[Array] = []
        self._lasted = np.zeros(len(states), dtype=int)

    def add(self, environment: Environment, commands: Array, going: Flags) -> None:
        """Record a control period.

        Args:
            environment: after it.
            commands: (N, da), as sent.
            going: (N,), the rows whose episodes were not over before it.
        """
        self._states.append(environment.states())
        self._times.append(environment.times)
        self._commands.append(commands)
        self._lasted += going

    def cut(self, short: bool = True) -> list[Rollout]:
        """Return the runs since the last cut in pieces of PIECE transitions; begin anew.

        What is left of a run belongs to its last piece. A row that is over adds nothing more.

        Args:
            short: whether short runs are cut, too; else they go on if none has LEAST transitions.
        """
        if not short and self._lasted.max(initial=0) < LEAST:
            return []
        states, times = np.array(self._states), np.array(self._times)
        commands = np.array(self._commands)
        found = []
        for n, lasted in enumerate(self._lasted.tolist()):
            edges = [*range(0, max(lasted - PIECE + 1, 1), PIECE), lasted]
            for begin, end in zip(edges[:-1], edges[1:], strict=True):
                if end - begin >= SHORTEST:
                    own = states[begin : end + 1, n], commands[begin:end, n]
                    found.append(_rollout(self._robot, *own, times[begin : end + 1, n]))
        self._begin(self._states[-1], self._times[-1])
        return found


def _rollout(robot: str, states: Array, commands: Array, times: Array) -> Rollout:
    marks = np.zeros(len(commands), dtype=np.uint8)
    return Rollout(robot, states.astype(np.float32), commands.astype(np.float32), times, marks)


def shared_out(data: Data, pieces: list[Rollout], held_out: float, seed: int) -> Data:
    """Return the data with more pieces, of which a share is held out by chance.

    The first piece of all is trained on and the second held out, so that two are enough for a fit.
    Which side a piece is on depends on the seed and its number only.
    """
    training, held = list(data.training), list(data.held)
    for piece in pieces:
        number = len(training) + len(held)
        chance = np.random.default_rng((seed, number)).random()
        out = number == 1 or (number > 1 and chance < held_out)
        (held if out else training).append(piece)
    return replace(data, training=tuple(training), held=tuple(held))
