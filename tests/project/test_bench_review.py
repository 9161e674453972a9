"""`make bench-review` measures what it says: a small one here, whose findings are those of a real review."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_small_repository_is_laid_out_and_reviewed():
    script = ROOT / "scripts/bench_review.py"
    command = [sys.executable, script, "--documents=20", "--files=30", "--commits=5", "--bound=600"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("20 documents of 50 keys, 30 key files, 5 commits\n")
    assert done.stdout.count(" s\n") == 2
