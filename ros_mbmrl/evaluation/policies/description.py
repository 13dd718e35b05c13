"""A study of policies as data: what is trained, on what, how long, and what is drawn of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any

from ros_mbmrl.errors import choose
from ros_mbmrl.methods import METHODS, look, origin
from ros_mbmrl.methods.method import Look
from ros_mbmrl.runtime.kept import plain

Settings = Mapping[str, Any]


class Kind(Enum):
    """Ways to come to a policy; each decides the data that a method needs, and its settings."""

    MODELS = "in models"
    META_MODELS = "in models that it adapts to"
    FREE = "model-free"
    META = "meta-learned"
    OFF = "off-policy"
    OFF_MODELS = "off-policy, with models"
    CONTEXTUAL = "in contextual models"


# How a method's configuration calls the episodes of an iteration; others say it in a scale.
EPISODES: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.MODELS: "episodes",
        Kind.META_MODELS: "episodes",
        Kind.FREE: "worlds",
        Kind.OFF_MODELS: "worlds",
        Kind.OFF: "worlds",
    }
)


@dataclass(frozen=True)
class Entry:
    """A method with settings, under a name of its own.

    Args:
        name: in tables, on the command line, and of its folder.
        method: as the registry calls it.
        kind: see `Kind`.
        settings: what differs from the scale's, as a recipe of `mbmrl train` says it.
        drawn: how it is drawn; None: as its method is.
    """

    name: str
    method: str
    kind: Kind
    settings: Settings = field(default_factory=dict)
    drawn: Look | None = None

    @property
    def look(self) -> Look:
        """Return how it is drawn."""
        return self.drawn or look(self.method)

    @property
    def there(self) -> bool:
        """Return whether its method is installed."""
        return self.method in METHODS


class Drawn(Enum):
    """Content of a figure."""

    RETURNS = "return against real transitions"
    OPTIMISM = "return in the models beside the real one"
    PATHS = "paths before and after adaptation"
    PLASTICITY = "divergence by adaptation, and disagreement of the models, over the plane"


@dataclass(frozen=True)
class Figure:
    """A figure of the thesis: entries on environments, all pairs of them.

    Args:
        number: in the thesis.
        title: what it shows.
        entries: by name.
        environments: rows of `simulation/benchmarks.py` or `simulation/points.py`.
        drawn: its content.
    """

    number: str
    title: str
    entries: tuple[str, ...]
    environments: tuple[str, ...]
    drawn: Drawn = Drawn.RETURNS

    @property
    def file(self) -> str:
        """Return the name of its picture."""
        return f"figure_{self.number}.png"


@dataclass(frozen=True)
class Scale:
    """A study's size.

    Args:
        train_seeds: policies of each entry on each environment.
        tests: real episodes that a policy is judged by, without exploration, at each point.
        points: real transitions at which it is judged, for each kind; the last is its budget.
        batch: real transitions of an iteration, for each kind whose setting `EPISODES` knows.
        settings: of all methods of a kind.
        environments, entries: those that take part.
        special: settings on one environment, for each kind.
        first_test: seed of the test episodes.
        planned: of the tests at the end of a curve, how many are also run by a policy with a model
            and critics that plans (table 1).
    """

    train_seeds: int
    tests: int
    points: Mapping[Kind, tuple[int, ...]]
    batch: Mapping[Kind, int]
    settings: Mapping[Kind, Settings]
    environments: tuple[str, ...]
    entries: tuple[str, ...]
    special: Mapping[str, Mapping[Kind, Settings]] = field(default_factory=dict)
    first_test: int = 1000
    planned: int = 0

    def __post_init__(self) -> None:
        for name in ("train_seeds", "tests"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, got {getattr(self, name)}")
        if self.first_test < 0:
            raise ValueError(f"first_test: expected at least 0, got {self.first_test}")
        for kind, points in self.points.items():
            if not points or points[0] < 1 or list(points) != sorted(set(points)):
                raise ValueError(f"points {kind.value}: expected rising counts, got {points}")


@dataclass(frozen=True)
class PolicyStudy:
    """Entries on environments, seed by seed, and the figures of the thesis that they give.

    Args:
        name, title: of the study.
        entries: in the order of tables.
        figures: what is drawn; who is trained on what follows from it.
        scales: by name.
        versus: entries that the others are compared with at equal real data.
        open: figures that are not made, and why.
    """

    name: str
    title: str
    entries: tuple[Entry, ...]
    figures: tuple[Figure, ...]
    scales: Mapping[str, Scale]
    versus: tuple[str, ...] = ()
    open: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = {entry.name for entry in self.entries}
        named = {name for figure in self.figures for name in figure.entries}
        named |= {name for scale in self.scales.values() for name in scale.entries}
        if unknown := (named | set(self.versus)) - known:
            raise ValueError(f"{self.name}: expected one of its entries, got {sorted(unknown)[0]}")
        for scale in self.scales.values():
            for entry in (e for e in self.entries if e.name in scale.entries):
                if entry.kind not in scale.points:
                    raise ValueError(f"{self.name}: expected points for {entry.kind.value}")

    def at(self, scale: str) -> Scale:
        """Return the study's size by name. Raises UserError."""
        choose("scale", scale, self.scales)
        return self.scales[scale]

    def entry(self, name: str) -> Entry:
        """Return the entry by name. Raises UserError."""
        found = {entry.name: entry for entry in self.entries}
        choose("method", name, found)
        return found[name]

    def drawn(self, scale: Scale, names: Sequence[str]) -> list[Figure]:
        """Return the figures that anything of is there, with that alone."""
        result = []
        for each in self.figures:
            entries = tuple(name for name in each.entries if name in names)
            places = tuple(name for name in each.environments if name in scale.environments)
            if entries and places:
                result.append(Figure(each.number, each.title, entries, places, each.drawn))
        return result

    def pairs(self, scale: Scale, names: Sequence[str]) -> Iterator[tuple[str, Entry]]:
        """Yield every environment with each of its entries among `names`, once."""
        figures = self.drawn(scale, names)
        for place in scale.environments:
            for entry in self.entries:
                if any(entry.name in f.entries and place in f.environments for f in figures):
                    yield place, entry


def describe(study: PolicyStudy, scale: Scale, names: Sequence[str]) -> dict[str, Any]:
    """Return all that decides the study's outcome, as plain data.

    Of a method of another package its version counts, too.
    """
    entries = [study.entry(name) for name in names]
    facts: dict[str, Any] = {
        "name": study.name,
        "methods": {e.name: {"method": e.method, "settings": e.settings} for e in entries},
        "scale": {
            "tests": scale.tests,
            "first_test": scale.first_test,
            "batch": {kind.value: count for kind, count in scale.batch.items()},
            "environments": scale.environments,
            "points": {kind.value: points for kind, points in scale.points.items()},
            "settings": {kind.value: each for kind, each in scale.settings.items()},
            "special": {
                place: {kind.value: each for kind, each in kinds.items()}
                for place, kinds in scale.special.items()
            },
        },
    }
    if scale.planned:
        facts["scale"]["planned"] = scale.planned
    if origins := {e.method: origin(e.method) for e in entries if origin(e.method)}:
        facts["origins"] = origins
    described = plain(facts)
    assert isinstance(described, dict)
    return described
