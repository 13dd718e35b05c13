"""ROS 2 shells around the core: parameters, messages, and one call each. One process a module."""
