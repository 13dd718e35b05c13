"""Things of a view: topics of their own, and things that hold arrays can be compared."""

from __future__ import annotations

import numpy as np

from ros_mbmrl.topics import TOPICS
from ros_mbmrl.view.things import SCENES, TRANSFORMS, Entity, Line, Shape, Shown

RED = (1.0, 0.0, 0.0, 1.0)


def box() -> Shape:
    return Shape("box", np.zeros(3), np.array([1.0, 0.0, 0.0, 0.0]), np.ones(3), RED)


def test_what_is_shown_has_topics_of_its_own() -> None:
    topics = {*SCENES, TRANSFORMS}
    assert len(topics) == len(SCENES) + 1
    assert all(topic.startswith("/view/") for topic in topics)
    assert not topics & {topic.name for topic in TOPICS}


def test_things_with_arrays_are_the_same_only_as_themselves() -> None:
    shape, line = box(), Line(np.zeros((2, 3)), RED)
    leg = Entity("leg", "base_link", (shape,), (line,))
    assert leg == Entity("leg", "base_link", (shape,), (line,))
    assert leg != Entity("leg", "base_link", (box(),), (line,))
    assert len({shape, box(), line}) == 3


def test_what_says_nothing_else_stays_and_is_not_sent_again() -> None:
    leg = Entity("leg", "base_link")
    assert leg.seconds == 0.0 and not Shown("/view/robot", (leg,)).latched
