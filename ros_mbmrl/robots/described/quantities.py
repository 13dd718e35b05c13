"""Reading of what is measured: pose, joints, and other numbers, with where each comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ros_mbmrl.robots.described.description import (
    ARM,
    FLOATING,
    KNOWN,
    ORIENTATION,
    PLANAR,
    POSITION,
    UNITS,
    Scalar,
)
from ros_mbmrl.robots.described.maps import FloatingPose, PlanarPose
from ros_mbmrl.robots.described.marked import Marked
from ros_mbmrl.robots.described.sources import Field, RobotTopic, Source, parse_field

TRANSFORMS = "tf2_msgs/msg/TFMessage"
# Numbers that belong to a kind, whether its file names them or not.
USUAL: Mapping[str, tuple[str, ...]] = {
    PLANAR: ("speed", "yaw_rate"),
    FLOATING: tuple(f"{name}_{axis}" for name in ("velocity", "rate") for axis in "xyz"),
}
VECTORS = ("velocity", "rate", "gyro", "acceleration")
_WORDS = {"deg": "rad", "degree": "rad", "degrees": "rad", "mm": "m", "cm": "m", "rpm": "rad/s"}


@dataclass
class Measured:
    """Parts of a description, as they are found."""

    pose: tuple[str, ...] = ()
    transforms: tuple[str, ...] = ()
    joints: tuple[str, ...] = ()
    scalars: tuple[Scalar, ...] = ()
    sources: dict[str, Source] = field(default_factory=dict)

    @property
    def states(self) -> tuple[str, ...]:
        """Return the names of the state."""
        pose = FloatingPose.states if "z" in self.pose else PlanarPose.states
        return (*(pose if self.pose else ()), *(each.name for each in self.scalars))

    @property
    def changes(self) -> tuple[str, ...]:
        """Return the names of what a model predicts."""
        pose = FloatingPose.changes if "z" in self.pose else PlanarPose.changes
        own = (each.name for each in self.scalars if each.predicted)
        return (*(pose if self.pose else ()), *own)


def read_measured(
    kind: str,
    marked: Marked | None,
    joints: Marked | None,
    topics: Mapping[str, RobotTopic],
    whole: Marked,
) -> Measured:
    """Read the sections `measured` and `joints`.

    Args:
        kind: of the robot.
        marked, joints: the sections, if the file has them.
        topics: of the robot.
        whole: the file, for messages.

    Raises:
        UserError: something in them is wrong, or what the kind needs is missing.
    """
    reader = _Reader(kind, topics, Measured())
    entries = {} if marked is None else marked.items()
    reader.read_pose(entries, whole)
    reader.read_scalars(entries)
    reader.add_usual()
    if joints is not None:
        reader.read_joints(joints)
    elif kind == ARM:
        raise whole.error("an arm has joints: expected the section 'joints'")
    if not reader.found.scalars:
        raise whole.error("nothing is measured beside a pose: expected more")
    _refuse_shared(reader.places)
    return reader.found


class _Reader:
    """The sections, read one after the other.

    places: where each number's source stands.
    """

    def __init__(self, kind: str, topics: Mapping[str, RobotTopic], found: Measured) -> None:
        self.kind, self.topics, self.found = kind, topics, found
        self.places: dict[str, tuple[Marked, Source]] = {}

    def read_pose(self, entries: dict[str, Marked], whole: Marked) -> None:
        """Take the pose out of the entries."""
        marked = entries.pop("pose", None)
        if self.kind not in (PLANAR, FLOATING):
            if marked is not None:
                raise marked.error(f"a robot of kind '{self.kind}' has none")
            return
        axes = POSITION[:2] if self.kind == PLANAR else POSITION
        self.found.pose = (*axes, *ORIENTATION)
        if not self.topics:
            if marked is not None:
                raise marked.error("expected the section 'topics', where it comes from")
            return
        if marked is None:
            raise whole.error("expected 'measured.pose': where the robot is")
        if marked.nested and "x" in marked.items():
            self._separate(marked)
        elif marked.nested:
            self._transforms(marked)
        else:
            self._whole_pose(marked, axes)

    def _whole_pose(self, marked: Marked, axes: tuple[str, ...]) -> None:
        """Take a geometry_msgs/Pose: position and orientation."""
        topic, field = self._place(marked)
        for axis in axes:
            self._add(axis, marked, Source(topic, field.under("position", axis)))
        for name in ORIENTATION:
            self._add(name, marked, Source(topic, field.under("orientation", name[1:])))

    def _separate(self, marked: Marked) -> None:
        """Take x, y and yaw, each from its own place."""
        if self.kind != PLANAR:
            raise marked.wrong("a pose, as odom.pose.pose, or frames")
        names = ("x", "y", "yaw")
        found = marked.among(names, needed=names)
        self.found.pose = names
        for name, each in found.items():
            self._add(name, each, self._source(each, "rad" if name == "yaw" else "m")[0])

    def _transforms(self, marked: Marked) -> None:
        """Take transforms from one frame to another, over those in between."""
        found = marked.among(("topic", "frames"), needed=("topic", "frames"))
        alias = found["topic"].choice(tuple(self.topics))
        if self.topics[alias].type != TRANSFORMS:
            raise found["topic"].error(f"expected a topic of type {TRANSFORMS}")
        frames = tuple(each.text() for each in found["frames"].several(least=2))
        self.found.transforms = frames
        for name in self.found.pose:
            group, part = ("translation", name) if len(name) == 1 else ("rotation", name[1:])
            self._add(name, marked, Source(alias, Field(("transform", group, part))))

    def read_scalars(self, entries: dict[str, Marked]) -> None:
        """Read the numbers beside the pose; a vector's name stands for its three."""
        for name, marked in entries.items():
            if name in VECTORS and not marked.nested:
                topic, field = self._place(marked)
                for axis in "xyz":
                    source = Source(topic, field.under(axis))
                    self._scalar(f"{name}_{axis}", marked, source, {})
            else:
                self._one_scalar(name, marked)

    def _one_scalar(self, name: str, marked: Marked) -> None:
        known = ("source", "unit", "scale", "wraps", "seen", "predicted")
        options = marked.among(known) if marked.nested else {}
        source = None
        if self.topics:
            if marked.nested and "source" not in options:
                raise marked.error("expected 'source', which is missing")
            source = self._source(marked, "")[0]
        self._scalar(name, marked, source, options)

    def _scalar(
        self, name: str, marked: Marked, source: Source | None, options: dict[str, Marked]
    ) -> None:
        if not name.isidentifier() or name in self.found.states:
            raise marked.error("expected a name of letters, digits and _ that no other has")
        usual = KNOWN.get(name, ("", ""))[0]
        unit = _unit(options["unit"], usual) if "unit" in options else usual
        if not unit:
            raise marked.error("expected 'unit', which is missing")
        wraps = "wraps" in options and options["wraps"].flag()
        seen, predicted = (
            key not in options or options[key].flag() for key in ("seen", "predicted")
        )
        if wraps and unit != "rad":
            raise options["wraps"].error(f"only an angle [rad] wraps, its unit is {unit}")
        self.found.scalars += (Scalar(name, unit, wraps, seen, predicted),)
        if source is not None:
            self._add(name, marked, source)

    def add_usual(self) -> None:
        """Add what the kind has and the file does not name: derived, if there are topics."""
        known = {scalar.name for scalar in self.found.scalars}
        missing = [name for name in USUAL.get(self.kind, ()) if name not in known]
        made = (Scalar(n, KNOWN[n][0], derived=bool(self.topics)) for n in missing)
        self.found.scalars = (*made, *self.found.scalars)

    def read_joints(self, marked: Marked) -> None:
        """Read the joints: a position and a velocity for each name."""
        known = ("topic", "names", "endless", "unit", "velocity")
        found = marked.among(known, needed=("names",))
        names = [each.text() for each in found["names"].several(least=1)]
        endless = [each.choice(names) for each in _several(found, "endless")]
        unit = found["unit"].choice(("rad", "m")) if "unit" in found else "rad"
        ways = ("measured", "difference", "none")
        how = found["velocity"].choice(ways) if "velocity" in found else ways[0]
        topic = self._joint_topic(found, marked)
        positions, velocities = list[Scalar](), list[Scalar]()
        for name, each in zip(names, found["names"].several(), strict=True):
            taken = (*self.found.states, *(other.name for other in positions))
            if not name.isidentifier() or name in taken:
                raise each.wrong("a name of letters, digits and _ that no other has")
            positions.append(Scalar(name, unit, wraps=name in endless))
            rate, of = f"{name}_velocity", name if how == "difference" else ""
            velocities.append(Scalar(rate, f"{unit}/s", derived=bool(of), of=of))
            if topic:
                self._add(name, each, Source(topic, Field(("position",), name)))
            if topic and how == "measured":
                self._add(rate, each, Source(topic, Field(("velocity",), name)))
        self.found.joints = tuple(names)
        rates = velocities if how != "none" else []
        self.found.scalars = (*self.found.scalars, *positions, *rates)

    def _joint_topic(self, found: dict[str, Marked], marked: Marked) -> str:
        if not self.topics:
            return ""
        if "topic" not in found:
            raise marked.error("expected 'topic', which is missing")
        return found["topic"].choice(tuple(self.topics))

    def _source(self, marked: Marked, unit: str) -> tuple[Source, dict[str, Marked]]:
        """Return where a number comes from: a text, or a mapping with `source` and more."""
        if not marked.nested:
            return Source(*self._place(marked)), {}
        options = marked.items()
        scale = options["scale"].number() if "scale" in options else 1.0
        if scale == 0.0:
            raise options["scale"].wrong("a factor other than 0")
        if unit and "unit" in options:
            _unit(options["unit"], unit)
        return replace(Source(*self._place(options["source"])), scale=scale), options

    def _place(self, marked: Marked) -> tuple[str, Field]:
        """Return the topic and the field of `TOPIC.path.into.message`."""
        text = marked.text()
        alias, _, rest = text.partition(".")
        if alias not in self.topics:
            known = ", ".join(self.topics) or "none: expected the section 'topics'"
            raise marked.error(f"unknown topic '{alias}': expected one of {known}")
        try:
            return alias, parse_field(rest)
        except ValueError as error:
            raise marked.error(f"'{text}': {error}") from None

    def _add(self, name: str, marked: Marked, source: Source) -> None:
        self.found.sources[name] = source
        self.places[name] = marked, source


def _several(found: Mapping[str, Marked], key: str) -> list[Marked]:
    return found[key].several() if key in found else []


def _unit(marked: Marked, usual: str) -> str:
    """Return a unit; if the quantity has a usual one, that one."""
    text = marked.text()
    if text in _WORDS:
        raise marked.error(f"expected {_WORDS[text]}, got {text}: 'scale' turns one into the other")
    if usual and text != usual:
        raise marked.wrong(usual)
    return marked.choice(UNITS)


def _refuse_shared(places: Mapping[str, tuple[Marked, Source]]) -> None:
    """Refuse two quantities that come from one field."""
    seen: dict[tuple[str, str], str] = {}
    for name, (marked, source) in places.items():
        key = source.topic, str(source.field)
        if key in seen:
            raise marked.error(f"'{name}' and '{seen[key]}' come from one field, {'.'.join(key)}")
        seen[key] = name
