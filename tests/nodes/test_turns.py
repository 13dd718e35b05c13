"""Turns: one thread at a time, and a callback that calls its own node again."""

from __future__ import annotations

import threading

from ros_mbmrl.nodes.turns import in_turn


class Counter:
    """Counts who is inside at the same time."""

    def __init__(self) -> None:
        self._turn = threading.RLock()
        self.inside = self.most = self.calls = 0
        self.pause = threading.Event()

    @in_turn
    def call(self, again: int = 0) -> int:
        """Return how deep the call was."""
        self.inside += 1
        self.most = max(self.most, self.inside - again)
        self.calls += 1
        self.pause.wait(0.001)
        deep = self.call(again + 1) if again < 2 else again
        self.inside -= 1
        return deep


def test_threads_take_turns_and_a_callback_may_call_again() -> None:
    counter = Counter()
    threads = [threading.Thread(target=counter.call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.calls == 8 * 3 and counter.inside == 0
    assert counter.most == 1


def test_a_callback_keeps_its_name_and_result() -> None:
    assert Counter.call.__name__ == "call"
    assert Counter().call() == 2
