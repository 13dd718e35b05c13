"""The methods of this package, one entry each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ros_mbmrl.methods.method import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    RED,
    SKY,
    YELLOW,
    Learned,
    Look,
    Method,
    Role,
)

BASELINE = "mb"  # does not adapt
ORACLE, TRUE_MODEL, CHANCE = "mb_oracle", "true_model", "random"
COLLECTOR = "collector"

_RULES, _AGENTS = "ros_mbmrl.adaptation", "ros_mbmrl.evaluation.study.agents"
_STEPS, _SIGNALS, _GAIN = (
    f"ros_mbmrl.learning.tune:{name}" for name in ("STEPS", "SIGNALS", "GAIN")
)
_BLACK, _SILVER = "#111111", "#999999"

# In the order of figures. Those without a rule take part in studies alone.
BUILT_IN: Mapping[str, Method] = MappingProxyType(
    {
        method.name: method
        for method in (
            Method(
                CHANCE,
                Look("random", _SILVER, line=":", marker="x", hollow=True),
                Role.REFERENCE,
                learned=Learned.NOTHING,
                agent=f"{_AGENTS}:at_random",
            ),
            Method(
                "nominal",
                Look("nominal physics", GREY, "//", "--", "v", hollow=True),
                Role.REFERENCE,
                learned=Learned.NOTHING,
                agent=f"{_AGENTS}:in_nominal_physics",
                simulates=True,
            ),
            Method(
                "trpo",
                Look("TRPO", SKY, "//", "--", "^"),
                learned=Learned.POLICY,
                agent=f"{_AGENTS}:by_policy",
            ),
            Method(
                "maml_rl",
                Look("MAML-RL", PINK, "//", "--", "^"),
                learned=Learned.POLICY,
                agent=f"{_AGENTS}:by_policy",
            ),
            Method(BASELINE, Look("MB", GREY), Role.BASELINE, rule=f"{_RULES}.prior:Prior"),
            Method(
                "mb_de",
                Look("MB+DE", ORANGE, marker="s"),
                rule=f"{_RULES}.gradient:GradientStep",
                model_of=BASELINE,
                grid=_STEPS,
            ),
            Method(
                "residual",
                Look("residual", YELLOW, marker="P"),
                rule=f"{_RULES}.residual:MeanResidual",
                model_of=BASELINE,
                grid=_GAIN,
            ),
            Method(
                "last_layer",
                Look("last layer", SKY, marker="X"),
                rule=f"{_RULES}.last_layer:LastLayer",
                model_of=BASELINE,
                grid=_SIGNALS,
            ),
            Method("grbal", Look("GrBAL", BLUE, marker="D"), rule=f"{_RULES}.gradient:grbal"),
            Method("rebal", Look("ReBAL", GREEN, marker="v"), rule=f"{_RULES}.rebal:ReBAL"),
            Method(
                "context",
                Look("context", RED, "..", ":", "<"),
                rule=f"{_RULES}.context:Context",
            ),
            Method(
                "context_de",
                rule=f"{_RULES}.context_step:ContextStep",
                model_of="context",
                grid=_STEPS,
            ),
            Method(
                "bayes_context",
                Look("Bayes context", RED, marker="<"),
                rule=f"{_RULES}.bayes_context:BayesContext",
            ),
            Method(
                "bayes_context_ll",
                Look("Bayes context + LL", PINK, marker=">"),
                rule=f"{_RULES}.last_layer:BayesContextLastLayer",
                model_of="bayes_context",
                grid=_SIGNALS,
            ),
            Method(
                "bayes_context_de",
                rule=f"{_RULES}.context_step:BayesContextStep",
                model_of="bayes_context",
                grid=_STEPS,
            ),
            Method("leaky_context", rule=f"{_RULES}.leaky_context:LeakyContext"),
            Method(
                "leaky_context_de",
                rule=f"{_RULES}.context_step:LeakyContextStep",
                model_of="leaky_context",
                grid=_STEPS,
            ),
            Method(
                ORACLE,
                Look("MB oracle", _BLACK, line="-.", marker="*", hollow=True),
                Role.REFERENCE,
                model_of=BASELINE,
                learned=Learned.MODEL_A_CONDITION,
            ),
            Method(
                TRUE_MODEL,
                Look("true model", _BLACK, "//", ":", "h", hollow=True),
                Role.REFERENCE,
                learned=Learned.NOTHING,
                agent=f"{_AGENTS}:in_true_physics",
                simulates=True,
            ),
            Method(COLLECTOR, role=Role.COLLECTOR, model_of=BASELINE),
        )
    }
)
