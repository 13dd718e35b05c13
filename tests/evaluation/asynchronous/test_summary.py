"""Time and data to the synchronous arm's best return, by hand."""

from __future__ import annotations

from typing import Any

from ros_mbmrl.evaluation.asynchronous.summary import first_at, summarise


def row(method: str, *points: tuple[float, int, float], seed: int = 0) -> dict[str, Any]:
    names = ("time_s", "transitions", "return")
    curve = [dict(zip(names, point, strict=True)) for point in points]
    return {
        "method": method,
        "condition": "here",
        "train_seed": seed,
        "seconds": points[-1][0],
        "curve": curve,
    }


ROWS = [
    row("me_trpo_sync", (100.0, 1000, 2.0), (200.0, 2000, 8.0), (300.0, 3000, 7.0)),
    row("me_trpo_async", (10.0, 500, 5.0), (40.0, 1500, 9.0)),
    row("interleaved_data", (90.0, 1000, 3.0)),
    row("ema_50", (90.0, 1000, 3.0)),
    row("me_ppo_async", (90.0, 1000, 3.0)),
]


def test_each_arm_beside_the_synchronous_one_of_its_method() -> None:
    found = {each["method"]: each for each in summarise(ROWS)["reached"]}
    assert set(found) == {"me_trpo_async", "interleaved_data", "me_ppo_async"}
    fast = found["me_trpo_async"]
    assert (fast["level"], fast["opponent"]) == (8.0, "me_trpo_sync")
    assert (fast["time_s"], fast["time_s_opponent"], fast["time_s_ratio"]) == (40.0, 200.0, 0.2)
    assert (fast["transitions"], fast["transitions_ratio"]) == (1500.0, 0.75)
    slow = found["interleaved_data"]
    assert slow["time_s"] is None and slow["time_s_ratio"] is None
    assert found["me_ppo_async"]["level"] is None  # its synchronous arm did not take part


def test_ends_of_the_curves() -> None:
    (first, *_) = summarise(ROWS)["ends"]
    assert (first["return"], first["best"], first["seconds"]) == (7.0, 8.0, 300.0)


def test_the_first_point_counts() -> None:
    curve = ROWS[0]["curve"]
    assert first_at(curve, 2.0, "time_s") == 100.0
    assert first_at(curve, 7.5, "transitions") == 2000.0
    assert first_at(curve, 8.5, "time_s") is None
