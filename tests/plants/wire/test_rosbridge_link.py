import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.plants.wire.rosbridge_link import LinkConfig, RosbridgeLink, read_url


def test_attempts_become_rarer_but_never_rarer_than_every_two_seconds() -> None:
    waited: list[float] = []
    reasons: list[str] = []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return len(waited) == 7

    link = RosbridgeLink(
        "ws://127.0.0.1:1", lambda: None, lambda text: None, reasons.append, LinkConfig(), wait
    )
    link._run()
    assert waited == [0.25, 0.5, 1.0, 2.0, 2.0, 2.0, 2.0]
    assert reasons == ["Connection refused"] * 7


def test_nothing_is_sent_without_a_link() -> None:
    link = RosbridgeLink("ws://127.0.0.1:1", lambda: None, lambda text: None, lambda reason: None)
    assert link.send(["a"]) is False
    assert link.round_trip == 0
    link.close()


@pytest.mark.parametrize(
    ("port", "url"),
    [
        ("pr2", "ws://pr2:9090"),
        ("pr2.local:80", "ws://pr2.local:80"),
        ("10.0.0.7:9090", "ws://10.0.0.7:9090"),
        ("ws://pr2", "ws://pr2:9090"),
        ("wss://pr2:443/bridge", "wss://pr2:443/bridge"),
        ("[::1]:9090", "ws://[::1]:9090"),
    ],
)
def test_a_port_is_a_host_or_a_url(port: str, url: str) -> None:
    assert read_url(port) == url


@pytest.mark.parametrize("port", ["", "http://pr2:9090", "pr2:x", "pr2:99999", "ws://"])
def test_what_is_neither_is_refused(port: str) -> None:
    with pytest.raises(UserError, match="port: expected host:9090 or ws://host:9090, got"):
        read_url(port)
