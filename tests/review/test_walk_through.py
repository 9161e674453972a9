"""The README's change of a secret, replayed: a branch, a value, the review, the comment, a merge, the answer."""

from __future__ import annotations

import re
from pathlib import Path

from tests.review.sample import CANARY, Sample
from tests.support.live_server import LiveServer

README = Path(__file__).resolve().parents[2] / "README.md"


class _Files:
    """What a `LiveServer` serves."""

    def __init__(self, sample: Sample) -> None:
        self.root, self.identity_file = sample.root / "realms", sample.folder / "server.txt"


def steps() -> list[tuple[str, str]]:
    """(command, what it prints first) of the block; empty where nothing is shown."""
    [block] = re.findall(r"^```text\n(\$ git switch .*?)^```$", README.read_text(), re.M | re.S)
    lines = block.splitlines()
    return [
        (line.removeprefix("$ "), "" if following.startswith("$ ") else following)
        for line, following in zip(lines, [*lines[1:], "$ "], strict=True)
        if line.startswith("$ ")
    ]


def test_a_secret_is_changed_as_the_readme_says_and_served(sample: Sample, tmp_path: Path) -> None:
    sample.repository.git("branch", "--force", "main", sample.main)
    sample.repository.git("switch", "--quiet", "main")
    token = sample.arcan("token", "create", "--realm=production", "--name=reader").strip()
    sample.repository.git("commit", "--quiet", "--all", "--message", "a token")
    target = "/api/v1/eso/production/STRIPE_KEY?env=prod"
    try:
        with LiveServer(_Files(sample), tmp_path / "server") as server:  # type: ignore[arg-type]
            before = server.get(target, token).json["value"]
            for command, shown in steps():
                if command.startswith("arcan "):
                    printed = sample.arcan(*command.split()[1:])
                    assert CANARY not in printed
                    assert printed.startswith(shown)
                    if command == "arcan review":
                        comment = sample.arcan("review", "--format=markdown")
                        assert comment.splitlines()[1] == f"**{shown}**"
                else:
                    sample.sh(command)
            server.reload()
            after = server.get(target, token).json["value"]
        assert before == f"{CANARY} second"
        assert after not in ("", before)
    finally:
        sample.start()
        sample.repository.git("branch", "--force", "main", sample.main)
