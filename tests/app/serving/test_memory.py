"""What requests leave behind goes back to the system, where the C library is glibc."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LOAD = """
import sys, threading, time
from app.serving import memory

memory.EVERY_S = 0.05
if sys.argv[1] == "kept low":
    memory.give_back()
before = memory.resident()

def work():
    # many small blocks: what lies above the last one in use stays with the process otherwise
    blocks = [bytearray(2000) for _ in range(100_000)]
    kept.append(blocks[-1])

kept = []
thread = threading.Thread(target=work)
thread.start()
thread.join()
until = time.monotonic() + 600
while sys.argv[1] == "kept low" and memory.resident() - before > memory.GROWTH and time.monotonic() < until:
    time.sleep(0.05)
print((memory.resident() - before) // 2**20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_what_requests_leave_behind_is_given_back():
    def held(how: str) -> int:
        return int(subprocess.check_output([sys.executable, "-c", LOAD, how], cwd=ROOT, text=True))

    assert held("as it is") > 120
    assert held("kept low") <= 48


FROZEN = """
import gc, weakref
from app.serving import memory

class Answer:
    pass

waste = Answer()
waste.itself = waste
gone = weakref.ref(waste)
del waste
gc.disable()
memory.give_back()
print(gone() is None, gc.get_freeze_count() > 10_000)
"""


def test_what_stays_is_kept_out_of_later_searches_for_garbage_and_waste_is_not():
    told = subprocess.check_output([sys.executable, "-c", FROZEN], cwd=ROOT, text=True)
    assert told.split() == ["True", "True"]
