"""Requests of an operator: each can be made by key or button, and a number names a terrain."""

from __future__ import annotations

import numpy as np

from ros_mbmrl.collection.joystick import JoystickConfig
from ros_mbmrl.collection.keyboard import ASK
from ros_mbmrl.collection.requests import Kind, Request
from ros_mbmrl.collection.session import Session, SessionConfig
from ros_mbmrl.robots import make_robot


def test_each_kind_can_be_asked_for_and_says_what_it_does() -> None:
    keys = {request.kind for request in ASK.values()}
    buttons = {kind for _, kind in JoystickConfig().asking}
    assert keys | buttons == set(Kind)
    assert len(Kind.__members__) == len({kind.value for kind in Kind}) == 7


def test_a_terrain_is_the_one_of_its_number_and_0_is_the_next_one() -> None:
    sources = {"random": lambda: np.zeros(2)}
    session = Session(make_robot("hexapod"), sources, SessionConfig(("carpet", "turf", "gravel")))
    chosen = []
    for request in (Request(Kind.TERRAIN, 3), Request(Kind.TERRAIN), Request(Kind.TERRAIN, 2)):
        session.request(request)
        chosen.append(session.terrain)
    assert chosen == ["gravel", "carpet", "turf"]
