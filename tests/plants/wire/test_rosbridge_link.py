import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from websockets.sync.server import serve

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


@pytest.fixture
def speaker() -> Iterator[Callable[[str | bytes], str]]:
    """Serves a message to everybody who connects, and hangs up; where."""
    with ExitStack() as held:

        def serve_text(text: str | bytes) -> str:
            server = held.enter_context(serve(lambda socket: socket.send(text), "127.0.0.1", 0))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            held.callback(server.shutdown)
            return f"ws://127.0.0.1:{server.socket.getsockname()[1]}"

        yield serve_text


@pytest.mark.parametrize(
    "error", [TypeError("unhashable"), OverflowError("too large"), KeyError(3)]
)
@pytest.mark.parametrize("where", ["opened", "received"])
def test_nothing_that_is_raised_ends_the_thread(
    error: Exception, where: str, speaker: Callable[[str | bytes], str]
) -> None:
    heard: list[str | bytes] = []
    reasons: list[str] = []
    thrice = threading.Event()

    def called(what: str) -> None:
        heard.append(what)
        if len(heard) == 3:
            thrice.set()
        raise error

    link = RosbridgeLink(
        speaker("{}"),
        lambda: called("opened") if where == "opened" else None,
        lambda text: called(str(text)) if where == "received" else None,
        reasons.append,
        LinkConfig(first_delay=0.01, last_delay=0.01),
    )
    link.start()
    try:
        assert thrice.wait(20)
    finally:
        link.close()
    assert all(reason.startswith(f"{type(error).__name__}: ") for reason in reasons[:2])


def test_a_thread_that_ends_all_the_same_is_told() -> None:
    reasons: list[str] = []

    def lost(reason: str) -> None:
        reasons.append(reason)
        if len(reasons) == 1:
            raise SystemExit

    link = RosbridgeLink("ws://127.0.0.1:1", lambda: None, lambda text: None, lost)
    with pytest.raises(SystemExit):
        link._run()
    assert reasons == ["Connection refused", "the link has ended (SystemExit)"]


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
