"""A wheeled robot for ros_mbmrl: two driven wheels, a caster, `cmd_vel` and `odom`."""
