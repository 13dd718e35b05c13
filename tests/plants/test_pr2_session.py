import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ros_mbmrl.errors import UserError
from ros_mbmrl.plants.pr2_session import PR2Config, PR2Session, read_config
from ros_mbmrl.robots.pr2_limits import JOINTS

NAMES = [joint.name for joint in JOINTS]
ROBOT_CLOCK = 5000.0  # ahead of ours [s]


def publish(topic: str, message: dict[str, Any]) -> str:
    return json.dumps({"op": "publish", "topic": topic, "msg": message})


def controllers(names: list[str], state: str = "running", extra: str = "") -> str:
    names = [f"effort_{name}" for name in names] + ([extra] if extra else [])
    values = {"controllers": names, "state": [state] * len(names)}
    service = "/pr2_controller_manager/list_controllers"
    return json.dumps(
        {"op": "service_response", "service": service, "values": values, "result": True}
    )


def joint_states(stamp: float, names: list[str] = NAMES, value: float = 0.0) -> str:
    """Joint k of ours is at value + k."""
    secs, nsecs = divmod(round((stamp + ROBOT_CLOCK) * 1e9), 10**9)
    message = {
        "header": {"seq": 0, "stamp": {"secs": secs, "nsecs": nsecs}, "frame_id": ""},
        "name": names,
        "position": [value + NAMES.index(name) for name in names],
        "velocity": [-float(NAMES.index(name)) for name in names],
        "effort": [],
    }
    return publish("/joint_states", message)


def power(run_stop: bool) -> str:
    return publish("/power_board/state", {"run_stop": run_stop, "wireless_stop": True})


def watchdog(tripped: bool) -> str:
    return publish("/ros_mbmrl/watchdog", {"data": tripped})


def ready(now: float = 10.0, config: PR2Config | None = None) -> PR2Session:
    session = PR2Session(config or PR2Config(), NAMES, "ws://pr2:9090")
    session.opened(now)
    for text in (controllers(NAMES), power(True), watchdog(False), joint_states(now)):
        session.receive(text, now)
    assert session.fault(now) == ""
    return session


def test_what_it_asks_for_first() -> None:
    session = PR2Session(PR2Config(throttle_ms=20), NAMES, "ws://pr2:9090")
    said = [json.loads(text) for text in session.opened(0.0)]
    assert [(s["topic"], s["throttle_rate"], s["queue_length"]) for s in said[:3]] == [
        ("/joint_states", 20, 1),
        ("/power_board/state", 0, 1),
        ("/ros_mbmrl/watchdog", 0, 1),
    ]
    outputs = [s["topic"] for s in said if s["op"] == "advertise"]
    assert outputs == [*(f"/effort_{n}/command" for n in NAMES), "/ros_mbmrl/heartbeat"]
    assert {s["queue_size"] for s in said if s["op"] == "advertise"} == {1}
    assert said[-1]["op"] == "call_service"
    assert said[-1]["service"] == "/pr2_controller_manager/list_controllers"


def test_joints_are_found_by_name() -> None:
    session = ready()
    session.receive(joint_states(10.01, ["r_elbow", *NAMES[::-1]][1:], 0.5), 10.01)
    reading = session.reading(10.01)
    assert reading is not None
    assert reading.position == pytest.approx(np.arange(7) + 0.5)
    assert reading.velocity == pytest.approx(-np.arange(7))
    assert reading.time == pytest.approx(10.01)


def test_every_fault_has_its_line_and_the_worst_comes_first() -> None:
    session = PR2Session(PR2Config(), NAMES, "ws://pr2:9090")
    assert session.fault(0.0) == "no link to the rosbridge at ws://pr2:9090: connecting"
    session.lost("Connection refused")
    assert session.fault(0.0).endswith("ws://pr2:9090: Connection refused")
    assert session.unreachable
    session.opened(1.0)
    steps = (
        (controllers(NAMES), "list_controllers has not answered"),
        (power(True), "/power_board/state is silent"),
        (watchdog(True), "/ros_mbmrl/watchdog is silent: expected pr2_watchdog.py to run"),
        (watchdog(False), "the robot's watchdog holds the torques at zero"),
        (joint_states(1.0, NAMES[1:]), "/joint_states is silent"),
        (joint_states(1.0), "/joint_states is without l_shoulder_pan_joint"),
    )
    for text, complaint in steps:
        assert complaint in session.fault(1.0)
        assert session.reading(1.0) is None
        session.receive(text, 1.0)
    assert session.fault(1.0) == ""


def test_old_joint_states_are_a_fault_and_no_number() -> None:
    session = ready(10.0)
    assert session.fault(10.14) == ""
    session.receive(power(True), 10.16)
    assert session.fault(10.16) == "joint states are 0.16 s old, limit 0.15 s"
    assert session.reading(10.16) is None


