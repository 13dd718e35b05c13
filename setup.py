"""Package of ros_mbmrl: one description for pip and for colcon."""

import os
import sys
from glob import glob

from setuptools import find_packages, setup

NAME = "ros_mbmrl"
NODES = ("adaptive", "driver", "recorder", "reference", "safety", "teleop")

# colcon runs `setup.py install` or `develop`, and its scripts go to lib/ros_mbmrl, where
# `ros2 run` looks. pip's would go to bin, where a command called `safety` has no business.
BY_COLCON = any(command in sys.argv for command in ("install", "develop"))


def shared(folder):
    """(destination, files) of a folder below share/, as data_files wants them."""
    return [
        (os.path.join("share", NAME, where), [os.path.join(where, name) for name in names])
        for where, _, names in os.walk(folder)
        if names and "__pycache__" not in where
    ]


ROS = [
    f"ros-kilted-{name}"
    for name in (
        "rclpy>=9.1,<10",
        "rmw-fastrtps-cpp>=9.3,<10",
        "builtin-interfaces>=2.3,<3",
        "diagnostic-msgs>=5.5,<6",
        "geometry-msgs>=5.5,<6",
        "lifecycle-msgs>=2.3,<3",
        "nav-msgs>=5.5,<6",
        "rosgraph-msgs>=2.3,<3",
        "sensor-msgs>=5.5,<6",
        "std-msgs>=5.5,<6",
        "std-srvs>=5.5,<6",
    )
]

setup(
    name=NAME,
    version="0.1.0",
    description="Real-robot control with online adaptation of a meta-learned dynamics model",
    license="Apache-2.0",
    python_requires=">=3.10,<3.14",
    packages=find_packages(include=[NAME, f"{NAME}.*"]),
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        (f"share/{NAME}/launch", glob("launch/*.launch.py")),
        *shared("config"),
        *shared("sim"),
        *shared("models"),
        *shared("robot_side"),
    ],
    install_requires=[
        "setuptools",
        "gymnasium>=1.0,<2",
        "lz4>=4,<5",
        "matplotlib>=3.8,<4",
        "mcap>=1.5,<2",
        "mcap-ros2-support>=0.5.5,<0.7",
        "mujoco>=3.3.2,<5",
        "numpy>=1.26,<3",
        "pillow>=10,<14",
        "psutil>=5.9,<8",
        "PyYAML>=6,<7",
        "rich>=13,<16",
        "safetensors>=0.4.5,<0.9",
        "scipy>=1.11,<2",
        "torch>=2.4,<2.14",
        "tyro>=0.9,<2",
        "zstandard>=0.20,<1",
    ],
    extras_require={
        "ros": ROS,
        "train": ["tensorboard>=2.16,<3"],
        # TRPO, which model-based methods are compared with: not our own, so that nobody need ask
        # whether the baseline was written to lose.
        "rl": ["stable-baselines3>=2.4,<3", "sb3-contrib>=2.4,<3"],
        "cluster": ["ray>=2.9,<3"],
        "hardware": ["pyserial>=3.5,<4", "websockets>=15,<18"],
        # The peer that `mbmrl bench plan` measures beside ours.
        "bench": ["pytorch-mppi>=0.9,<0.10"],
        "dev": [
            "colcon-common-extensions>=0.3,<1",
            "hypothesis>=6.100,<7",
            # Layers of packages as a contract: a test fails at the first arrow upwards.
            "import-linter>=2,<3",
            "mypy>=1.10,<3",
            "pytest>=8,<10",
            "pytest-timeout>=2.3,<3",
            # Tests on both cores; only `make test` uses it.
            "pytest-xdist>=3.5,<4",
            "rosbags>=0.10,<0.12",
            "ruff>=0.5,<0.18",
            "types-PyYAML>=6",
        ],
    },
    entry_points={
        "console_scripts": [
            f"mbmrl = {NAME}.cli:main",
            *(f"{node} = {NAME}.nodes.{node}:main" for node in NODES if BY_COLCON),
        ]
    },
    zip_safe=True,
)
