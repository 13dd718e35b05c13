"""A robot on its own ROS topics, as its file describes them: `plant:=topics`."""