def test_a_message_that_stood_in_a_queue_is_as_old_as_its_stamp_says() -> None:
    session = ready(10.0)
    session.receive(joint_states(10.1), 10.1)
    session.receive(joint_states(10.2), 10.45)
    assert session.fault(10.45) == "joint states are 0.25 s old, limit 0.15 s"
    session.receive(joint_states(10.44), 10.46)
    reading = session.reading(10.46)
    assert reading is not None
    assert reading.time == pytest.approx(10.44)


def test_a_stamp_that_stands_still_grows_old() -> None:
    session = ready(10.0)
    for k in range(30):
        session.receive(joint_states(10.0), 10.0 + 0.01 * k)
    assert "joint states are 0.29 s old" in session.fault(10.29)


def test_bad_messages_are_counted_and_change_nothing() -> None:
    session = ready()
    for text in (
        "",
        "{}",
        publish("/joint_states", {}),
        publish("/power_board/state", {}),
        publish("/ros_mbmrl/watchdog", {"data": 1}),
        '{"op":"publish","topic":"/x"}',
    ):
        session.receive(text, 10.0)
    assert session.fault(10.0) == ""
    assert session.counts["bad_messages"] == 6
    session.receive('{"op":"status","level":"error","msg":"no"}', 10.0)
    session.receive('{"op":"status","level":"info","msg":"yes"}', 10.0)
    assert session.counts["status_errors"] == 1


def test_the_run_stop_is_latched_until_it_is_rearmed() -> None:
    session = ready(10.0)
    session.receive(power(False), 10.0)
    assert session.fault(10.0).startswith("the run-stop was pressed")
    assert session.rearm(10.0).startswith("the run-stop is pressed")
    session.receive(power(True), 10.01)  # the robot has reset its motors by itself
    assert session.fault(10.01).startswith("the run-stop was pressed")
    assert session.rearm(10.01) == ""
    assert session.fault(10.01).endswith("list_controllers has not answered")
    assert session.must_ask(10.01)
    session.receive(controllers(NAMES), 10.01)
    assert session.fault(10.01) == ""


def test_a_new_connection_forgets_all_but_the_run_stop() -> None:
    session = ready(10.0)
    session.receive(power(False), 10.0)
    session.lost("gone")
    session.opened(11.0)
    assert session.fault(11.0).startswith("the run-stop was pressed")
    assert session.rearm(11.0).startswith("the run-stop is pressed, or its state is not known")
    session.receive(power(True), 11.0)
    assert session.rearm(11.0) == ""
    assert session.fault(11.0).endswith("list_controllers has not answered")
    assert session.reading(11.0) is None


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (
            controllers(NAMES[:5]),
            "effort_l_wrist_flex_joint, effort_l_wrist_roll_joint; expected a",
        ),
        (
            controllers(NAMES, "stopped"),
            "controllers not running on the PR2: effort_l_shoulder_pan",
        ),
        (
            controllers(NAMES, extra="l_arm_controller"),
            "stopped on the PR2 first: l_arm_controller",
        ),
        (
            '{"op":"service_response","service":"/pr2_controller_manager/list_controllers",'
            '"values":"Service does not exist","result":false}',
            "list_controllers failed: Service does not exist",
        ),
    ],
)
def test_controllers_that_are_not_as_they_should_be(answer: str, complaint: str) -> None:
    session = ready(10.0)
    session.receive(answer, 10.0)
    assert complaint in session.fault(10.0)
    assert "\n" not in session.fault(10.0)
    assert session.refusal() == session.fault(10.0)
    assert not session.must_ask(10.5)
    assert session.must_ask(11.0)  # somebody may load them in the meantime


def test_controllers_are_asked_for_as_long_as_the_arm_is_driven() -> None:
    session = ready(10.0)
    assert session.must_ask(11.0)
    for k in range(600):
        now = 10.0 + 0.01 * k
        for text in (power(True), watchdog(False), joint_states(now)):
            session.receive(text, now)
        assert bool(session.fault(now)) is (now > 15.0)
    assert session.fault(now).endswith("list_controllers has not answered for 6.0 s")
    session.receive(controllers(NAMES, extra="l_arm_controller"), now)
    assert session.fault(now) == ("controllers to be stopped on the PR2 first: l_arm_controller")


def test_a_list_of_controllers_of_another_form_is_no_answer() -> None:
    session = PR2Session(PR2Config(), NAMES, "ws://pr2:9090")
    session.opened(0.0)
    session.receive(controllers(NAMES).replace("state", "states"), 0.0)
    assert session.fault(0.0).endswith(
        "list_controllers cannot be read: not a list of controllers and their states"
    )


