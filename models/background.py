"""A thread for what is heavy and can wait: it computes while the processors have nothing else to do.

Decoding a large picture takes up to a second of a processor, which nothing can cut short. In this thread, one after
another, such pictures take the time that quick requests leave over; alone they are as fast as in any other.
"""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar, TypeVarTuple

Answer = TypeVar("Answer")
Given = TypeVarTuple("Given")
NICE = 10
"""How far it gives way; beside one other thread, a tenth of a processor is its own."""


def run(function: Callable[[*Given], Answer], *args: *Given) -> Answer:
    """A function's answer, computed in the thread once it is free; raises what the function raises.

    What the function calls must not come here again: it would wait for itself.
    """
    return _thread().submit(function, *args).result()


@cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "background", _give_way)


def _give_way() -> None:
    """Lower this thread's priority, where threads have their own: on Linux."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, min(19, os.getpriority(os.PRIO_PROCESS, thread) + NICE))
