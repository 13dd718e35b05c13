import math

import numpy as np
import pytest

from ros_mbmrl.data.velociroach import COLUMNS, convert
from ros_mbmrl.plants.wire import units
from ros_mbmrl.plants.wire.velociroach import Telemetry

SAMPLE = Telemetry(
    index=1,
    microseconds=2_000_000,
    positions=(65536, 32768),
    targets=(0, 0),
    duties=(0, 0),
    gyro=(100, 200, 300),
    accelerometer=(0, 0, 4096),
    back_emf=(140, -140),
    battery=900,
)


def test_numbers_of_the_hardware() -> None:
    assert math.isclose(units.ENCODER, 95.8738e-6, rel_tol=1e-6)
    assert units.to_counts_per_ms(9 * 2 * math.pi) == 590  # the published limits, 9 Hz and 2 Hz
    assert units.to_counts_per_ms(2 * 2 * math.pi) == 131
    said = units.sensed(SAMPLE)
    assert said.battery == pytest.approx(900 * 0.0044206, rel=1e-4)
    assert said.back_emf == pytest.approx([140 * 0.0100977] * 2, rel=1e-4)  # both forward
    assert said.force == pytest.approx([0, 0, 9.81])
    assert said.gyro == pytest.approx([0.21316, -0.10658, 0.31974])


def test_live_telemetry_means_what_the_logs_mean() -> None:
    row = dict.fromkeys(COLUMNS, 0.0)
    row |= {"gyro_x": 100, "gyro_y": 200, "gyro_z": 300, "pos_left": 65536, "pos_right": 32768}
    row |= {"bemf_left": 140, "bemf_right": -140, "vbat": 900, "cmd_left": 131, "cmd_right": 590}
    (logged,), (command,) = convert(np.array([[row[name] for name in COLUMNS]]))
    said = units.sensed(SAMPLE)
    assert np.allclose(said.gyro, logged[7:10])
    assert np.allclose(units.ENCODER * np.array(SAMPLE.positions), logged[13:15])
    assert np.allclose([*said.back_emf, said.battery], logged[15:18])
    assert [units.to_counts_per_ms(speed) for speed in command] == [131, 590]


def test_a_sample_is_made_of_what_it_says() -> None:
    said = units.sensed(SAMPLE)
    assert units.sample_of(1, 2.0, (65536, 32768), (0, 0), (0, 0), said) == SAMPLE


def test_what_does_not_fit_saturates_or_wraps() -> None:
    wild = units.Sensed(np.full(3, 1e6), np.zeros(3), np.zeros(2), 0.0)
    sample = units.sample_of(1 << 32, 5000.0, ((1 << 31) + 5, -(1 << 31) - 1), (0, 0), (0, 0), wild)
    assert sample.gyro == (-32768, 32767, 32767)
    assert sample.positions == (-(1 << 31) + 5, (1 << 31) - 1)
    assert (sample.index, sample.microseconds) == (0, 5_000_000_000 - (1 << 32))
    sample.encode()
