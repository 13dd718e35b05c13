"""Files of robots that tests read: a base, an arm, a walker and a cart with a pole."""

from __future__ import annotations

BASE = """\
name: base
kind: planar_base
period: 0.1
topics:
  odom: {name: /odom, type: nav_msgs/msg/Odometry}
  drive: {name: /cmd_vel, type: geometry_msgs/msg/Twist}
measured:
  pose: odom.pose.pose
  speed: odom.twist.twist.linear.x
  yaw_rate: odom.twist.twist.angular.z
commands:
  topic: drive
  values:
    speed: {field: linear.x, unit: m/s, low: -0.3, high: 0.6, rate: 3.0}
    yaw_rate: {field: angular.z, unit: rad/s, low: -2.0, high: 2.0, rate: 20.0}
envelope: {arena: [-3, 3, -3, 3], margin: 0.3}
"""
ARM = """\
name: arm
kind: arm
period: 0.05
topics:
  joints: {name: /joint_states, type: sensor_msgs/msg/JointState}
  out: {name: /forward/commands, type: std_msgs/msg/Float64MultiArray, reliable: true}
joints: {topic: joints, names: [shoulder, elbow, wrist], endless: [wrist]}
commands:
  topic: out
  values:
    elbow: {field: "data[1]", unit: N m, low: -5, high: 5}
    shoulder: {field: "data[0]", unit: N m, low: -9, high: 9}
tasks:
  reach: {goal: {shoulder: 0.5, wrist: 3.0}, scale: {shoulder: 0.2}}
  slow: {cost: "square(elbow_velocity) + 0.1 * square(command_elbow)"}
envelope: {state_limits: {shoulder: [-1.5, 1.5]}}
fail_together: {upper: [shoulder]}
"""
WALKER = """\
name: walker
kind: floating_base
period: 0.05
joints: {names: [hip, knee]}
commands:
  values:
    hip: {unit: rad/s, low: -4, high: 4}
    knee: {unit: rad/s, low: -4, high: 4}
tasks:
  run: {run: {speed: 0.5}}
twin: {model: walker.xml}
"""
CART = """\
name: cart
kind: general
period: 0.02
topics:
  state: {name: /state, type: std_msgs/msg/Float64MultiArray}
  force: {name: /force, type: std_msgs/msg/Float64}
measured:
  place: {source: "state.data[0]", unit: m, seen: false}
  speed: state.data[1]
  pole: {source: "state.data[2]", unit: rad, wraps: true}
  pole_rate: {source: "state.data[3]", unit: rad/s}
  load: {source: "state.data[4]", unit: kg, predicted: false, scale: 0.001}
commands:
  topic: force
  values:
    force: {field: data, unit: N, low: -10, high: 10}
tasks:
  up: {cost: "1 - cos(pole) + 0.01 * square(place)"}
"""
