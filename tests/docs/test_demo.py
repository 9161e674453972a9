"""`make demo` tells the truth: it runs from a clone, shows what the README quotes, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run_demo(folder: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "demo"], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "TMPDIR": str(folder), "HOME": str(folder), **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


def test_the_demo_shows_what_the_readme_quotes_and_no_value(tmp_path: Path) -> None:
    output = run_demo(tmp_path)
    block = re.search(r"^```text\n\$ make demo\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    assert block is not None
    for line in block[1].splitlines():
        if "revision" not in line:
            assert line in output, line
    assert "7 of 7 ExternalSecrets would be synced" in output
    assert re.search(r"\b[3-9]\d valid, 0 invalid, 0 errors \(kustomize v[\d.]+, kubeconform", output)
    assert "realms/production/staging/STRIPE_API_KEY.sops.yaml" in output  # a branch that merged
    assert re.search(r"production/staging +\d+ key files verified", output)
    assert "AGE-SECRET-KEY" not in output
    assert "postgresql://" not in output
    assert re.search(r"arc_[0-9A-Za-z]{12}_[0-9A-Za-z]", output) is None
    assert list(tmp_path.glob("arcan-demo-*")) == []


def test_the_values_are_shown_on_request(tmp_path: Path) -> None:
    assert "postgresql://shop:" in run_demo(tmp_path, REVEAL="1")
