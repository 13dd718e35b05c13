"""A study of policies, point by point of the learning curves: whoever is interrupted goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ros_mbmrl.evaluation.campaign import finish
from ros_mbmrl.evaluation.policies.adaptation_time import measure, timings
from ros_mbmrl.evaluation.policies.description import Kind, PolicyStudy, Scale, describe
from ros_mbmrl.evaluation.policies.training import Row, Training, train
from ros_mbmrl.runtime.kept import keep


class Runner:
    """One study at one scale, in one folder. workers, cluster: see `workers.outcomes`.

    Raises:
        UserError: settings that a method does not take, before anything is written; or the folder
            holds another study.
    """

    def __init__(
        self,
        study: PolicyStudy,
        scale: Scale,
        names: Sequence[str],
        out: Path,
        workers: int = 2,
        cluster: str = "",
        first_train_seed: int = 0,
    ) -> None:
        self._scale, self._out = scale, out
        self._seeds = range(first_train_seed, first_train_seed + scale.train_seeds)
        self._workers, self._cluster = workers, cluster
        self._pairs = list(study.pairs(scale, names))
        for place, entry in self._pairs:
            first = scale.points[entry.kind][0]
            job = Training(scale, entry, place, self._seeds[0], first, out)
            _ = job.config  # what is wrong is said now
        keep(out, describe(study, scale, names))

    def rounds(self) -> Iterator[list[Training]]:
        """Yield the jobs, the k-th points of all curves together.

        A point goes on from the checkpoint of the one before it, so it must wait for that one.
        """
        points = self._scale.points
        for k in range(max((len(points[entry.kind]) for _, entry in self._pairs), default=0)):
            yield [
                Training(self._scale, entry, place, seed, points[entry.kind][k], self._out)
                for place, entry in self._pairs
                if k < len(points[entry.kind])
                for seed in self._seeds
            ]

    def run(self, so_far: Callable[[list[Row]], object] = lambda _: None) -> list[Row]:
        """Return the rows of `train`, of all jobs; finished ones are not run again.

        Args:
            so_far: told the rows after each point of the curves.
        """
        rows: list[Row] = []
        for k, jobs in enumerate(self.rounds(), start=1):
            own = (self._workers, self._cluster, f"point {k} of the curves")
            known = finish(jobs, train, self._out, *own)
            # Two entries may be the same job under two names.
            rows += [{**known[job.key], "method": job.entry.name} for job in jobs]
            so_far(rows)
        return rows

    def adaptation_times(self) -> list[Row]:
        """Return the rows of `adaptation_time.measure`, of the first training seed's last points.

        All in one process, one after the other, once `run` is done; none without a contextual
        model.
        """
        points = self._scale.points
        ends = [
            Training(self._scale, entry, place, self._seeds[0], points[entry.kind][-1], self._out)
            for place, entry in self._pairs
            if entry.kind is Kind.CONTEXTUAL
        ]
        jobs = timings(ends)
        known = finish(jobs, measure, self._out, 1, called="times of adaptation") if jobs else {}
        return [known[job.key] for job in jobs]
