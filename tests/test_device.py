"""What the C library is told about freed memory."""

import subprocess
import sys

import pytest

PROGRAM = """
import ctypes
from pathlib import Path
from radvqa import device

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

device.keep_freed_memory()
blocks = [bytearray(1 << 20) for _ in range(200)]
pin = bytearray(1 << 20)  # behind them, so that the end of the heap stays in use
full = resident()
del blocks
kept = resident()
device.give_back_freed_memory()
print(full - kept, kept - resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc and /proc are Linux's")
def test_freed_memory_is_kept_until_it_is_given_back() -> None:
    out = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    gone_at_once, given_back = map(int, out.split())
    assert gone_at_once < 20 << 20
    assert given_back > 150 << 20
