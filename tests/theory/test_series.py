import pytest

from ros_mbmrl.theory.series import geometric


@pytest.mark.parametrize("ratio", [0.0, 0.5, 1 - 1e-8, 1.0, 1.7])
@pytest.mark.parametrize("terms", [0, 1, 2, 9])
def test_it_is_the_sum(ratio: float, terms: int) -> None:
    assert geometric(ratio, terms) == pytest.approx(sum(ratio**t for t in range(terms)))
