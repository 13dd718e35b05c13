"""Entries of the studies of policies: methods, and variants of them under names of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ros_mbmrl.evaluation.policies.description import Entry, Kind
from ros_mbmrl.methods import look
from ros_mbmrl.methods.method import COLOURS, Look

_GREY, _BLUE, _ORANGE, _GREEN, _RED, _PINK, _SKY, _YELLOW = COLOURS


def _of(kind: Kind, *methods: str) -> tuple[Entry, ...]:
    """Return the methods as they are."""
    return tuple(Entry(method, method, kind) for method in methods)


def _variant(
    name: str, method: str, kind: Kind, shown: str, colour: str, marker: str, **settings: Any
) -> Entry:
    """Return a method with other settings, drawn as a variant of it."""
    drawn = replace(look(method), name=shown, colour=colour, marker=marker)
    return Entry(name, method, kind, settings, drawn)


def _members(count: int, colour: str, marker: str) -> Entry:
    shown, model = f"ME-TRPO, {count} models", {"members": count}
    own = (f"me_trpo_{count}", "me_trpo", Kind.MODELS, shown, colour, marker)
    return _variant(*own, model=model)


def _scheme(scheme: str, colour: str, marker: str) -> Entry:
    own = (f"me_trpo_{scheme}", "me_trpo", Kind.MODELS, scheme, colour, marker)
    return _variant(*own, scheme=scheme)


def _ablated(name: str, shown: str, colour: str, marker: str, **settings: Any) -> Entry:
    return _variant(name, "maac", Kind.OFF_MODELS, shown, colour, marker, **settings)


def _look(name: str, marker: str) -> Look:
    return Look(name, _GREY, line="--", marker=marker)


MODEL_FREE = _of(Kind.FREE, "trpo", "ppo")
ME_TRPO = _of(Kind.MODELS, "me_trpo")
MB_MPO = _of(Kind.META_MODELS, "mb_mpo")
# Figure 9: no adaptation.
STILL = (Entry("mb_mpo_still", "mb_mpo", Kind.META_MODELS, {"rate": 0.0}, _look("alpha = 0", "v")),)
# Figure 10: models that are wrong on purpose; b_max in each state's own unit.
BIASED = tuple(
    Entry(
        f"{method}_bias_{bias:g}",
        method,
        kind,
        {"model_bias": bias, "horizon": 100},
        replace(look(method), colour=COLOURS[2 * k + j], name=f"{method}, b_max = {bias:g}"),
    )
    for k, bias in enumerate((0.1, 0.5, 1.0))
    for j, (method, kind) in enumerate((("mb_mpo", Kind.META_MODELS), ("me_trpo", Kind.MODELS)))
)
# Figure 4: one model; figure 5: more of them, the first of which is `one_model_trpo`.
LADDER = _of(Kind.MODELS, "bptt", "one_model_vpg", "one_model_trpo")
ENSEMBLES = (_members(10, _PINK, "D"), _members(20, _GREY, "P"))
# Figure 37: section A.4.1; `step_rand` is ME-TRPO itself.
SCHEMES = (
    _scheme("eps_rand", _ORANGE, "s"),
    _scheme("model_mean_std", _GREEN, "v"),
    _scheme("model_mean", _RED, "<"),
    _scheme("model_med", _PINK, ">"),
    _scheme("one_model", _GREY, "X"),
)
# Figures 13 and 42: MAML and E-MAML as first implemented, with TRPO outside.
META = (
    *_of(Kind.META, "promp"),
    _variant("maml_trpo", "maml_rl", Kind.META, "MAML-TRPO", _PINK, "^", estimator="maml"),
    *_of(Kind.META, "e_maml"),
)
# Figures 19 and 21, and of figure 44 what differs by a setting.
MAAC = _of(Kind.OFF_MODELS, "maac")
OFF_MODELS = _of(Kind.OFF_MODELS, "mbpo", "steve_sac")
OFF = _of(Kind.OFF, "sac", "sb3_sac")
ABLATED = (
    _ablated("maac_h0", "H = 0", _BLUE, "v", steps=0),
    _ablated("maac_no_steve", "without STEVE", _ORANGE, "s", expansion=0),
    _ablated("maac_single", "single sample", _GREEN, "D", samples=1),
)
REAL_DATA = (_ablated("maac_real", "real data only", _PINK, "^", real=1.0),)
# Figure 16, and figures 14 and 15: estimators with one step of VPG outside.
LVC_TRPO = _variant("lvc_trpo", "maml_rl", Kind.META, "LVC-TRPO", _BLUE, "^", estimator="lvc")
ESTIMATORS = (
    _variant("lvc_vpg", "maml_vpg", Kind.META, "LVC", _BLUE, "o", estimator="lvc"),
    _variant("dice_vpg", "maml_vpg", Kind.META, "DiCE", _GREEN, "s", estimator="dice"),
    _variant("maml_vpg", "maml_vpg", Kind.META, "MAML", _PINK, "v", estimator="maml"),
    _variant("e_maml_vpg", "maml_vpg", Kind.META, "E-MAML", _ORANGE, "D", estimator="e_maml"),
)
# Hiraoka et al., figures 7, 9, 15 and 16.
M3PO = _of(Kind.OFF_MODELS, "m3po")
M3PO_H, M2PO = _of(Kind.OFF_MODELS, "m3po_h"), _of(Kind.OFF_MODELS, "m2po")
PEARL = _of(Kind.OFF, "pearl")
LENGTHS = tuple(
    _variant(f"m3po_k{k}", "m3po", Kind.OFF_MODELS, f"M3PO, k = {k}", colour, marker, length=k)
    for k, colour, marker in ((3, _ORANGE, "s"), (10, _GREEN, "P"))
)
FULL = (
    _variant(
        *("m3po_full", "m3po", Kind.OFF_MODELS, "Full", _GREY, "v"),
        full=True,
        length=100,
    ),
)
