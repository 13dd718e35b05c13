"""Expected bytes are written out by hand from the packets' formats."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ros_mbmrl.plants.wire import velociroach as v
from ros_mbmrl.plants.wire import xbee

GAINS = (1800, 200, 100, 0, 0)
GAIN_BYTES = "0807 c800 6400 0000 0000"
QUARTERS = "0010" * 4

COMMANDS = [
    (v.set_thrust_open_loop(3, 500), "00 80 0300 f401"),
    (v.pid_start(), "00 81"),
    (v.set_pid_gains(GAINS, GAINS), f"00 82 {GAIN_BYTES} {GAIN_BYTES}"),
    (v.get_ams_pos(), "00 84"),
    (v.set_timeout(2), "00 85 0200"),
    (v.set_gains_get_telem(GAINS, (1, -2, 3, 0, 0)), f"00 88 {GAIN_BYTES} 0100feff030000000000"),
    (v.erase_sectors(5000), "00 8a 88130000"),
    (v.flash_readback(300), "00 8b 2c010000"),
    (
        v.set_vel_profile(111, [0x1000] * 4, 250, [0x1000, 0x0FFF, -1, 2]),
        f"00 8d 6f00 {QUARTERS} 0000 fa00 0010 ff0f ffff 0200 0000",
    ),
    # 20 ms; 590 and 131 counts/ms are 737.5 and 163.75 of 1/16 in it
    (v.steady_profile(590, 131), f"00 8d 1400 {'e202' * 4} 0000 1400 {'a400' * 4} 0000"),
    (v.who_am_i(), "00 8e"),
    (v.start_telemetry(1000), "00 8f e8030000"),
    (v.zero_pos(), "00 90"),
    (v.start_timed_run(65500), "00 91 dcff"),
    (v.pid_stop(), "00 92"),
    (v.set_phase(0x8000), "00 93 00800000"),
    (v.set_motor_mode(1000, -1000), "00 94 e803 18fc"),
    (v.set_thrust_get_imu(-1, 2), "00 95 ffff 0200"),
    (v.set_vel_get_imu(131, 590), "00 96 8300 4e02"),
    (v.set_pid_output_channel(1), "00 97 0100"),
]


@pytest.mark.parametrize(("packet", "expected"), COMMANDS)
def test_command_bytes(packet: bytes, expected: str) -> None:
    assert packet == bytes.fromhex(expected)


def test_a_whole_frame_of_a_set_point() -> None:
    frame = xbee.Transmit(0x0001, v.set_vel_get_imu(131, 590))
    # sum: 01 + 01 + 96 + 83 + 4e + 02 = 0x16b
    assert frame.encode() == bytes.fromhex("7e 000b 01 00 0001 00 00 96 8300 4e02 94")


SAMPLE = v.Telemetry(
    index=7,
    microseconds=4_000_000_000,
    positions=(65536, -2),
    targets=(65540, 3),
    duties=(3800, -3800),
    gyro=(1, -1, 256),
    accelerometer=(0, 2, 4096),
    back_emf=(140, -140),
    battery=900,
)
SAMPLE_BYTES = (
    "00 20 07000000 00286bee 00000100 feffffff 04000100 03000000 d80e 28f1"
    "0100 ffff 0001 0000 0200 0010 8c00 74ff 8403"
)
REPLIES = [
    (SAMPLE, SAMPLE_BYTES),
    (v.Positions((1, -1)), "00 84 01000000 ffffffff"),
    (v.Positions((70000, 0), zeroed=True), "00 90 70110100 00000000"),
    (v.Gains(GAINS, GAINS), f"00 82 {GAIN_BYTES} {GAIN_BYTES}"),
    (v.Version("IP2.5 v1"), "00 8e 4950322e35207631"),
    (v.Erased(5000), "00 8a 88130000"),
]


@pytest.mark.parametrize(("reply", "data"), REPLIES)
def test_reply_bytes(reply: v.Reply, data: str) -> None:
    assert v.read_reply(bytes.fromhex(data)) == reply
    assert reply.encode() == bytes.fromhex(data)


def test_the_sample_is_57_bytes_on_the_line() -> None:
    assert len(xbee.Received(1, SAMPLE.encode()).encode()) == 57


def test_a_sample_out_of_the_flash_is_not_a_live_one() -> None:
    data = bytearray(SAMPLE.encode())
    data[1] = 0x8B
    saved = v.read_reply(bytes(data))
    assert isinstance(saved, v.Telemetry)
    assert saved.saved
    assert saved.encode() == bytes(data)


LONG, SHORT = st.integers(-(1 << 31), (1 << 31) - 1), st.integers(-(1 << 15), (1 << 15) - 1)
WORD = st.integers(0, (1 << 32) - 1)
PAIR = st.tuples(SHORT, SHORT)
AXES = st.tuples(SHORT, SHORT, SHORT)
SAMPLES = st.builds(
    v.Telemetry, WORD, WORD, st.tuples(LONG, LONG), st.tuples(LONG, LONG), PAIR, AXES, AXES, PAIR,
    SHORT, st.booleans(),
)  # fmt: skip


@given(SAMPLES)
def test_any_sample_comes_back(sample: v.Telemetry) -> None:
    assert v.read_reply(sample.encode()) == sample


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ("", "expected at least 2 bytes"),
        ("00 33", "unknown type 0x33"),
        ("00 20 00", "packet 0x20: expected 46 bytes, got 1"),
        ("00 84 0000000000000000 00", "packet 0x84: expected 8 bytes, got 9"),
    ],
)
def test_other_packets_are_refused(data: str, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        v.read_reply(bytes.fromhex(data))


def test_numbers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="packet 0x96"):
        v.set_vel_get_imu(40000, 0)
