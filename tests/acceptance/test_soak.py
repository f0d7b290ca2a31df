"""Days on end, by a fast clock: `benchmarks/soak.py` with few sources; some hours only without --slow."""

import os
import subprocess
import sys

import pytest

from tests.support import ROOT


@pytest.mark.skipif(sys.platform != "linux", reason="its outlets need all of 127.0.0.0/8, it reads /proc")
def test_for_days_nothing_is_missed_no_alert_comes_twice_and_memory_stays_flat(tmp_path, slow):
    days, sources = (3.5, 15) if slow else (0.3, 8)
    counts = [f"--days={days}", f"--sources={sources}", "--rules=20", "--jump=120"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks/soak.py"), *counts],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
