"""Pictures of a world, off screen.

MuJoCo chooses its GL library when it is imported, long before anyone knows whether a picture
is wanted; here the context is made by hand, so that importing the twin needs no GL at all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.errors import RunError, UserError, choose
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.world import HexapodWorld

CAMERAS = ("follow", "top")
LARGEST = (1280, 960)  # width and height, as `offwidth` and `offheight` of the MJCF say
MAX_GEOMS = 200


def frame(
    world: HexapodWorld, width: int = 640, height: int = 480, camera: str = "follow"
) -> NDArray[np.uint8]:
    """Picture (height, width, 3) from `camera`, one of CAMERAS.

    Drawn with EGL unless MUJOCO_GL names another library. Raises UserError for an unknown camera
    or a size out of range, and RunError, naming the reason, where no picture can be drawn.
    """
    choose("camera", camera, CAMERAS)
    if not (0 < width <= LARGEST[0] and 0 < height <= LARGEST[1]):
        raise UserError(f"picture of {width} x {height}: expected 1 x 1 to 1280 x 960 pixels")
    backend = os.environ.get("MUJOCO_GL", "").strip().lower() or "egl"
    try:
        with _context(backend, width, height):
            return _draw(world, width, height, camera)
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


def _draw(world: HexapodWorld, width: int, height: int, camera: str) -> NDArray[np.uint8]:
    eye = mujoco.MjvCamera()
    eye.type = mujoco.mjtCamera.mjCAMERA_FIXED
    eye.fixedcamid = world.model.camera(camera).id
    scene = mujoco.MjvScene(world.model, MAX_GEOMS)
    mujoco.mjv_updateScene(
        world.model,
        world.data,
        mujoco.MjvOption(),
        None,
        eye,
        mujoco.mjtCatBit.mjCAT_ALL.value,
        scene,
    )
    context = mujoco.MjrContext(world.model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
    try:
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, context)
        viewport = mujoco.MjrRect(0, 0, width, height)
        mujoco.mjr_render(viewport, scene, context)
        pixels = np.empty((height, width, 3), dtype=np.uint8)
        mujoco.mjr_readPixels(pixels, None, viewport, context)
    finally:
        context.free()
    upright: NDArray[np.uint8] = pixels[::-1].copy()
    return upright
