"""Tables of new tasks: ours beside what is printed."""

from __future__ import annotations

from ros_mbmrl.evaluation.policies.task_tables import rewards, spread, times
from ros_mbmrl.methods.method import Look

LOOKS = {"gssm": Look("GSSM", "#000000"), "mlsm_v0": Look("MLSM-v0", "#000000")}


def test_table_1_has_the_published_cells() -> None:
    row = {
        **{"method": "gssm", "condition": "cart-pole", "n_train_seeds": 5, "n_tests": 50},
        **{"error_random": 0.02, "error_random_std": 0.01, "error_own": None},
        **{"error_own_std": None, "reward": -0.7, "reward_std": 0.1},
    }
    ((*cells,),) = rewards([row], LOOKS).rows
    assert cells[:4] == ["cart-pole", "GSSM", "0.02 (0.01)", ""]
    assert cells[4:] == ["0.0291 (0.04)", "-0.7 (0.1)", "-0.5957 (0.058)", "5 x 50"]


def test_table_6_says_times_in_milliseconds() -> None:
    told = {"look": 1.0, "adapt": 2.0, "act": 0.5}
    told |= {f"{name}_std": 0.1 for name in list(told)}
    row = {"condition": "cart-pole", "times": {"gssm": told, "mlsm_v0": told}}
    ours, other = times([row], LOOKS).rows
    assert list(ours) == ["cart-pole", "GSSM", "1 (0.1)", "2 (0.1)", "none", "0.5 (0.1)"]
    assert other[4] == "340 (25)"


def test_nothing_is_an_empty_cell() -> None:
    assert spread(None, None) == ""
