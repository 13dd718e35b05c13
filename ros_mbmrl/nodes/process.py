"""Life of a node process: start, spin, end cleanly on a signal, leave no orphan."""

from __future__ import annotations

import os
import select
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress

import psutil
import rclpy
from rclpy._rclpy_pybind11 import RCLError, UnknownROSArgsError
from rclpy.duration import Duration
from rclpy.executors import Executor, ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from ros_mbmrl.bringup import LAUNCHER, PARENT
from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.nodes.help import answer
from ros_mbmrl.ros_environment import environment
from ros_mbmrl.runtime.last_exit import exit_within
from ros_mbmrl.runtime.priority import Work, take
from ros_mbmrl.runtime.signals import end_on_signals, ignore_signals
from ros_mbmrl.runtime.streams import make_streams_last

PATIENCE = 2.0  # [s] in all for workers that are half way through something
GRACE = 4.0  # [s] a node without its supervisor is given to end cleanly
# [s] in all for the last messages to reach those who listen: a lost one is noticed by the
# middleware's next heartbeat, every 0.2 s (`loopback.xml`). A supervisor waits for 5 s in all.
DELIVERY = 2.0
# [s] that the middleware and Python are given to take themselves down: long enough for a busy
# machine, and with the rest shorter than the alarm of a signal.
LETTING_GO = 4
LONGEST_DRAIN = 2.0  # [s] of listening when the end has come, however much still comes
LOOK = 0.02  # [s] of waiting for a message while draining


