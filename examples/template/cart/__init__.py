"""The smallest robot for ros_mbmrl: a cart on a rail."""
