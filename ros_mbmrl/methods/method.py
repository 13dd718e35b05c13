"""Method: all that the rest of the package must know of a method, as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

# Okabe and Ito's colours, which people with any kind of colour vision can tell apart.
COLOURS = (
    *("#666666", "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#f0e442"),
)


class Role(Enum):
    """The part that a method takes in a comparison."""

    CONTENDER = "contender"
    BASELINE = "baseline"  # the one that all others are compared with
    REFERENCE = "reference"  # no contender: it knows more than it could, or nothing
    COLLECTOR = "collector"  # gathers the rollouts that others learn from; is not judged


class Learned(Enum):
    """Kind of learning that a method needs before it can act."""

    MODEL = "model"
    MODEL_A_CONDITION = "model a condition"  # one on each test condition alone
    POLICY = "policy"
    ANOTHERS = "the model of another method"  # `model_of`'s as it is, by an agent of its own
    NOTHING = "nothing"


@dataclass(frozen=True)
class Look:
    """Name of a method in figures and tables, and its colour and marker.

    Args:
        name: for people.
        colour: as `#rrggbb`.
        hatch, line, marker: the second cue, beside the colour.
        hollow: whether its bars are only outlined, as those of references are.
    """

    name: str
    colour: str
    hatch: str = ""
    line: str = "-"
    marker: str = "o"
    hollow: bool = False


@dataclass(frozen=True)
class Method:
    """A method, whose parts are named as `module:object` and imported on use.

    Args:
        name: what commands and cards call it.
        look: how it is drawn; None: under its name, in brown.
        role: its part in a comparison.
        rule: factory of its update rule, which takes the card's options by name. Without one it
            can be neither trained, nor scored, nor launched: it takes part in studies alone.
        model_of: the method whose model it runs on where it has none of its own; "": its own.
        grid: a `learning.tune.Grid`, the settings to choose from at test time.
        learned: what is learned first.
        agent: factory of who acts in a study, see `evaluation/study/agents.py`.
        simulates: whether it plans in the simulator: slow, so that it gets fewer episodes.
        learner: a `learning.models.learner.MakeLearner`, which makes the learner of the fit's last
            phase; "": that of eq. 22 for a rule that is meta-trained, none for another. Of a
            method that learns a policy: a `learning.policies.training.PolicyMethod`.
    """

    name: str
    look: Look | None = None
    role: Role = Role.CONTENDER
    rule: str = ""
    model_of: str = ""
    grid: str = ""
    learned: Learned = Learned.MODEL
    agent: str = "ros_mbmrl.evaluation.study.agents:adapting"
    simulates: bool = False
    learner: str = ""

    @property
    def trained_as(self) -> str:
        """Name of the method whose model it runs on."""
        return self.model_of or self.name

    @property
    def predicts(self) -> bool:
        """Return whether it has one learned model whose predictions can be judged."""
        return self.learned is Learned.MODEL

    @property
    def judged(self) -> bool:
        """Return whether it is ranked and compared with others, as references are not."""
        return self.role in (Role.CONTENDER, Role.BASELINE)
