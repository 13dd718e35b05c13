"""`bench sac`: gradient steps of our SAC beside Stable-Baselines3's, with the same settings.

A step draws a batch and updates critics, policy, temperature and target critics, of a robot of the
half-cheetah's size, whose memory is full of noise.

Results: `over_sb3` (our time over theirs), `updates_per_s`, `sb3_updates_per_s`, `samples`,
`hidden`, `medians_ms`, `notes`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator

from ros_mbmrl.bench.problem import check_network
from ros_mbmrl.bench.timing import Figure, Findings, at_least, interleave, pinned
from ros_mbmrl.learning.policies.replay import Batch, Replay
from ros_mbmrl.learning.policies.sb3 import extra, silenced
from ros_mbmrl.learning.policies.soft import SoftActorCritic, SoftConfig

OBSERVED, ACTIONS = 17, 6  # numbers of the half-cheetah's
ROWS, STEPS = 10_000, 10  # transitions in memory; gradient steps in a round
OURS, THEIRS = "ours", "stable-baselines3"


@dataclass(frozen=True)
class Config:
    """Settings; samples: rows of a batch."""

    samples: int = 256
    hidden: tuple[int, ...] = (256, 256)
    threads: int = 1
    repeats: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        at_least(1, samples=self.samples, threads=self.threads, repeats=self.repeats)
        check_network(self.hidden, "silu")


QUICK = Config(samples=16, hidden=(16,), repeats=3)


def run(config: Config) -> Findings:
    """Measure rounds of gradient steps in turn. Raises UserError without the extra `rl`."""
    with pinned(config.threads):
        contenders = {OURS: ours(config), THEIRS: theirs(config)}
        times = interleave(contenders, config.repeats)
    over = times.figure("over_sb3", OURS, THEIRS, "our time over sb3's", "at most 1")
    rates = [
        Figure(f"{name}updates_per_s", STEPS / times.median(who), f"gradient steps a second, {who}")
        for name, who in (("", OURS), ("sb3_", THEIRS))
    ]
    facts = {"samples": config.samples, "hidden": list(config.hidden), "rows": ROWS}
    return Findings((over, *rates), times, facts)


def ours(config: Config) -> Callable[[], object]:
    """Return a round of our gradient steps."""
    soft = SoftConfig(hidden=config.hidden, rows=config.samples)
    generator = Generator().manual_seed(config.seed)
    learner = SoftActorCritic(OBSERVED, ACTIONS, soft, generator)
    replay = Replay(ROWS, OBSERVED, ACTIONS)
    seen, after = (torch.randn(ROWS, OBSERVED, generator=generator) for _ in range(2))
    actions = torch.rand(ROWS, ACTIONS, generator=generator) * 2 - 1
    replay.add(Batch(seen, actions, torch.randn(ROWS), after, torch.zeros(ROWS)))

    def steps() -> None:
        for _ in range(STEPS):
            learner.update(replay.draw(config.samples, generator), generator)

    return steps


def theirs(config: Config) -> Callable[[], object]:
    """Return a round of sb3's gradient steps. Raises UserError without the extra `rl`."""
    with extra("bench sac needs"):
        import gymnasium
        from stable_baselines3 import SAC

    class Still(gymnasium.Env):
        """Stand in for a robot of the right size; it is never stepped."""

        observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (OBSERVED,), np.float32)
        action_space = gymnasium.spaces.Box(-1.0, 1.0, (ACTIONS,), np.float32)

        def reset(
            self, *, seed: int | None = None, options: object = None
        ) -> tuple[object, dict[str, object]]:
            return np.zeros(OBSERVED, np.float32), {}

    units = {"net_arch": list(config.hidden), "activation_fn": torch.nn.SiLU}
    own = {"batch_size": config.samples, "buffer_size": ROWS, "policy_kwargs": units}
    model = silenced(SAC("MlpPolicy", Still(), seed=config.seed, device="cpu", **own))
    rng, memory = np.random.default_rng(config.seed), model.replay_buffer
    memory.observations[:, 0] = rng.normal(size=(ROWS, OBSERVED))
    memory.next_observations[:, 0] = rng.normal(size=(ROWS, OBSERVED))
    memory.actions[:, 0] = rng.uniform(-1, 1, (ROWS, ACTIONS))
    memory.rewards[:, 0] = rng.normal(size=ROWS)
    memory.full = True
    return lambda: model.train(gradient_steps=STEPS, batch_size=config.samples)