class Ending:
    """The one way a process ends: whoever calls `end` first decides on the exit status."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.event = threading.Event()
        self.status = 0
        self.workers: list[threading.Thread] = []
        self.wake: Callable[[], None] = lambda: None
        self.last: list[Callable[[], None]] = []  # called when the nodes are closed

    def end(self, status: int = 0, reason: str = "") -> None:
        """End the process with an exit status; `reason` is printed if it is not clean."""
        with self._lock:
            if self.event.is_set():
                return
            self.status = status
            self.event.set()
        self.wake()
        if reason:
            with suppress(OSError):  # with a supervisor, its end of the pipe has gone, too
                print(reason, file=sys.stderr if status else sys.stdout, flush=True)


# Makes the nodes of a process. A node has a method `close`, called once after the last callback.
# It may have `linger` [s]: when the end has come it still listens, until nothing has come for so
# long; then it has `received`, the number of messages that have come, too. `own_thread`: its
# callbacks wait for no other node's, and the thread asks for priority.
Build = Callable[[Ending], Sequence[Node]]


def run(build: Build, arguments: Sequence[str] | None = None, work: Work | None = None) -> int:
    """Run the nodes that `build` makes until the process ends; its exit status.

    A signal only sets an event, so that none interrupts a callback half way; further ones do
    nothing. work: for whose priority the process asks.
    """
    make_streams_last()
    ending = Ending()
    end_on_signals(ending.end)
    threading.Thread(target=_watch_parent, args=(ending,), daemon=True).start()
    try:
        words = list(sys.argv if arguments is None else arguments)
        if (status := answer(words)) is not None:
            return status
        if work is not None:
            prefer(work)
        os.environ.update(environment(os.environ))  # a node that is started alone stays here, too
        nodes = _started(build, ending, words)
        return _spin(nodes, ending)
    except UserError as error:
        print(error, file=sys.stderr, flush=True)
        return 2
    except RunError as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    finally:
        ignore_signals()
        rclpy.try_shutdown()


def prefer(work: Work) -> None:
    """Take the priority of a kind of work for this thread and its own; tell of a refusal."""
    if told := take(work):
        print(told, flush=True)


def _started(build: Build, ending: Ending, arguments: list[str]) -> Sequence[Node]:
    """The nodes. Raises UserError for ROS arguments, parameters or security that ROS refuses."""
    try:
        rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
        return build(ending)
    except (RCLError, UnknownROSArgsError) as error:
        raise UserError(error) from None


def _spin(nodes: Sequence[Node], ending: Ending) -> int:
    executor = make_executor()
    ending.wake = executor.wake
    try:
        for node in nodes:
            if getattr(node, "own_thread", False):
                _spin_apart(node, ending)
            else:
                executor.add_node(node)
        while not ending.event.is_set():
            executor.spin_once(timeout_sec=0.1)  # so long a signal may wait
        for node in nodes:
            _drain(executor, node)
    except ExternalShutdownException:
        pass
    finally:
        for node in nodes:
            _close(node, ending)
        _join(ending.workers)
        for call in ending.last:
            call()
        _deliver(nodes)
        # The work is done and delivered: a middleware that hangs changes nothing about it.
        exit_within(LETTING_GO, ending.status or int(sys.exc_info()[0] is not None))
        executor.shutdown()
        for node in nodes:
            node.destroy_node()
    return ending.status


def _spin_apart(node: Node, ending: Ending) -> None:
    """Spin a node in a thread of its own until the process ends."""

    def spin() -> None:
        prefer(Work.URGENT)
        executor = make_executor()
        executor.add_node(node)
        try:
            while not ending.event.is_set():
                executor.spin_once(timeout_sec=0.1)
        except ExternalShutdownException:
            pass
        finally:
            executor.remove_node(node)
            executor.shutdown()

    threading.Thread(target=guarded(ending, spin), daemon=True).start()


def make_executor() -> Executor:
    """The executor that is told what has come, if rclpy has it, else the one that asks.

    Asking takes twice the time of a core and twice as long (`mbmrl bench graph`). The other one's
    `spin_once` goes on waiting when it is woken.
    """
    try:
        from rclpy.experimental import EventsExecutor
    except ImportError:
        return SingleThreadedExecutor()
    return EventsExecutor()


def _drain(executor: Executor, node: Node, clock: Callable[[], float] = time.monotonic) -> None:
    """Take in what has already been sent: a recording ends with the run's last messages.

    On a busy machine the time may pass while this process is not run at all. So what counts is that
    it has looked again and again, and has found nothing.
    """
    linger = getattr(node, "linger", 0.0)
    newest, until, looks = clock(), clock() + LONGEST_DRAIN, 0
    while linger > 0 and clock() < until:
        if clock() - newest >= linger and looks >= linger / LOOK:
            return
        before = node.received
        executor.spin_once(timeout_sec=LOOK)
        looks += 1
        if node.received != before:
            newest, looks = clock(), 0


def _deliver(nodes: Sequence[Node], clock: Callable[[], float] = time.monotonic) -> None:
    """Wait until those who listen have what was published; a publisher takes the rest with it.

    Bounded: a listener that is paused or was killed does not answer.
    """
    until = clock() + DELIVERY
    for publisher in [each for node in nodes for each in node.publishers]:
        with suppress(RCLError):  # a middleware that cannot tell
            # In short waits: rclpy keeps Python's lock while it waits, and other threads stand.
            while not publisher.wait_for_all_acked(Duration(seconds=LOOK)) and clock() < until:
                pass


def _close(node: Node, ending: Ending) -> None:
    try:
        node.close()
    except Exception:  # noqa: BLE001 (whatever it is)
        traceback.print_exc()
        ending.status = ending.status or 1


def _join(workers: Sequence[threading.Thread]) -> None:
    """Wait for them: one that is in torch's or ROS's C++ when Python ends aborts the process."""
    until = time.monotonic() + PATIENCE
    for worker in workers:
        worker.join(max(0.0, until - time.monotonic()))


def _watch_parent(ending: Ending) -> None:
    """End when the process that launched this one is gone, however it went."""
    launcher = os.environ.get(PARENT) or os.environ.get(LAUNCHER)
    if launcher is None:
        return
    _await_end(int(launcher))
    ending.end(1, "the process that launched this node is gone")
    time.sleep(GRACE)
    os._exit(1)


def _await_end(process: int) -> None:
    """Return as soon as a process has ended; it need not be the parent of this one."""
    try:
        ended = os.pidfd_open(process)
    except ProcessLookupError:
        return
    except OSError:  # an old kernel, or a sandbox
        with suppress(psutil.NoSuchProcess):
            while psutil.Process(process).status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.05)
        return
    try:
        select.select([ended], [], [])
    finally:
        os.close(ended)


def guarded(ending: Ending, work: Callable[[], None]) -> Callable[[], None]:
    """`work` for a thread: an exception ends the process, and the process's end awaits it."""

    def run_guarded() -> None:
        ending.workers.append(threading.current_thread())
        try:
            work()
        except UserError as error:
            ending.end(2, str(error))
        except RunError as error:
            ending.end(1, str(error))
        except Exception:  # noqa: BLE001 (whatever it is)
            ending.end(1, traceback.format_exc())

    return run_guarded
