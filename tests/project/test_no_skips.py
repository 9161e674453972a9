"""A test that skips itself counts as failed: what it would have proved is not proved."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

SKIPPING = {
    "in_the_test": "import pytest\ndef test_it(): pytest.skip('no tool')",
    "mark": "import pytest\n@pytest.mark.skip(reason='later')\ndef test_it(): pass",
    "mark_if": "import pytest\n@pytest.mark.skipif(True, reason='not here')\ndef test_it(): pass",
    "module": "import pytest\npytest.importorskip('no_such_module')",
    "unittest": "import unittest\nclass T(unittest.TestCase):\n def test_it(self): self.skipTest('no')",
}


def test_every_way_to_skip_fails_the_run(tmp_path: Path):
    (tmp_path / "conftest.py").write_text((ROOT / "conftest.py").read_text())
    (tmp_path / "test_sound.py").write_text("def test_it(): pass")
    for name, source in SKIPPING.items():
        (tmp_path / f"test_{name}.py").write_text(source)
    options = ["-p", "no:cacheprovider", "--rootdir", ".", "--continue-on-collection-errors", "-rfE"]
    command = [sys.executable, "-m", "pytest", *options, "."]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    for name in SKIPPING:
        assert any(
            line.startswith(("FAILED", "ERROR")) and f"test_{name}.py" in line
            for line in done.stdout.splitlines()
        ), done.stdout
    closing = done.stdout.splitlines()[-1]
    assert "1 passed" in closing
    assert "skipped" not in closing