def test_without_a_watchdog_only_if_that_is_wanted() -> None:
    session = PR2Session(PR2Config(watchdog=False), NAMES, "ws://pr2:9090")
    session.opened(0.0)
    for text in (controllers(NAMES), power(True), joint_states(0.0)):
        session.receive(text, 0.0)
    assert session.fault(0.0) == ""


def test_settings_are_read_by_name() -> None:
    assert read_config({"prefix": "left/", "throttle_ms": 20}) == PR2Config("left/", throttle_ms=20)
    with pytest.raises(
        UserError, match="unknown hardware setting 'prefx': expected one of max_age"
    ):
        read_config({"prefx": "left/"})
    with pytest.raises(UserError, match="hardware.max_age: expected above 0 s, got 0"):
        read_config({"max_age": 0})


@pytest.mark.parametrize(
    ("hardware", "error"),
    [
        ({"rivals": ["l_arm_controller"]}, "rivals: expected a text, got ['l_arm_controller']"),
        ({"prefix": 3}, "prefix: expected a text, got 3"),
        ({"watchdog": "no"}, "watchdog: expected true or false, got 'no'"),
        ({"watchdog": 0}, "watchdog: expected true or false, got 0"),
        ({"throttle_ms": 1.5}, "throttle_ms: expected an integer, got 1.5"),
        ({"throttle_ms": True}, "throttle_ms: expected an integer, got True"),
        ({"patience": True}, "patience: expected a finite number, got True"),
        ({"patience": float("inf")}, "patience: expected a finite number, got inf"),
        ({"max_age": None}, "max_age: expected a finite number, got None"),
    ],
)
def test_settings_of_a_wrong_type_are_refused(hardware: dict[str, Any], error: str) -> None:
    with pytest.raises(UserError, match=re.escape(f"hardware.{error}")):
        read_config(hardware)


@pytest.mark.parametrize(
    "values",
    [
        {"controllers": [{}], "state": ["running"]},
        {"controllers": [["a"]], "state": ["running"]},
        {"controllers": ["a"], "state": [{}]},
        {"controllers": [None], "state": [None]},
        {"controllers": "ab", "state": "cd"},
        {"controllers": {"a": 1}, "state": {"b": 2}},
        {"controllers": ["a", "b"], "state": ["running"]},
        {},
    ],
)
def test_a_list_of_controllers_that_is_none_is_a_bad_message(values: dict[str, Any]) -> None:
    session = ready()
    service = "/pr2_controller_manager/list_controllers"
    said = {"op": "service_response", "service": service, "result": True, "values": values}
    session.receive(json.dumps(said), 10.0)
    assert session.counts["bad_messages"] == 1
    assert session.fault(10.0) == ""


def test_a_stamp_beyond_all_numbers_is_a_bad_message() -> None:
    session = ready()
    said = json.loads(joint_states(10.0))
    for key, value in (("secs", 10**400), ("nsecs", -(10**400)), ("secs", 1e308 * 10)):
        said["msg"]["header"]["stamp"][key] = value
        session.receive(json.dumps(said), 10.0)
    assert session.counts["bad_messages"] == 3
    assert session.fault(10.0) == ""


ARM_AND_MORE = [*NAMES, "head_pan_joint", "r_gripper_joint"]


def whole(stamp: float) -> dict[str, Any]:
    """Joint states of nine joints, with efforts."""
    message = json.loads(joint_states(stamp))["msg"]
    numbers = {what: [0.1] * 9 for what in ("position", "velocity", "effort")}
    return {**message, "name": ARM_AND_MORE, **numbers}


def driven(edit: Callable[[dict[str, Any]], None]) -> str:
    """What the fault is after a second of messages that were edited."""
    session = ready()
    for k in range(1, 101):
        now = 10.0 + 0.01 * k
        message = whole(now)
        edit(message)
        for text in (power(True), watchdog(False), publish("/joint_states", message)):
            session.receive(text, now)
    return session.fault(now)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None, "x", 10**400, [], True])
@pytest.mark.parametrize(
    ("key", "place"), [("effort", 0), ("velocity", 8), ("position", 7), ("effort", 8)]
)
def test_a_bad_number_that_nobody_needs_is_no_fault(key: str, place: int, value: Any) -> None:
    assert driven(lambda message: message[key].__setitem__(place, value)) == ""


@pytest.mark.parametrize("value", [[], None, "none", [float("nan")] * 3])
def test_efforts_are_not_looked_at(value: Any) -> None:
    assert driven(lambda message: message.update(effort=value)) == ""
    assert driven(lambda message: message.pop("effort")) == ""


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("position", None, "position null is not a number"),
        ("position", float("nan"), "position nan is not finite"),
        ("velocity", float("-inf"), "velocity -inf is not finite"),
        ("velocity", "fast", "velocity 'fast' is not a number"),
    ],
)
def test_a_bad_number_of_the_arm_names_the_joint(key: str, value: Any, complaint: str) -> None:
    fault = driven(lambda message: message[key].__setitem__(2, value))
    assert fault == f"/joint_states: {NAMES[2]}: {complaint}"


