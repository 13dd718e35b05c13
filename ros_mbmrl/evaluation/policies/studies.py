"""The studies of chapters 4 (ME-TRPO), 5 (MB-MPO) and 6 (ProMP) of the thesis, one entry each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ros_mbmrl.errors import choose
from ros_mbmrl.evaluation.policies.description import Drawn, Entry, Figure, PolicyStudy
from ros_mbmrl.evaluation.policies.entries import (
    BIASED,
    ENSEMBLES,
    ESTIMATORS,
    LADDER,
    LVC_TRPO,
    MB_MPO,
    ME_TRPO,
    META,
    MODEL_FREE,
    SCHEMES,
    STILL,
)
from ros_mbmrl.evaluation.policies.scales import (
    CENTRE,
    CORNERS,
    MB_ENVIRONMENTS,
    ME_ENVIRONMENTS,
    META_ENVIRONMENTS,
    WANG,
    mb_mpo_scales,
    me_trpo_scales,
    promp_scales,
)


def _names(*groups: tuple[Entry, ...]) -> tuple[str, ...]:
    return tuple(entry.name for group in groups for entry in group)


SHORT, ME_CHEETAH = "mb-mpo-half-cheetah", "me-trpo-half-cheetah"
_BY_MEMBERS = (LADDER[-1:], ME_TRPO, ENSEMBLES)
_ESTIMATED = META_ENVIRONMENTS[:6]  # the six of figures 13 and 14

ME_TRPO_STUDY = PolicyStudy(
    "me-trpo",
    "Model-ensemble trust-region policy optimization",
    (*ME_TRPO, *ENSEMBLES, *LADDER, *SCHEMES, *MODEL_FREE),
    (
        Figure("4", "Steps of a policy in one model", _names(LADDER), ME_ENVIRONMENTS),
        Figure("5", "Numbers of models", _names(*_BY_MEMBERS), ME_ENVIRONMENTS),
        Figure("6", "Beside model-free methods", _names(ME_TRPO, MODEL_FREE), ME_ENVIRONMENTS),
        Figure("36", "Predicted and real", _names(*_BY_MEMBERS), ME_ENVIRONMENTS, Drawn.OPTIMISM),
        Figure("37", "Schemes of imagination", _names(ME_TRPO, SCHEMES), ME_ENVIRONMENTS),
    ),
    me_trpo_scales(
        full=_names(ME_TRPO, ENSEMBLES, LADDER, SCHEMES, MODEL_FREE),
        small=_names(ME_TRPO, ENSEMBLES, LADDER, MODEL_FREE),
        smoke=_names(ME_TRPO, LADDER[-1:], MODEL_FREE[:1]),
    ),
    versus=_names(MODEL_FREE),
    open=MappingProxyType(
        {
            "6": "DDPG and SVG are not part of this project.",
            "38": "Validation other than by the models (eq. 5) is not part of the learner.",
        }
    ),
)

MB_MPO_STUDY = PolicyStudy(
    "mb-mpo",
    "Model-based meta-policy optimization",
    (*MB_MPO, *STILL, *ME_TRPO, *BIASED, *MODEL_FREE),
    (
        Figure("7", "Beside model-free methods", _names(MB_MPO, MODEL_FREE), MB_ENVIRONMENTS),
        Figure("8", "Beside model-based methods", _names(MB_MPO, ME_TRPO), MB_ENVIRONMENTS),
        Figure("9", "With and without adaptation", _names(MB_MPO, STILL), (SHORT, WANG)),
        Figure("10", "Models that are wrong on purpose", _names(BIASED), (ME_CHEETAH,)),
        Figure("11", "Plasticity", _names(MB_MPO), (CENTRE,), Drawn.PLASTICITY),
    ),
    mb_mpo_scales(
        full=_names(MB_MPO, STILL, ME_TRPO, BIASED, MODEL_FREE),
        small=_names(MB_MPO, STILL, ME_TRPO, MODEL_FREE),
        smoke=_names(MB_MPO, ME_TRPO, MODEL_FREE[:1]),
    ),
    versus=_names(MODEL_FREE),
    open=MappingProxyType(
        {
            "7": "DDPG and ACKTR are not part of this project, and the PR2 is none of the rows.",
            "8": "MB-MPC plans, and so is judged by the studies of chapter 9.",
        }
    ),
)

PROMP_STUDY = PolicyStudy(
    "promp",
    "Proximal meta-policy search",
    (*META, LVC_TRPO, *ESTIMATORS),
    (
        Figure("13", "Meta-learners, and figure 42", _names(META), META_ENVIRONMENTS),
        Figure("14", "Estimators of the meta-gradient", _names(ESTIMATORS), _ESTIMATED),
        Figure(
            "16",
            "Exploration before the update, and exploitation after it",
            ("lvc_trpo", "maml_trpo", "e_maml"),
            (CORNERS,),
            Drawn.PATHS,
        ),
    ),
    promp_scales(
        full=_names(META, (LVC_TRPO,), ESTIMATORS),
        smoke=("promp", "lvc_vpg", "lvc_trpo"),
    ),
    versus=("maml_trpo",),
    open=MappingProxyType(
        {
            "15": "Its lower half is in figure 14 (LVC and DiCE); the variance of the "
            "meta-gradient is measured by `mbmrl bench curvature`.",
            "17": "Updates of two parameters on a line: there is no such environment yet.",
            "42": "AntRandGoal is none of the rows.",
        }
    ),
)

POLICY_STUDIES: Mapping[str, PolicyStudy] = MappingProxyType(
    {study.name: study for study in (ME_TRPO_STUDY, MB_MPO_STUDY, PROMP_STUDY)}
)


def make_policy_study(name: str) -> PolicyStudy:
    """Return the study called `name`. Raises UserError."""
    choose("study", name, POLICY_STUDIES)
    return POLICY_STUDIES[name]
