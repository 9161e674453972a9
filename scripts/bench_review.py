"""`make bench-review`: how long a review takes of a large repository with a long history.

Documents of 50 keys, files of one key each, and commits that changed them: all made up here, with ciphertext
that opens nowhere, for a review takes no key.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

BOUND_SECONDS: Final = 10
_GIT: Final = shutil.which("git") or "git"
_ENV: Final = {
    **os.environ,
    "GIT_CONFIG_GLOBAL": os.devnull,
    **{
        f"GIT_{who}_{what}": "bench@example.com"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    },
}
_RULES: Final = "creation_rules:\n  - path_regex: ^realms/\n    age: {recipient}\n"
_RECIPIENT: Final = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"


def _noise(seed: str, size: int) -> str:
    digest = b""
    while len(digest) < size:
        digest += hashlib.sha256(f"{seed}{len(digest)}".encode()).digest()
    return base64.b64encode(digest[:size]).decode()


def _encrypted(seed: str, size: int = 40) -> str:
    parts = f"data:{_noise(seed, size)},iv:{_noise(seed + 'i', 32)},tag:{_noise(seed + 't', 16)}"
    return f"ENC[AES256_GCM,{parts},type:str]"


def document(name: str, keys: int, version: int = 0) -> str:
    """A document of that many keys, of which the first is the version's own."""
    lines = [f"KEY_{n}: {_encrypted(f'{name}{n}' + (str(version) if n == 0 else ''))}" for n in range(keys)]
    wrapped = _noise(name, 200)
    armor = "\n".join(f"            {wrapped[at : at + 64]}" for at in range(0, len(wrapped), 64))
    lines += [
        "sops:",
        "    age:",
        f"        - recipient: {_RECIPIENT}",
        "          enc: |",
        "            -----BEGIN AGE ENCRYPTED FILE-----",
        armor,
        "            -----END AGE ENCRYPTED FILE-----",
        '    lastmodified: "2026-01-01T00:00:00Z"',
        f"    mac: {_encrypted(f'{name}mac{version}', 128)}",
        "    unencrypted_suffix: _unencrypted",
        "    version: 3.11.0",
    ]
    return "\n".join(lines) + "\n"


def lay_out(root: Path, documents: int, files: int, commits: int) -> None:
    """A repository whose branch `topic` is ahead of `main`, by one `git fast-import`."""
    process = subprocess.Popen(
        [_GIT, "fast-import", "--quiet"], cwd=root, stdin=subprocess.PIPE, env=_ENV, text=True
    )
    assert process.stdin is not None
    write = process.stdin.write

    def commit(branch: str, number: int, changes: list[tuple[str, str]]) -> None:
        write(f"commit refs/heads/{branch}\ncommitter b <b@example.com> {1_700_000_000 + number} +0000\n")
        write("data 1\nm\n")
        if branch != "main" and number == commits + 1:
            write("from refs/heads/main\n")
        for path, text in changes:
            write(f"M 100644 inline {path}\ndata {len(text)}\n{text}\n")

    per_realm = 50
    places = [f"realms/r{n // per_realm}/e{n % per_realm}.sops.yaml" for n in range(documents)]
    keyed = [f"realms/k{n // 500}/prod/KEY_{n % 500}.sops.yaml" for n in range(files)]
    first = [(path, document(path, 50)) for path in places]
    first += [(path, document(path, 1).replace("KEY_0", Path(path).name.split(".")[0])) for path in keyed]
    commit("main", 0, [*first, (".sops.yaml", _RULES.format(recipient=_RECIPIENT))])
    for number in range(1, commits):
        path = places[number % documents]
        commit("main", number, [(path, document(path, 50, number))])
    changed = [(path, document(path, 50, commits + 1)) for path in places[:10]]
    commit("topic", commits + 1, changed)
    process.stdin.close()
    assert process.wait() == 0
    subprocess.run([_GIT, "checkout", "--quiet", "topic"], cwd=root, check=True, env=_ENV)


def main() -> None:
    """Print what it took, and exit 1 above the bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=1_000)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--commits", type=int, default=2_000)
    parser.add_argument("--bound", type=float, default=BOUND_SECONDS, help="seconds")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-review-") as folder:
        root = Path(folder)
        subprocess.run([_GIT, "init", "--quiet", "--initial-branch=main"], cwd=root, check=True, env=_ENV)
        lay_out(root, asked.documents, asked.files, asked.commits)
        arcan = Path(sys.executable).parent / "arcan"
        took = {}
        for name, arguments in (
            ("the working tree", ["--facts-only"]),
            ("a commit, as data", ["main", "topic", "--facts-only", "--format=json"]),
        ):
            start = time.perf_counter()
            done = subprocess.run(
                [arcan, "review", *arguments, "--fail-on=none"],
                cwd=root,
                check=True,
                capture_output=True,
                text=True,
            )
            took[name] = time.perf_counter() - start
            assert "10 secrets change" in done.stdout, done.stdout[:500]
    print(f"{asked.documents} documents of 50 keys, {asked.files} key files, {asked.commits} commits")
    for name, seconds in took.items():
        print(f"  {name}: {seconds:.1f} s")
    if max(took.values()) > asked.bound:
        sys.exit(f"more than {asked.bound:g} s")


if __name__ == "__main__":
    main()