def test_joint_states_without_velocities_say_so() -> None:
    fault = driven(lambda message: message.update(velocity=[]))
    assert f"{NAMES[0]}: velocity null is not a number" in fault


def test_joint_states_of_others_are_left_alone() -> None:
    session = ready()
    for k in range(10):
        session.receive(joint_states(10.0 + 0.01 * k), 10.0 + 0.01 * k)
        other = {**whole(99.0), "name": [f"r_{k}" for k in range(9)]}
        session.receive(publish("/joint_states", other), 10.0 + 0.01 * k)
        assert session.fault(10.0 + 0.01 * k) == ""


@pytest.mark.parametrize(
    ("text", "now", "complaint"),
    [
        (publish("/joint_states", {"name": 3}), 10.2, "old, limit 0.15 s; /joint_states cannot be"),
        (publish("/power_board/state", {}), 16.0, "/power_board/state cannot be read: not a pr2_"),
        (
            publish("/ros_mbmrl/watchdog", {"data": "x" * 999}),
            10.7,
            "/ros_mbmrl/watchdog cannot be",
        ),
    ],
)
def test_what_cannot_be_read_is_not_told_as_silence(text: str, now: float, complaint: str) -> None:
    session = ready()
    session.receive(text, now)
    if now > 10.5 and "watchdog" not in text:
        session.receive(watchdog(False), now)
    assert complaint in session.fault(now)
    assert len(session.fault(now)) < 300


@pytest.mark.parametrize("leap", [1000.0, 0.5, -1000.0, -0.5])
def test_one_wild_stamp_of_the_robot_is_passed_over(leap: float) -> None:
    session = ready()
    for k in range(1, 200):
        now = 10.0 + 0.01 * k
        session.receive(joint_states(now + (leap if k == 50 else 0.0)), now)
        for text in (power(True), watchdog(False)):
            session.receive(text, now)
        assert session.fault(now) == ""
        reading = session.reading(now)
        assert reading is not None and now - reading.time < 0.02
    assert session.counts["bad_messages"] == 1


@pytest.mark.parametrize("leap", [1000.0, 0.5, -1000.0, -0.5])
def test_a_robot_whose_clock_is_set_is_driven_on(leap: float) -> None:
    session = ready()
    for k in range(1, 200):
        now = 10.0 + 0.01 * k
        session.receive(joint_states(now + (leap if k >= 50 else 0.0)), now)
        for text in (power(True), watchdog(False)):
            session.receive(text, now)
        assert session.fault(now) == ""
    # A queue is still told.
    session.receive(joint_states(now + leap + 0.01), now + 0.01)
    session.receive(joint_states(now + leap + 0.02), now + 0.32)
    assert "joint states are 0.30 s old" in session.fault(now + 0.32)


NUMBERS = st.integers() | st.floats() | st.sampled_from([10**400, -(10**400)])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=3) | st.sampled_from(NAMES),
    lambda inner: (
        st.lists(inner, max_size=7)
        | st.dictionaries(
            st.sampled_from(
                ["header", "stamp", "secs", "nsecs", "name", "position", "velocity", "effort"]
                + ["data", "run_stop", "wireless_stop", "controllers", "state", "values", "msg"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
WORDS = st.fixed_dictionaries(
    {},
    optional={
        "op": st.sampled_from(["publish", "service_response", "status", "subscribe"]) | VALUES,
        "topic": st.sampled_from(["/joint_states", "/power_board/state", "/ros_mbmrl/watchdog"])
        | VALUES,
        "service": st.just("/pr2_controller_manager/list_controllers") | VALUES,
        "msg": VALUES,
        "values": VALUES,
        "result": st.booleans() | VALUES,
        "level": st.just("error") | VALUES,
        "id": VALUES,
    },
)


@given(st.lists(WORDS | VALUES, max_size=5))
def test_whatever_json_comes_the_session_lives_and_hears_the_next_good_one(
    several: list[Any],
) -> None:
    session = ready()
    for said in several:
        session.receive(json.dumps(said), 10.0)
        session.fault(10.0)
        session.must_ask(10.0)
    session.rearm(10.0)
    session.opened(11.0)
    for text in (power(True), controllers(NAMES), watchdog(False), joint_states(11.0)):
        session.receive(text, 11.0)
    session.rearm(11.0)
    session.receive(controllers(NAMES), 11.0)
    assert session.fault(11.0) == ""
