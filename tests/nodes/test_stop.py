"""One request to safety/stop, without a middleware: who answers, and who does not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy")
from ros_mbmrl.nodes import stop


class Middleware:
    """Stands in for rclpy. there: the service. success: its answer, None for none in time."""

    def __init__(self, there: bool, success: bool | None) -> None:
        self.log: list[str] = []
        answer = SimpleNamespace(
            done=lambda: success is not None, result=lambda: SimpleNamespace(success=success)
        )
        client = SimpleNamespace(
            wait_for_service=lambda patience: there,
            call_async=lambda request: self.log.append("asked") or answer,  # type: ignore
        )
        self._node = SimpleNamespace(
            create_client=lambda kind, name: self.log.append(name) or client,  # type: ignore
            destroy_node=lambda: self.log.append("gone"),
            get_namespace=lambda: "/hexapod",
        )

    def init(self) -> None:
        self.log.append("init")

    def create_node(self, name: str) -> Any:
        return self._node

    def spin_until_future_complete(self, node: Any, future: Any, timeout_sec: float) -> None:
        self.log.append("waited")

    def try_shutdown(self) -> None:
        self.log.append("shut down")


def test_a_stop_that_is_granted_ends_well(monkeypatch: pytest.MonkeyPatch) -> None:
    middleware = Middleware(there=True, success=True)
    monkeypatch.setattr(stop, "rclpy", middleware)
    stop.main()
    assert middleware.log == ["init", "safety/stop", "asked", "waited", "gone", "shut down"]


@pytest.mark.parametrize(("there", "success"), [(False, None), (True, None), (True, False)])
def test_a_stop_that_is_not_is_an_error_in_one_line(
    monkeypatch: pytest.MonkeyPatch, there: bool, success: bool | None
) -> None:
    middleware = Middleware(there, success)
    monkeypatch.setattr(stop, "rclpy", middleware)
    with pytest.raises(SystemExit, match="^/hexapod/safety/stop: no answer within 10 s$"):
        stop.main()
    assert middleware.log[-2:] == ["gone", "shut down"]
