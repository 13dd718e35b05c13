"""The host of a PR2, and its controllers, on a real ROS 1 graph; run by the system's Python.

Goes through the watchdog's life and prints what it saw, as JSON. Before the last step it prints
`end it`: then the watchdog's process is to be ended from outside.
"""

import json
import threading
import time

import rospy
from std_msgs.msg import Bool, Float64

JOINTS = (
    "shoulder_pan_joint",
    "shoulder_lift_joint",
    "upper_arm_roll_joint",
    "elbow_flex_joint",
    "forearm_roll_joint",
    "wrist_flex_joint",
    "wrist_roll_joint",
)


class Host:
    """acting: newest torque by joint, whoever sent it. zeros: when the watchdog sent its last."""

    def __init__(self):
        rospy.init_node("host")
        self.acting, self.zeros, self.tripped = {}, {}, None
        self.beating = False
        self.outputs = {}
        for joint in JOINTS:
            topic = "/effort_l_" + joint + "/command"
            self.outputs[joint] = rospy.Publisher(topic, Float64, queue_size=1)
            rospy.Subscriber(topic, Float64, self.on_torque, joint)
        self.heart = rospy.Publisher("/ros_mbmrl/heartbeat", Float64, queue_size=1)
        rospy.Subscriber("/ros_mbmrl/watchdog", Bool, self.on_state)
        threading.Thread(target=self.beat, daemon=True).start()

    def on_torque(self, message, joint):
        self.acting[joint] = message.data
        if message._connection_header["callerid"] == "/ros_mbmrl_watchdog":
            self.zeros[joint] = time.monotonic()

    def on_state(self, message):
        self.tripped = message.data

    def beat(self):
        while not rospy.is_shutdown():
            if self.beating:
                self.heart.publish(0.0)
            time.sleep(0.025)

    def command(self, torque, joints=JOINTS):
        for joint in joints:
            self.outputs[joint].publish(torque)

    def until(self, condition, seconds=10.0, torque=None):
        """Waits for a condition, commanding `torque` meanwhile; whether it came."""
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            if torque is not None:
                self.command(torque)
            time.sleep(0.002 if torque is None else 0.02)
        return condition()

    def at_zero(self):
        return len(self.acting) == 7 and not any(self.acting.values())


def main():
    host, saw = Host(), {}
    host.until(lambda: all(o.get_num_connections() == 2 for o in host.outputs.values()))
    saw["starts_tripped"] = host.until(lambda: host.tripped is True)
    host.beating = True
    saw["let_go_by_zeros"] = host.until(lambda: host.tripped is False, torque=0.0)

    host.zeros.clear()
    host.until(lambda: host.tripped is True, seconds=0.6, torque=2.0)
    saw["quiet_while_the_heart_beats"] = not host.zeros and host.tripped is False
    saw["torques_acted"] = sorted(set(host.acting.values())) == [2.0]
    host.beating, cut = False, time.monotonic()
    saw["zeroed"] = host.until(host.at_zero)
    saw["zero_after_s"] = max(host.zeros.values()) - cut

    host.command(3.0, JOINTS[:1])
    late = time.monotonic()
    saw["late_torque_refused"] = host.until(
        lambda: host.zeros[JOINTS[0]] > late and host.acting[JOINTS[0]] == 0
    )
    host.beating = True
    host.until(lambda: host.tripped is False, seconds=0.4, torque=1.0)
    saw["latched"] = host.tripped is True
    saw["let_go_again"] = host.until(lambda: host.tripped is False, torque=0.0)

    host.until(lambda: host.tripped is True, seconds=0.3, torque=1.0)
    saw["drives_again"] = set(host.acting.values()) == {1.0}
    print("end it", flush=True)
    saw["zeros_at_its_end"] = host.until(host.at_zero)
    print(json.dumps(saw), flush=True)


if __name__ == "__main__":
    main()
