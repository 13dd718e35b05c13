"""Pictures of a world, off screen.

MuJoCo chooses its GL library when it is imported, long before anyone knows whether a picture
is wanted; here the context is made by hand, so that importing the twin needs no GL at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.errors import RunError, UserError, choose
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.posture import Posture
from ros_mbmrl.simulation.world import HexapodWorld

CAMERAS = ("follow", "top")
LARGEST = (1280, 960)  # width and height, as `offwidth` and `offheight` of the MJCF say
MAX_GEOMS = 1000  # of the model, and shapes that are added
FAR = 4.0  # from the robot that is followed [m]
NEAR = 0.3  # at least [m]
Picture = NDArray[np.uint8]
Add = Callable[[mujoco.MjvScene], None]  # puts shapes into a scene that is about to be drawn


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
    with drawing(world.model, width, height) as draw:
        return draw(world.data, eye)


def film(posture: Posture, states: Array, width: int, height: int) -> list[Picture]:
    """Return pictures (height, width, 3) of a robot in states (T, ds), one each.

    The camera goes with it, as far away as it takes to see all of it. Raises RunError, as `frame`.
    """
    model, data = posture.model, posture.put(states[0])
    own = data.xpos[model.body_rootid == model.body_rootid[1]]
    distance = max(NEAR, 3.0 * float(np.ptp(own, axis=0).max()))
    with Camera(width, height, distance) as camera:
        return [camera.picture(model, posture.put(state)) for state in states]


class Camera:
    """Camera beside a robot that it follows; it keeps what it draws with until it is closed.

    Args:
        width, height: of the pictures.
        distance: from the robot's first body [m].
    """

    def __init__(self, width: int, height: int, distance: float = FAR) -> None:
        self._size = width, height
        self._eye = mujoco.MjvCamera()
        self._eye.distance, self._eye.elevation, self._eye.azimuth = distance, -15.0, 90.0
        self._model: mujoco.MjModel | None = None
        self._draw: Draw | None = None
        self._open = ExitStack()

    def __enter__(self) -> Camera:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free what pictures are drawn with; another picture makes it anew."""
        self._open.close()
        self._model = self._draw = None

    def picture(self, model: mujoco.MjModel, data: mujoco.MjData) -> Picture:
        """Return a picture (height, width, 3) of a robot. Raises RunError, as `frame`."""
        if self._draw is None or model is not self._model:
            self.close()
            self._draw = self._open.enter_context(drawing(model, *self._size))
            self._model = model
        # MuJoCo's own tracking is smoothed: what is drawn would depend on the pictures before.
        self._eye.lookat[:] = data.xpos[1]
        return self._draw(data, self._eye)


class Draw(Protocol):
    """A function that draws data of a model off screen."""

    def __call__(
        self, data: mujoco.MjData, eye: mujoco.MjvCamera, add: Add | None = None
    ) -> Picture:
        """Return the picture (height, width, 3) that `eye` sees, with the shapes that are added."""


@contextmanager
def drawing(model: mujoco.MjModel, width: int, height: int, shadows: bool = True) -> Iterator[Draw]:
    """Give a function that draws data of a model off screen. Raises RunError.

    Args:
        model: of the data, or of the same sizes.
        width, height: of the pictures.
        shadows: whether there are any; without, a processor draws three times as fast.
    """
    backend = os.environ.get("MUJOCO_GL", "").strip().lower() or "egl"
    with ExitStack() as held:
        try:
            current = held.enter_context(_context(backend, width, height))
            scene = mujoco.MjvScene(model, MAX_GEOMS)
            scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = shadows
            scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = shadows
            context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
            held.callback(context.free)
        except Exception as error:  # whatever the GL stack raises: it has no common type
            what = f"no off-screen rendering with MUJOCO_GL={backend}: {error}"
            raise RunError(what) from error
        yield _Canvas(current, model, scene, context, (width, height)).draw


@contextmanager
def _context(backend: str, width: int, height: int) -> Iterator[Callable[[], None]]:
    """Give a function that makes the context the current one: there may be several."""
    context = import_module(f"mujoco.{backend}").GLContext(width, height)
    context.make_current()
    try:
        yield context.make_current
    finally:
        context.free()


class _Canvas:
    def __init__(
        self,
        make_current: Callable[[], None],
        model: mujoco.MjModel,
        scene: mujoco.MjvScene,
        context: mujoco.MjrContext,
        size: tuple[int, int],
    ) -> None:
        self._model, self._scene, self._context, self._size = model, scene, context, size
        self._option, self._make_current = mujoco.MjvOption(), make_current

    def draw(self, data: mujoco.MjData, eye: mujoco.MjvCamera, add: Add | None = None) -> Picture:
        """See `Draw`."""
        self._make_current()
        scene, context = self._scene, self._context
        seen = mujoco.mjtCatBit.mjCAT_ALL.value
        mujoco.mjv_updateScene(self._model, data, self._option, None, eye, seen, scene)
        if add is not None:
            add(scene)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, context)
        viewport = mujoco.MjrRect(0, 0, *self._size)
        mujoco.mjr_render(viewport, scene, context)
        pixels = np.empty((self._size[1], self._size[0], 3), dtype=np.uint8)
        mujoco.mjr_readPixels(pixels, None, viewport, context)
        upright: Picture = pixels[::-1].copy()
        return upright
