"""The hooks that other repositories take from this one are commands, and those that `arcan init` lays out."""

from __future__ import annotations

from pathlib import Path

import yaml
from click.testing import CliRunner

from arcan_gitops.cli import arcan

ROOT = Path(__file__).resolve().parents[2]


def test_the_hooks_of_both_files_run_the_same_commands():
    ours = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    laid_out = yaml.safe_load((ROOT / "arcan_gitops/scaffold/files/pre-commit-config.yaml").read_text())
    local = laid_out["repos"][0]["hooks"]
    assert [(hook["id"], hook["entry"]) for hook in ours] == [(hook["id"], hook["entry"]) for hook in local]
    for hook in ours:
        words = [word for word in hook["entry"].split()[1:] if not word.startswith("--")]
        assert CliRunner().invoke(arcan, [*words, "--help"]).exit_code == 0
