"""stop: asks `safety/stop` once and ends; for `bench soak`, and for scripts."""

from __future__ import annotations

import sys

import rclpy
from std_srvs.srv import Trigger

PATIENCE = 10.0  # [s] for the service, and for its answer


def main() -> None:
    """Exit status 1 if nobody answers. The namespace is the robot's: `-r __ns:=/hexapod`."""
    rclpy.init()
    node = rclpy.create_node("stop")
    client = node.create_client(Trigger, "safety/stop")
    stopped = False
    if client.wait_for_service(PATIENCE):
        answer = client.call_async(Trigger.Request())
        rclpy.spin_until_future_complete(node, answer, timeout_sec=PATIENCE)
        stopped = answer.done() and bool(answer.result().success)
    node.destroy_node()
    rclpy.try_shutdown()
    if not stopped:
        sys.exit(f"{node.get_namespace()}/safety/stop: no answer within {PATIENCE:g} s")


if __name__ == "__main__":
    main()
