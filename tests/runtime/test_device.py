from __future__ import annotations

import pytest
import torch

from ros_mbmrl.errors import UserError
from ros_mbmrl.runtime.device import choose_device


def test_auto_is_the_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for there, expected in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert choose_device("auto").type == expected
        assert choose_device("cpu").type == "cpu"


def test_a_gpu_that_is_not_there_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match="no GPU that torch can use; expected cpu"):
        choose_device("cuda")
    with pytest.raises(UserError, match="unknown device 'tpu': expected one of auto, cpu, cuda"):
        choose_device("tpu")
