"""What the cases are made with: the real sops, and edits of what it wrote."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from tests.support.realm_files import run_sops
from tests.support.vectors import IDENTITIES, SSH, identity

AGE = ("alice", "bob", "carol", "dave")


def recipient(name: str) -> str:
    """The public key of an identity."""
    if name in SSH:
        return " ".join((IDENTITIES / f"{name}.pub").read_text().split()[:2])
    return identity(name).split()[1]


def encrypt(
    plain: str | bytes,
    *recipients: str,
    format: str = "yaml",
    rule: str = "",
    groups: str = "",
    output: str = "",
) -> bytes:
    """A document as sops 3.11.0 writes it; `rule` and `groups` are lines of a creation rule in YAML."""
    keys = groups or "    age: " + ",".join(recipient(name) for name in recipients or ("alice",))
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yaml"
        config.write_text(
            f"creation_rules:\n  - path_regex: ''\n{keys}\n" + (f"    {rule}\n" if rule else "")
        )
        done = run_sops(
            "--config", str(config), "encrypt", "--filename-override", "x", "--input-type", format,
            "--output-type", output or format, "/dev/stdin", data=plain.encode() if isinstance(plain, str) else plain,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def line(document: bytes, key: str) -> bytes:
    """The line that starts with `key`, without its line break."""
    return next(line for line in document.splitlines() if line.strip().startswith(key.encode()))


def swap(document: bytes, one: bytes, other: bytes) -> bytes:
    """The document with two of its parts exchanged."""
    assert document.count(one) == document.count(other) == 1
    return document.replace(one, b"\0").replace(other, one).replace(b"\0", other)


def sub(pattern: str, replacement: str, document: bytes, count: int = 1) -> bytes:
    """A regular expression over lines replaced; that it matched is made sure of."""
    changed, times = re.subn(f"(?m){pattern}".encode(), replacement.encode(), document, count=count)
    assert times, pattern
    return changed


def flip(document: bytes, key: str, part: str) -> bytes:
    """A bit of the `data`, `iv` or `tag` of a value changed: its first character is another one."""
    old = line(document, key)
    at = old.index(f"{part}:".encode()) + len(part) + 1
    return document.replace(old, old[:at] + (b"A" if old[at : at + 1] != b"A" else b"B") + old[at + 1 :])


def in_metadata(document: bytes, text: str) -> bytes:
    """Lines added to the `sops` block of a YAML document, four blanks deep."""
    return sub(
        "^    lastmodified:",
        "".join(f"    {row}\n" for row in text.splitlines()) + "    lastmodified:",
        document,
    )


def run_tool(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
