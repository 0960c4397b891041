"""What a large picture took goes back to the system, where the C library is glibc."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TAKE = """
import os, sys
from pathlib import Path
from models.photo import LARGE, ROOM

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

before = resident()
with ROOM.taken(LARGE if sys.argv[1] == "large" else LARGE - 1):
    blocks = [bytearray(100_000) for _ in range(600)]
    last = bytearray(110_000)  # fits no gap that they left: it lies above them and keeps them with the process
    del blocks
print(resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_what_a_large_picture_took_goes_back_before_the_next_one_comes():
    def held(cost: str) -> int:
        return int(subprocess.check_output([sys.executable, "-c", TAKE, cost], cwd=ROOT, text=True))

    assert held("large") < 8 * 2**20 < 48 * 2**20 < held("small")
