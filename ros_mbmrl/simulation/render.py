"""Pictures of a world, off screen.

MuJoCo chooses its GL library when it is imported, long before anyone knows whether a picture
is wanted; here the context is made by hand, so that importing the twin needs no GL at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.errors import RunError, UserError, choose
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.simulated_robots import SimulatedRobots
from ros_mbmrl.simulation.world import HexapodWorld

CAMERAS = ("follow", "top")
LARGEST = (1280, 960)  # width and height, as `offwidth` and `offheight` of the MJCF say
MAX_GEOMS = 200
FAR = 4.0  # from the robot that is followed [m]
Picture = NDArray[np.uint8]


def frame(
    world: HexapodWorld, width: int = 640, height: int = 480, camera: str = "follow"
) -> Picture:
    """Picture (height, width, 3) from `camera`, one of CAMERAS.

    Drawn with EGL unless MUJOCO_GL names another library. Raises UserError for an unknown camera
    or a size out of range, and RunError, naming the reason, where no picture can be drawn.
    """
    choose("camera", camera, CAMERAS)
    if not (0 < width <= LARGEST[0] and 0 < height <= LARGEST[1]):
        raise UserError(f"picture of {width} x {height}: expected 1 x 1 to 1280 x 960 pixels")
    eye = mujoco.MjvCamera()
    eye.type = mujoco.mjtCamera.mjCAMERA_FIXED
    eye.fixedcamid = world.model.camera(camera).id
    with _drawing(world.model, width, height) as draw:
        return draw(world.data, eye)


def film(robots: SimulatedRobots, states: Array, width: int, height: int) -> list[Picture]:
    """Return pictures (height, width, 3) of the first robot in states (T, ds), one each.

    The robots are put into the states, and stay in the last one. Raises RunError, as `frame`.
    """
    eye = mujoco.MjvCamera()
    eye.type, eye.trackbodyid = mujoco.mjtCamera.mjCAMERA_TRACKING, 1
    eye.distance, eye.elevation, eye.azimuth = FAR, -15.0, 90.0
    pictures = []
    with _drawing(robots.physics(0)[0], width, height) as draw:
        for state in states:
            robots.set_states(np.tile(state, (len(robots), 1)))
            pictures.append(draw(robots.physics(0)[1], eye))
    return pictures


@contextmanager
def _drawing(
    model: mujoco.MjModel, width: int, height: int
) -> Iterator[Callable[[mujoco.MjData, mujoco.MjvCamera], Picture]]:
    """Give a function that draws data of a model off screen. Raises RunError."""
    backend = os.environ.get("MUJOCO_GL", "").strip().lower() or "egl"
    try:
        with _context(backend, width, height):
            scene = mujoco.MjvScene(model, MAX_GEOMS)
            context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
            try:
                yield partial(_draw, model, scene, context, (width, height))
            finally:
                context.free()
    except Exception as error:  # whatever the GL stack raises: it has no common type
        raise RunError(f"no off-screen rendering with MUJOCO_GL={backend}: {error}") from error


@contextmanager
def _context(backend: str, width: int, height: int) -> Iterator[None]:
    context = import_module(f"mujoco.{backend}").GLContext(width, height)
    context.make_current()
    try:
        yield
    finally:
        context.free()


def _draw(
    model: mujoco.MjModel,
    scene: mujoco.MjvScene,
    context: mujoco.MjrContext,
    size: tuple[int, int],
    data: mujoco.MjData,
    eye: mujoco.MjvCamera,
) -> Picture:
    seen = mujoco.mjtCatBit.mjCAT_ALL.value
    mujoco.mjv_updateScene(model, data, mujoco.MjvOption(), None, eye, seen, scene)
    mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, context)
    viewport = mujoco.MjrRect(0, 0, *size)
    mujoco.mjr_render(viewport, scene, context)
    pixels = np.empty((size[1], size[0], 3), dtype=np.uint8)
    mujoco.mjr_readPixels(pixels, None, viewport, context)
    upright: Picture = pixels[::-1].copy()
    return upright
