"""A study from its description to its report: learn, tune, judge, compare, draw. It resumes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.dynamics.card import CARD, WEIGHTS
from ros_mbmrl.evaluation.campaign import Keyed, finish
from ros_mbmrl.evaluation.study.description import Scale, Study, describe
from ros_mbmrl.evaluation.study.judge import Prediction, Trial, judge, predict
from ros_mbmrl.evaluation.study.learn import Learning, learn
from ros_mbmrl.evaluation.study.model_free import Practice, practise
from ros_mbmrl.evaluation.study.tuning import Tuning, candidates, derive, score
from ros_mbmrl.methods import make_method
from ros_mbmrl.methods.built_in import COLLECTOR
from ros_mbmrl.methods.method import Learned, Method
from ros_mbmrl.runtime.kept import keep

Row = dict[str, Any]
J = TypeVar("J", bound=Keyed)


class Runner:
    """One study at one scale, in one folder.

    What is finished counts for any number of training seeds: with more of them, a study goes on.

    Args:
        study, scale, methods: what is compared.
        out: the folder.
        workers, cluster: see `workers.outcomes`.
        first_train_seed: the others follow it.

    Raises:
        UserError: a method's entry point is not as expected; then nothing has been written.
    """

    def __init__(
        self,
        study: Study,
        scale: Scale,
        methods: Sequence[str],
        out: Path,
        workers: int = 2,
        cluster: str = "",
        first_train_seed: int = 0,
    ) -> None:
        self.seeds = tuple(range(first_train_seed, first_train_seed + scale.train_seeds))
        scale = replace(scale, train_seeds=1)  # how many others there are decides no job
        self.methods = tuple(map(make_method, methods))
        for method in self.methods:
            if method.rule:
                make_rule(method.name)
            candidates(method.name)
        keep(out, describe(study, scale, methods))
        self.study, self.scale, self.out = study, scale, out
        self._workers, self._cluster = workers, cluster

    def run(self) -> dict[str, list[Row]]:
        """Return all that the report shows, see `write_report`, as rows by name."""
        learned = self._learn()
        curves = [row for each in learned for row in each["curve"]]
        gathered = [row for each in learned for row in each["gathered"]]
        curves += self._practise()
        tuning = self._tune()
        rows = self._judge()
        errors = self._predict()
        found = {"rows": rows, "curves": curves, "errors": errors, "tuning": tuning}
        return {**found, "gathered": gathered, **self._vary()}

    def folder(self, method: str, seed: int, condition: str = "") -> Path:
        """Where a method's model is."""
        return self._learning(method, seed, condition=condition).folder

    def _that_learn(self, what: Learned) -> list[Method]:
        return [method for method in self.methods if method.learned is what]

    def _learning(self, method: str, seed: int, **variation: Any) -> Learning:
        return Learning(self.study.name, self.scale, method, seed, self.out, **variation)

    def _finish(
        self, jobs: Sequence[J], work: Callable[[J], tuple[str, Row]], what: str
    ) -> list[Row]:
        known = finish(jobs, work, self.out / what, self._workers, self._cluster, what)
        return [known[job.key] for job in jobs]

    def _learn(self) -> list[Row]:
        """Return what each learning tells. Who gathers comes first: others learn from it."""
        kinds = (Learned.MODEL, Learned.ANOTHERS)
        models = (m.trained_as for kind in kinds for m in self._that_learn(kind))
        bases = dict.fromkeys((COLLECTOR, *models))
        jobs = [self._learning(name, seed) for name in bases for seed in self.seeds]
        jobs += [
            self._learning(m.name, seed, condition=condition)
            for m in self._that_learn(Learned.MODEL_A_CONDITION)
            for condition in self.study.conditions
            for seed in self.seeds[: self.scale.oracle_seeds]
        ]
        done = self._finish([job for job in jobs if job.gathers], learn, "learn")
        done += self._finish([job for job in jobs if not job.gathers], learn, "learn")
        return done

    def _practise(self) -> list[Row]:
        jobs = [
            Practice(self.study.name, self.scale, m.name, seed, self.folder(m.name, seed))
            for m in self._that_learn(Learned.POLICY)
            for seed in self.seeds
        ]
        done = self._finish(jobs, practise, "practise")
        rows = [row for each in done for row in each["curve"]]
        return [row for row in rows if row["condition"] in self.study.conditions]

    def _tune(self) -> list[Row]:
        """Chooses settings on the first training seed's model; the others take them over."""
        record: list[Row] = []
        for method, base in ((m.name, m.trained_as) for m in self._that_learn(Learned.MODEL)):
            if base == method:
                continue
            folder = self.folder(base, self.seeds[0])
            jobs = [
                Tuning(self.study.name, self.scale, method, options, folder, digest(folder))
                for options in candidates(method)
            ]
            tried = self._finish(jobs, score, "tune")
            best = max(tried, key=lambda row: row["return"]) if tried else {}
            options = {k: v for k, v in best.items() if k not in ("method", "return", "error")}
            for seed in self.seeds:
                where = self.folder(method, seed)
                derive(self.folder(base, seed), where, self.study.robot, method, options, tried)
            record += [{**row, "chosen": row is best} for row in tried]
        return record

    def _judge(self) -> list[Row]:
        jobs = [job for method in self.methods for job in self._trials(method)]
        rows = [row for each in self._finish(jobs, judge, "judge") for row in each["rows"]]
        # What was not trained has no training seed: it is held against all of the others'.
        untrained = {m.name for m in self._that_learn(Learned.NOTHING)}
        return [{**r, "train_seed": None} if r["method"] in untrained else r for r in rows]

    def _trials(self, method: Method) -> list[Trial]:
        study, scale = self.study, self.scale
        if method.learned is Learned.NOTHING:
            episodes = scale.physics_episodes if method.simulates else scale.episodes
            what = (study.name, scale, method.name, self.seeds[0], study.conditions)
            return [Trial(*what, scale.first_episode, episodes, self.out)]
        if method.learned is Learned.MODEL_A_CONDITION:
            return [
                self._trial(method, seed, (condition,), self.folder(method.name, seed, condition))
                for seed in self.seeds[: scale.oracle_seeds]
                for condition in study.conditions
            ]
        whose = method.trained_as if method.learned is Learned.ANOTHERS else method.name
        return [
            self._trial(method, seed, study.conditions, self.folder(whose, seed))
            for seed in self.seeds
        ]

    def _trial(self, method: Method, seed: int, conditions: tuple[str, ...], folder: Path) -> Trial:
        common = seed == self.seeds[0] and method.predicts
        return Trial(
            self.study.name,
            self.scale,
            method.name,
            seed,
            conditions,
            self.scale.first_episode,
            self.scale.episodes,
            self.out,
            folder,
            digest(folder),
            common,
        )

    def _predict(self) -> list[Row]:
        grounds = digest(self.out / "common")
        jobs = [
            Prediction(
                self.study.name,
                self.scale,
                m.name,
                seed,
                self.out,
                self.folder(m.name, seed),
                digest(self.folder(m.name, seed)),
                grounds,
            )
            for m in self._that_learn(Learned.MODEL)
            for seed in self.seeds
        ]
        done = self._finish(jobs, predict, "predict")
        return [record for each in done for record in each["records"]]

    def _vary(self) -> dict[str, list[Row]]:
        """Figures 48 and 47: the windows' length, and what was trained on."""
        study, seeds = self.study, self.seeds[: self.scale.variation_seeds]
        if study.varied not in [m.name for m in self.methods]:
            return {"sensitivity": [], "forces": []}
        lengths = self.scale.windows if study.vary_window else ()
        windows = [self._learning(study.varied, s, window=w) for w in lengths for s in seeds]
        forces = [self._learning(study.varied, s, force=f) for f in study.forces for s in seeds]
        if forces:
            self._finish([job.collector for job in forces], learn, "learn")
        done = self._finish([*windows, *forces], learn, "learn")
        pairs = list(zip([*windows, *forces], done, strict=True))
        sensitivity = [
            {**row, "window": job.window}
            for job, each in pairs
            if job.window
            for row in each["curve"]
        ]
        last = [
            {**row, "training_force": job.force}
            for job, each in pairs
            if job.force is not None
            for row in each["curve"]
            if row["transitions"] == self.scale.training.transitions(self.scale.training.rounds)
        ]
        return {"sensitivity": sensitivity, "forces": last}


def digest(folder: Path) -> str:
    """SHA-256 of the weights and rollouts in a folder and, of a model's, of its card."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in (".safetensors", ".npz"):
            total.update(path.relative_to(folder).as_posix().encode())
            total.update(path.read_bytes())
    card = folder / CARD
    if card.is_file() and (folder / WEIGHTS).is_file():
        total.update(card.read_bytes())
    return total.hexdigest()
