"""The methods of this package, one entry each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ros_mbmrl.methods.method import COLOURS, Learned, Look, Method, Role

BASELINE = "mb"  # does not adapt
ORACLE, TRUE_MODEL, CHANCE = "mb_oracle", "true_model", "random"
COLLECTOR = "collector"
# On the model of CAUSES: told the true causes, and always told that all is well.
CAUSES, CAUSES_TOLD, CAUSES_WELL = "causes", "causes_told", "causes_well"

_RULES, _AGENTS = "ros_mbmrl.adaptation.", "ros_mbmrl.evaluation.study.agents:"
_GRIDS = "ros_mbmrl.learning.tune:"
_STEPS, _SIGNALS, _GAIN = _GRIDS + "STEPS", _GRIDS + "SIGNALS", _GRIDS + "GAIN"
_ELBO = "ros_mbmrl.learning.models.elbo:by_elbo"
_GREY, _BLUE, _ORANGE, _GREEN, _RED, _PINK, _SKY, _YELLOW = COLOURS
_BLACK, _SILVER = "#111111", "#999999"


def _adapted(
    name: str,
    rule: str,
    look: Look | None = None,
    model_of: str = "",
    grid: str = "",
    learner: str = "",
) -> Method:
    """Return a method with an update rule of `adaptation/`."""
    own = _RULES + rule
    return Method(name, look, rule=own, model_of=model_of, grid=grid, learner=learner)


def _policy(name: str, look: Look, learner: str = "") -> Method:
    """Return a method that learns a policy, by `METHOD` of a module of its name or by `learner`."""
    learner = f"ros_mbmrl.learning.policies.{learner or name + ':METHOD'}"
    agent = _AGENTS + "by_policy"
    return Method(name, look, learned=Learned.POLICY, agent=agent, learner=learner)


def _on_causes(name: str, look: Look, agent: str) -> Method:
    """Return a reference that acts with the model of `causes`."""
    role, learned = Role.REFERENCE, Learned.ANOTHERS
    return Method(name, look, role, model_of=CAUSES, learned=learned, agent=_AGENTS + agent)


def _reference(name: str, look: Look, agent: str, simulates: bool = False) -> Method:
    """Return a method that learns nothing: it knows the physics, or acts by chance."""
    nothing = Learned.NOTHING
    return Method(name, look, Role.REFERENCE, "", "", "", nothing, _AGENTS + agent, simulates)


# In the order of figures. Those without a rule take part in studies alone.
_ALL = (
    _reference(CHANCE, Look("random", _SILVER, "", ":", "x", hollow=True), "at_random"),
    _reference(
        "nominal",
        Look("nominal physics", _GREY, "//", "--", "v", hollow=True),
        "in_nominal_physics",
        simulates=True,
    ),
    _policy("trpo", Look("TRPO", _SKY, "//", "--", "^")),
    _policy("ppo", Look("PPO", _SKY, "o", "-.", "<")),
    _policy("sac", Look("SAC", _GREEN, "x", "--", "P")),
    _policy("sb3_sac", Look("SAC (SB3)", _GREY, "o", ":", "p")),
    _policy("maac", Look("MAAC", _RED, "xx", "-", "*"), "maac:MAAC"),
    _policy("mbpo", Look("MBPO", _BLUE, "x", "-.", "P"), "maac:MBPO"),
    _policy("m3po", Look("M3PO", _RED, "x", "-", "X"), "m3po:M3PO"),
    _policy("m3po_h", Look("M3PO-h", _PINK, "xx", "--", "*"), "m3po:M3PO_H"),
    _policy("m2po", Look("M2PO", _SKY, "x", "-.", "X"), "m3po:M2PO"),
    _policy("pearl", Look("PEARL", _GREEN, "xx", "--", "D")),
    _policy("pe_ppo", Look("PE-PPO", _ORANGE, "xx", "--", "<")),
    _policy("memb", Look("MEMB", _SKY, "..", "--", "s")),
    _policy("steve_sac", Look("STEVE", _ORANGE, "x", "--", "X"), "maac:STEVE_SAC"),
    _policy("maml_rl", Look("MAML-RL", _PINK, "//", "--", "^")),
    _policy("promp", Look("ProMP", _GREEN, "//", "--", "^")),
    _policy("e_maml", Look("E-MAML", _ORANGE, "//", "--", "^")),
    _policy("maml_vpg", Look("MAML-VPG", _YELLOW, "//", "--", "^")),
    _policy("me_trpo", Look("ME-TRPO", _BLUE, "//", "-", "^"), "me_trpo:ME_TRPO"),
    _policy("me_ppo", Look("ME-PPO", _GREEN, "o", "-.", "s"), "me_trpo:ME_PPO"),
    _policy("mb_mpo", Look("MB-MPO", _RED, "o", "-", "D")),
    _policy("bptt", Look("BPTT", _RED, "//", ":", "v"), "me_trpo:BPTT"),
    _policy("one_model_vpg", Look("VPG, one model", _YELLOW, "o", ":", "D"), "me_trpo:VPG"),
    _policy("one_model_trpo", Look("TRPO, one model", _ORANGE, "o", ":", "<"), "me_trpo:TRPO"),
    _policy("gssm_policy", Look("GSSM policy", _BLUE, "||", "-", "8"), "gssm:GSSM"),
    _policy("mlsm_v0_policy", Look("MLSM-v0 policy", _ORANGE, "||", "--", "8"), "gssm:MLSM_V0"),
    _policy("mlsm_v1_policy", Look("MLSM-v1 policy", _GREEN, "||", "--", "8"), "gssm:MLSM_V1"),
    _policy("m_dpilco_policy", Look("M-DPILCO policy", _GREY, "||", "-.", "8"), "gssm:M_DPILCO"),
    _policy("l2a_policy", Look("L2A", _RED, "||", "-.", "8"), "gssm:L2A"),
    Method(BASELINE, Look("MB", _GREY), Role.BASELINE, _RULES + "prior:Prior"),
    _adapted("mb_de", "gradient:GradientStep", Look("MB+DE", _ORANGE, marker="s"), "mb", _STEPS),
    _adapted(
        "residual", "residual:MeanResidual", Look("residual", _YELLOW, marker="P"), "mb", _GAIN
    ),
    _adapted(
        "last_layer", "last_layer:LastLayer", Look("last layer", _SKY, marker="X"), "mb", _SIGNALS
    ),
    _adapted(
        "kalman_last_layer",
        "kalman_last_layer:KalmanLastLayer",
        Look("Kalman last layer", _SKY, "xx", ":", "p"),
        "mb",
        _SIGNALS,
    ),
    _adapted("grbal", "gradient:grbal", Look("GrBAL", _BLUE, marker="D")),
    _adapted("rebal", "rebal:ReBAL", Look("ReBAL", _GREEN, marker="v")),
    _adapted("context", "context:Context", Look("context", _RED, "..", ":", "<")),
    _adapted("context_de", "context_step:ContextStep", None, "context", _STEPS),
    _adapted(
        "bayes_context", "bayes_context:BayesContext", Look("Bayes context", _RED, marker="<")
    ),
    _adapted(
        "bayes_context_ll",
        "last_layer:BayesContextLastLayer",
        Look("Bayes context + LL", _PINK, marker=">"),
        "bayes_context",
        _SIGNALS,
    ),
    _adapted("bayes_context_de", "context_step:BayesContextStep", None, "bayes_context", _STEPS),
    _adapted("leaky_context", "leaky_context:LeakyContext"),
    _adapted("gssm", "latent:LatentRule", Look("GSSM", _BLUE, "++", "-", "H"), learner=_ELBO),
    _adapted("mlsm_v0", "latent:MLSM0Rule", Look("MLSM-v0", _GREEN, "++", "-", "8"), learner=_ELBO),
    _adapted(
        "mlsm_v1", "latent:MLSM1Rule", Look("MLSM-v1", _ORANGE, "++", "-", "d"), learner=_ELBO
    ),
    _adapted(CAUSES, "causes:CauseFilter", Look("causes", _BLUE, "xx", "--", "*")),
    _adapted(
        "causes_ll",
        "causes_last_layer:CausesLastLayer",
        Look("causes + LL", _BLUE, "--", "-.", "*"),
        CAUSES,
        _SIGNALS,
    ),
    _on_causes(CAUSES_TOLD, Look("causes told", _BLUE, "xx", ":", "h", hollow=True), "told_causes"),
    _on_causes(
        CAUSES_WELL, Look("causes, all well", _BLUE, "..", ":", "x", hollow=True), "told_all_well"
    ),
    _adapted("leaky_context_de", "context_step:LeakyContextStep", None, "leaky_context", _STEPS),
    Method(
        ORACLE,
        Look("MB oracle", _BLACK, "", "-.", "*", hollow=True),
        Role.REFERENCE,
        model_of=BASELINE,
        learned=Learned.MODEL_A_CONDITION,
    ),
    _reference(
        TRUE_MODEL,
        Look("true model", _BLACK, "//", ":", "h", hollow=True),
        "in_true_physics",
        simulates=True,
    ),
    Method(COLLECTOR, role=Role.COLLECTOR, model_of=BASELINE),
)
BUILT_IN: Mapping[str, Method] = MappingProxyType({method.name: method for method in _ALL})
