import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ros_mbmrl.plants.wire import rosbridge


def test_what_goes_over_the_wire() -> None:
    assert rosbridge.advertise("/effort_l_elbow_flex_joint/command", rosbridge.FLOAT64) == (
        '{"op":"advertise","topic":"/effort_l_elbow_flex_joint/command",'
        '"type":"std_msgs/Float64","queue_size":1}'
    )
    assert rosbridge.subscribe("/joint_states", rosbridge.JOINT_STATE, throttle_rate=20) == (
        '{"op":"subscribe","topic":"/joint_states","type":"sensor_msgs/JointState",'
        '"throttle_rate":20,"queue_length":1}'
    )
    assert rosbridge.publish("/effort_l_elbow_flex_joint/command", {"data": -1.5}) == (
        '{"op":"publish","topic":"/effort_l_elbow_flex_joint/command","msg":{"data":-1.5}}'
    )
    assert rosbridge.call_service("/pr2_controller_manager/list_controllers", {}, "q1") == (
        '{"op":"call_service","service":"/pr2_controller_manager/list_controllers",'
        '"args":{},"id":"q1"}'
    )
    assert rosbridge.encode("unadvertise", topic="/a") == '{"op":"unadvertise","topic":"/a"}'
    assert rosbridge.encode("status", level="error", msg="no", id=None) == (
        '{"op":"status","level":"error","msg":"no"}'
    )


@pytest.mark.parametrize("torque", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_is_never_sent(torque: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        rosbridge.publish("/a", {"data": torque})


def test_a_message_is_read_back() -> None:
    text = '{"topic": "/a", "msg": {"data": 0.25}, "op": "publish"}'
    assert rosbridge.read_float64(rosbridge.decode(text)["msg"]) == 0.25
    answer = '{"op":"service_response","service":"/s","values":{"state":[]},"result":true,"id":"7"}'
    assert rosbridge.decode(answer.encode())["values"] == {"state": []}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "not JSON"),
        ('{"op":"publish"', "not JSON"),
        ("[1, 2]", "expected a JSON object, got list"),
        ("{}", "unknown operation None"),
        ('{"op":["publish"]}', "unknown operation"),
        ('{"op":"explode"}', "unknown operation 'explode': expected one of advertise, "),
        ('{"op":"publish","topic":"/a"}', "publish: expected a field 'msg' of type dict"),
        ('{"op":"publish","topic":7,"msg":{}}', "publish: expected a field 'topic' of type str"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_bad_text_is_refused_in_one_line(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint)) as caught:
        rosbridge.decode(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "null", "1e999", "9" * 400])
def test_what_is_not_finite_is_read_and_is_nobodys_number(number: str) -> None:
    said = rosbridge.decode(f'{{"op":"publish","topic":"/a","msg":{{"data":{number},"x":1}}}}')
    assert said["msg"]["x"] == 1
    with pytest.raises(ValueError, match="not a std_msgs/Float64: .* is not (a number|finite)"):
        rosbridge.read_float64(said["msg"])


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(["header", "stamp", "secs", "nsecs", "name", "position", "velocity"])
MESSAGES = st.dictionaries(FIELDS | st.sampled_from(["data", "run_stop", "wireless_stop"]), JSON)


@given(st.text() | st.binary())
def test_no_text_does_worse_than_a_value_error(text: str | bytes) -> None:
    try:
        rosbridge.decode(text)
    except ValueError:
        return


@given(MESSAGES)
def test_no_message_does_worse_than_a_value_error(message: dict[str, object]) -> None:
    for read in (
        rosbridge.read_joint_states,
        rosbridge.read_float64,
        rosbridge.read_bool,
        rosbridge.read_run_stop,
    ):
        try:
            read(message)
        except ValueError:
            continue


def test_joint_states_are_read_by_name() -> None:
    message = {
        "header": {"seq": 3, "stamp": {"secs": 12, "nsecs": 500_000_000}, "frame_id": ""},
        "name": ["b", "a"],
        "position": [1.0, 2],
        "velocity": [0.5, -0.5],
        "effort": [0.0, 0.0],
    }
    states = rosbridge.read_joint_states(message)
    assert states.stamp == 12.5
    assert states.positions == {"a": 2.0, "b": 1.0}
    assert states.velocities == {"a": -0.5, "b": 0.5}
    assert rosbridge.joint_states(states, 3) == message


MESSAGE = {
    "header": {"stamp": {"secs": 1, "nsecs": 0}},
    "name": ["a", "b"],
    "position": [1.0, 2.0],
    "velocity": [0.0, 0.0],
}


@pytest.mark.parametrize(
    "spoilt",
    [
        {"position": [1.0]},
        {"velocity": [1.0, 2.0, 3.0]},
        {"position": "12"},
        {"position": {"a": 1.0, "b": 2.0}},
        {"name": [["a"], "b"]},
        {"header": {}},
        {"header": {"stamp": {"secs": 10**400, "nsecs": 0}}},
        {"header": {"stamp": {"secs": math.nan, "nsecs": 0}}},
    ],
)
def test_joint_states_of_another_form_are_refused(spoilt: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="JointState"):
        rosbridge.read_joint_states({**MESSAGE, **spoilt})


@pytest.mark.parametrize(
    ("spoilt", "complaint"),
    [
        ({"position": [1.0, None]}, "b: position null is not a number"),
        ({"position": [1.0, math.nan]}, "b: position nan is not finite"),
        ({"velocity": [1.0, -math.inf]}, "b: velocity -inf is not finite"),
        ({"velocity": [1.0, 10**400]}, "b: velocity 10000000000000"),
        ({"position": [1.0, "2"]}, "b: position '2' is not a number"),
        ({"position": [1.0, True]}, "b: position True is not a number"),
        ({"velocity": []}, "b: velocity null is not a number"),  # publishers without velocities
        ({"velocity": None}, "b: velocity null is not a number"),
    ],
)
def test_a_bad_number_of_one_joint_is_told_of_that_joint(
    spoilt: dict[str, object], complaint: str
) -> None:
    states = rosbridge.read_joint_states({**MESSAGE, **spoilt})
    assert states.complaint(["b"]).startswith(complaint)
    assert states.names == {"a", "b"}
    if len(states.bad) == 1:
        assert states.complaint(["a"]) == ""
        assert states.positions == {"a": 1.0}


def test_a_joint_that_comes_twice_is_not_believed() -> None:
    states = rosbridge.read_joint_states({**MESSAGE, "name": ["a", "a"]})
    assert states.complaint(["a"]) == "a: position comes 2 times"


@pytest.mark.parametrize(
    ("run_stop", "wireless_stop", "pressed"),
    [(True, True, False), (False, True, True), (True, False, True), (False, False, True)],
)
def test_a_run_stop_is_true_while_the_robot_may_run(
    run_stop: bool, wireless_stop: bool, pressed: bool
) -> None:
    message = {"run_stop": run_stop, "wireless_stop": wireless_stop}
    assert rosbridge.read_run_stop(message) is pressed


def test_a_power_board_that_does_not_say_is_refused() -> None:
    with pytest.raises(ValueError, match="PowerBoardState"):
        rosbridge.read_run_stop({"run_stop": True})
