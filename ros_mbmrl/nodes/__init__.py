"""ROS 2 shells around the core: parameters, messages, and one call each. One process a module."""

import os
import sys
from pathlib import PurePath

from ros_mbmrl.errors import UserError
from ros_mbmrl.ros_environment import check_middleware, why_not
from ros_mbmrl.runtime.signals import exit_on_signals

# `python -m ros_mbmrl.nodes.x`, or the script that colcon makes of it: <prefix>/lib/ros_mbmrl/x.
if sys.argv[0] == "-m" or PurePath(sys.argv[0]).parent.parts[-2:] == ("lib", "ros_mbmrl"):
    exit_on_signals()  # imports take seconds; a signal meanwhile must not print a traceback
    try:
        check_middleware(os.environ)  # importing rclpy would end the process
        import rclpy  # noqa: F401
    except (UserError, ImportError) as error:
        print(why_not(error) if isinstance(error, ImportError) else error, file=sys.stderr)
        sys.exit(2)
