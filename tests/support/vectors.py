"""Vector files: a document, and what must come of reading it.

    name: a bit of the data changed
    case: 55
    format: yaml
    identities: alice
    expect: Tampered

    (the document)

`expect` is `success` or the class of the error; `tree` the values, in JSON, for those of success. Where the
sops 3.11.0 of the tests does otherwise, `expect-3.11` says `success` or `refused`, and why; or `not run`, and
why not. The other headers are the arguments of `load`.
"""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arcan_gitops import sops
from arcan_gitops.golang.yaml import Timestamp
from arcan_gitops.sops import yaml_store
from arcan_gitops.sops.limits import DEFAULT_LIMITS
from tests.support.realm_files import sops_binary

FOLDER = Path(__file__).resolve().parents[1] / "vectors"
IDENTITIES = FOLDER / "identities"
SSH = ("ed25519", "rsa", "rsa8192")  # the identities that are SSH keys
SUCCESS = "success"


@dataclass(frozen=True)
class Vector:
    """One case. `differs` is why sops 3.11.0 does otherwise, `not_run` why it is not asked."""

    case: int
    name: str
    document: bytes
    format: str = "yaml"
    identities: tuple[str, ...] = ("alice",)
    expect: str = SUCCESS
    allow_unencrypted: tuple[str, ...] = ()
    allow_empty: tuple[str, ...] = ()
    differs: str = ""
    not_run: str = ""
    tree: str = ""

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.case:02d}-{re.sub('[^a-z0-9]+', '-', self.name.lower()).strip('-')}.vector"

    @property
    def sops_accepts(self) -> bool:
        """Whether sops 3.11.0 is to accept it."""
        return (self.expect == SUCCESS) is not bool(self.differs)

    def write(self) -> None:
        headers = {
            "name": self.name,
            "case": str(self.case),
            "format": self.format,
            "identities": " ".join(self.identities),
            "allow-unencrypted": " ".join(self.allow_unencrypted),
            "allow-empty": " ".join(self.allow_empty),
            "expect": self.expect,
            "tree": self.tree,
        }
        if self.not_run:
            headers["expect-3.11"] = f"not run: {self.not_run}"
        elif self.differs:
            headers["expect-3.11"] = f"{SUCCESS if self.sops_accepts else 'refused'}: {self.differs}"
        lines = [f"{name}: {value}\n" for name, value in headers.items() if value]
        self.path.write_bytes("".join(lines).encode() + b"\n" + self.document)

    @classmethod
    def read(cls, path: Path) -> Vector:
        head, _, document = path.read_bytes().partition(b"\n\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        other, _, reason = headers.pop("expect-3.11", "").partition(": ")
        vector = cls(
            case=int(headers.pop("case")),
            name=headers.pop("name"),
            document=document,
            format=headers.pop("format"),
            identities=tuple(headers.pop("identities", "").split()),
            expect=headers.pop("expect"),
            allow_unencrypted=tuple(headers.pop("allow-unencrypted", "").split()),
            allow_empty=tuple(headers.pop("allow-empty", "").split()),
            differs="" if other == "not run" else reason,
            not_run=reason if other == "not run" else "",
            tree=headers.pop("tree", ""),
        )
        assert not headers, f"{path}: unknown headers {list(headers)}"
        return vector

    def load(self) -> sops.Document:
        """Read it natively."""
        return sops.load(
            self.document,
            format=self.format,
            identities=[identity(name) for name in self.identities],
            limits=self.limits,
        )

    @property
    def limits(self) -> sops.Limits:
        """What it may hold in clear or empty."""
        return sops.Limits(allow_unencrypted=self.allow_unencrypted, allow_empty=self.allow_empty)


def identity(name: str) -> str:
    """The private key of a committed, throw-away identity."""
    return (IDENTITIES / name).read_text()


def as_json(trees: list[Any]) -> str:
    """The trees on one line; a timestamp is a text there, and whole floats are integers as sops prints them."""
    return json.dumps(trees)


@dataclass(frozen=True)
class Answer:
    """What sops made of a document: its trees, or None where it refused (a panic is a refusal too)."""

    trees: list[Any] | None
    error: str = ""


def ask_sops(document: bytes, format: str, identities: tuple[str, ...], binary: str | None = None) -> Answer:
    """Decrypt with the real sops. Of several YAML documents it prints all in YAML only."""
    for output in {"yaml": ("yaml", "json"), "binary": ("binary",)}.get(format, ("json",)):
        done = _decrypt(document, format, output, identities, binary)
        if done.returncode != 0:
            return Answer(None, done.stderr.decode(errors="replace"))
        if output == "binary":
            return Answer([{"data": done.stdout.decode("utf-8", "surrogateescape")}])
        if output == "json":
            return Answer([json.loads(done.stdout)])
        try:
            return Answer(yaml_store.parse(done.stdout, DEFAULT_LIMITS))
        except sops.SopsError:
            continue  # `!!binary`, which sops prints and never keeps
    raise AssertionError("no output that can be read")


def _decrypt(
    document: bytes, format: str, output: str, identities: tuple[str, ...], binary: str | None
) -> subprocess.CompletedProcess[bytes]:
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": "/nonexistent",
        "VAULT_TOKEN": "",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    keys = [identity(name) for name in identities if name not in SSH]
    if keys:
        environment["SOPS_AGE_KEY"] = "\n".join(keys)
    for name in identities:
        if name in SSH:
            environment["SOPS_AGE_SSH_PRIVATE_KEY_FILE"] = str(IDENTITIES / name)
    command = [
        binary or sops_binary(),
        "--config",
        os.devnull,
        "decrypt",
        "--input-type",
        format,
        "--output-type",
        output,
    ]
    return subprocess.run(
        [*command, "/dev/stdin"],
        input=document,
        env=environment,
        capture_output=True,
        check=False,
        timeout=60,
    )


def same(ours: Any, theirs: Any) -> bool:
    """Equal in value, type and order; sops prints whole floats as integers, and JSON timestamps as texts."""
    if isinstance(ours, dict):
        return (
            isinstance(theirs, dict)
            and list(ours) == list(theirs)
            and all(same(value, theirs[key]) for key, value in ours.items())
        )
    if isinstance(ours, list):
        return isinstance(theirs, list) and len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, float) and math.isnan(ours):
        return isinstance(theirs, float) and math.isnan(theirs)
    if isinstance(ours, float) and not isinstance(theirs, bool):
        return isinstance(theirs, int | float) and ours == float(theirs)
    if isinstance(ours, Timestamp):
        return isinstance(theirs, str) and str(ours) == str(theirs)
    return type(ours) is type(theirs) and ours == theirs
