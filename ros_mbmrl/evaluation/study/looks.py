"""What each method is called, and how it is drawn: the same in every figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ros_mbmrl.evaluation.plots import COLOURS


@dataclass(frozen=True)
class Look:
    """name: for people. hatch, line, marker: the second cue, beside the colour.

    hollow: its bars are only outlined, as those of what is no contender are.
    """

    name: str
    colour: str
    hatch: str = ""
    line: str = "-"
    marker: str = "o"
    hollow: bool = False


_GREY, _BLUE, _ORANGE, _GREEN, _RED, _PINK, _SKY, _YELLOW = COLOURS

LOOKS: Mapping[str, Look] = MappingProxyType(
    {
        "random": Look("random", "#999999", "", ":", "x", hollow=True),
        "nominal": Look("nominal physics", "#666666", "//", "--", "v", hollow=True),
        "trpo": Look("TRPO", _SKY, "//", "--", "^"),
        "maml_rl": Look("MAML-RL", _PINK, "//", "--", "^"),
        "mb": Look("MB", _GREY),
        "mb_de": Look("MB+DE", _ORANGE, "", "-", "s"),
        "residual": Look("residual", _YELLOW, "", "-", "P"),
        "last_layer": Look("last layer", _SKY, "", "-", "X"),
        "grbal": Look("GrBAL", _BLUE, "", "-", "D"),
        "rebal": Look("ReBAL", _GREEN, "", "-", "v"),
        "context": Look("context", _RED, "..", ":", "<"),
        "bayes_context": Look("Bayes context", _RED, "", "-", "<"),
        "bayes_context_ll": Look("Bayes context + LL", _PINK, "", "-", ">"),
        "mb_oracle": Look("MB oracle", "#111111", "", "-.", "*", hollow=True),
        "true_model": Look("true model", "#111111", "//", ":", "h", hollow=True),
    }
)


def look(method: str) -> Look:
    """The method's look; one that is not known is brown under its own name."""
    return LOOKS.get(method, Look(method, "#8c510a", "..", "-.", "d"))
