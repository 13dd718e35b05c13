#!/usr/bin/env python
"""Sets the torques of a PR2 arm to zero when the host that commands them is gone.

A JointEffortController holds its last torque for ever. This node runs on the robot, beside the
controllers: while a torque acts, a heartbeat must come; without one for `timeout` seconds it
publishes zeros, and goes on until the host is back and has itself commanded zeros once.

One file, Python 2.7 and 3, no package but ROS 1's own. The law is the class Watchdog, which knows
neither ROS nor a clock.
"""

# Python 2.7 reads this, too.
# ruff: noqa: UP004, UP032

import threading
import time

JOINTS = (
    "shoulder_pan_joint",
    "shoulder_lift_joint",
    "upper_arm_roll_joint",
    "elbow_flex_joint",
    "forearm_roll_joint",
    "wrist_flex_joint",
    "wrist_roll_joint",
)
HEARTBEAT = "/ros_mbmrl/heartbeat"  # std_msgs/Float64, from the host
STATE = "/ros_mbmrl/watchdog"  # std_msgs/Bool, to the host: whether the watchdog has tripped
TIMEOUT = 0.1  # [s]
REPEAT = 0.05  # [s] between two messages of the same state, and two rounds of zeros


class Watchdog(object):
    """The law. Times are seconds on any one clock; joints are named as the caller likes.

    tripped: whether it holds the torques at zero. So it starts: what acted before is not known.
    """

    def __init__(self, joints, timeout=TIMEOUT):
        if not timeout > 0:
            raise ValueError("timeout: expected above 0 s, got {}".format(timeout))
        self.timeout = timeout
        self.tripped = True
        self._joints = frozenset(joints)
        self._acting = set()  # joints whose newest torque is not zero
        self._rested = set()  # joints that the host has commanded to zero since it tripped
        self._beat = None

    def heartbeat(self, now):
        """The host has been heard."""
        self._beat = now

    def command(self, joint, torque):
        """The host has commanded a torque (not the watchdog itself)."""
        if torque == 0:
            self._acting.discard(joint)
            self._rested.add(joint)
        else:  # not a number is not zero, either
            self._acting.add(joint)
            self._rested.discard(joint)

    def update(self, now):
        """Whether zeros must be published now."""
        # A clock that was set back makes an age negative: not fresh, either.
        fresh = self._beat is not None and 0 <= now - self._beat <= self.timeout
        if self.tripped:
            self.tripped = not (fresh and self._rested == self._joints)
        elif self._acting and not fresh:
            self.tripped = True
            self._rested.clear()
        return self.tripped


class Node(object):
    """The law between ROS 1's topics. Parameters: ~side (l or r), ~prefix, ~timeout, ~rate [Hz].

    A controller's topic is /<prefix><side>_<joint>/command, as the host's driver has it.
    """

    def __init__(self, rospy, boolean, float64):
        self._rospy = rospy
        self._clock = getattr(time, "monotonic", time.time)  # Python 2.7 has no steady clock
        self._lock = threading.Lock()
        side = rospy.get_param("~side", "l")
        prefix = rospy.get_param("~prefix", "effort_")
        joints = ["{}_{}".format(side, joint) for joint in JOINTS]
        self._watchdog = Watchdog(joints, float(rospy.get_param("~timeout", TIMEOUT)))
        self._period = 1.0 / float(rospy.get_param("~rate", 100.0))
        self._state = rospy.Publisher(STATE, boolean, queue_size=1, tcp_nodelay=True)
        self._torques = {}
        for joint in joints:
            topic = "/{}{}/command".format(prefix, joint)
            self._torques[joint] = rospy.Publisher(topic, float64, queue_size=1, tcp_nodelay=True)
            rospy.Subscriber(topic, float64, self._on_command, joint, 1, tcp_nodelay=True)
        rospy.Subscriber(HEARTBEAT, float64, self._on_heartbeat, None, 1, tcp_nodelay=True)
        rospy.on_shutdown(self._zero)  # while it is not there, nobody watches

    def run(self):
        """Until ROS shuts down."""
        was, told = None, 0.0
        while not self._rospy.is_shutdown():
            now = self._clock()
            with self._lock:
                tripped = self._watchdog.update(now)
            if tripped != was or not 0 <= now - told < REPEAT:
                if tripped:
                    self._zero()
                self._state.publish(tripped)
                told = now
            if tripped != was:
                self._rospy.logwarn("torques held at zero" if tripped else "the host commands")
            was = tripped
            time.sleep(self._period)

    def _on_heartbeat(self, message):
        with self._lock:
            self._watchdog.heartbeat(self._clock())

    def _on_command(self, message, joint):
        # It hears itself, too, and must not take its own zeros for the host's.
        if message._connection_header["callerid"] == self._rospy.get_name():
            return
        with self._lock:
            self._watchdog.command(joint, message.data)
            refused = self._watchdog.tripped and message.data != 0
        if refused:
            self._torques[joint].publish(0.0)

    def _zero(self):
        for torque in self._torques.values():
            torque.publish(0.0)


def main():
    """Entry point."""
    import rospy
    from std_msgs.msg import Bool, Float64

    rospy.init_node("ros_mbmrl_watchdog")
    Node(rospy, Bool, Float64).run()


if __name__ == "__main__":
    main()
