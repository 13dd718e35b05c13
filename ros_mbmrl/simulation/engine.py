"""MuJoCo, imported so that physics runs whatever MUJOCO_GL says.

MuJoCo imports its GL library at once; that of a name that is not valid, or is not installed,
makes the whole import fail, though nothing is drawn.
"""

from __future__ import annotations

import importlib
import os
import sys

VARIABLE = "MUJOCO_GL"
CONTEXTS = ("mujoco.rendering.classic.gl_context", "mujoco.gl_context")  # newest MuJoCo first

_wanted = os.environ.get(VARIABLE, "")
if _wanted and "mujoco" not in sys.modules:
    os.environ[VARIABLE] = "disabled"
    try:
        import mujoco
    finally:
        os.environ[VARIABLE] = _wanted
    try:  # for whoever draws with `mujoco.Renderer`
        _context = importlib.reload(sys.modules[next(n for n in CONTEXTS if n in sys.modules)])
        mujoco.GLContext = _context.GLContext
    except Exception:  # noqa: BLE001 (whatever the GL library raises)
        pass  # `render.frame` names the reason when a picture is asked for
else:
    import mujoco

from mujoco.rollout import Rollout  # noqa: E402 (it imports the package)

__all__ = ["Rollout", "mujoco"]
