"""The studies of policies, one entry each.

Chapters 4 (ME-TRPO), 5 (MB-MPO), 6 (ProMP) and 7 (MAAC) of the thesis, M3PO (Hiraoka et al.)
and MEMB (Tan et al.).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ros_mbmrl.errors import choose
from ros_mbmrl.evaluation.policies.description import Drawn, Entry, Figure, PolicyStudy
from ros_mbmrl.evaluation.policies.entries import (
    ABLATED,
    BIASED,
    ENSEMBLES,
    ESTIMATORS,
    FULL,
    LADDER,
    LENGTHS,
    LVC_TRPO,
    M2PO,
    M3PO,
    M3PO_H,
    MAAC,
    MB_MPO,
    ME_TRPO,
    META,
    MODEL_FREE,
    OFF,
    OFF_MODELS,
    PEARL,
    REAL_DATA,
    SCHEMES,
    STILL,
)
from ros_mbmrl.evaluation.policies.gssm_study import GSSM_STUDY
from ros_mbmrl.evaluation.policies.memb_study import MEMB_STUDY
from ros_mbmrl.evaluation.policies.scales import (
    CENTRE,
    CORNERS,
    MAAC_ENVIRONMENTS,
    MB_ENVIRONMENTS,
    ME_ENVIRONMENTS,
    META_ENVIRONMENTS,
    WANG,
    maac_scales,
    mb_mpo_scales,
    me_trpo_scales,
    promp_scales,
)
from ros_mbmrl.evaluation.policies.scales_m3po import CHANGING, m3po_scales


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

_OFF_PLACES = (ME_CHEETAH, *MAAC_ENVIRONMENTS)

MAAC_STUDY = PolicyStudy(
    "maac",
    "Model-augmented actor-critic",
    (*MAAC, *OFF_MODELS, *OFF, *ABLATED, *REAL_DATA),
    (
        Figure("19", "Beside other actor-critics", _names(MAAC, OFF_MODELS, OFF), _OFF_PLACES),
        Figure("21", "Without a component", _names(MAAC, ABLATED), _OFF_PLACES),
        Figure("44", "Without imagined data", _names(MAAC, REAL_DATA), _OFF_PLACES),
    ),
    maac_scales(
        full=_names(MAAC, OFF_MODELS, OFF, ABLATED, REAL_DATA),
        small=_names(MAAC, OFF_MODELS, OFF, ABLATED),
        smoke=_names(MAAC, OFF_MODELS, OFF, ABLATED),
    ),
    versus=_names(OFF),
    open=MappingProxyType(
        {
            "19": "SVG, MVE and POPLIN are not part of this project.",
            "20": "The error of the gradient is measured by `mbmrl bench pathwise`.",
            "44": "No entropy and batches five times as large are settings without a curve here.",
        }
    ),
)

M3PO_STUDY = PolicyStudy(
    "m3po",
    "Meta-model-based meta-policy optimization",
    (*M3PO, *M3PO_H, *M2PO, *PEARL, *LENGTHS, *FULL),
    (
        Figure("7", "Beside a model-free method", _names(M3PO, PEARL), CHANGING),
        Figure("9", "Lengths of roll-outs", _names(M3PO, LENGTHS, FULL), CHANGING),
        Figure("15", "With less and less of the imagined", _names(M3PO, M3PO_H, PEARL), CHANGING),
        Figure("16", "With and without a memory of the model", _names(M3PO, M2PO), CHANGING),
    ),
    m3po_scales(
        full=_names(M3PO, M3PO_H, M2PO, PEARL, LENGTHS, FULL),
        small=_names(M3PO, M2PO, PEARL, LENGTHS[-1:], FULL),
        smoke=_names(M3PO, M3PO_H, M2PO, PEARL, FULL),
    ),
    versus=_names(PEARL),
    open=MappingProxyType(
        {
            "7": "L2A (GrBAL with MPPI) plans, and so is judged by the studies of chapter 9.",
            "14": "GHP-MDP plans in a model of a latent task; it is not part of this project.",
        }
    ),
)

POLICY_STUDIES: Mapping[str, PolicyStudy] = MappingProxyType(
    {
        study.name: study
        for study in (
            *(ME_TRPO_STUDY, MB_MPO_STUDY, PROMP_STUDY, MAAC_STUDY, M3PO_STUDY, MEMB_STUDY),
            GSSM_STUDY,
        )
    }
)


def make_policy_study(name: str) -> PolicyStudy:
    """Return the study called `name`. Raises UserError."""
    choose("study", name, POLICY_STUDIES)
    return POLICY_STUDIES[name]
