"""`arcan realm` as a person types it, in a folder with a `.sops.yaml` and people whose keys are at hand."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from arcan_gitops import sops
from arcan_gitops.cli import main
from tests.support.realm_files import CANARY, new_identity, run_sops
from tests.support.secret_command import Result

_HIDDEN = ("SOPS_", "ARCAN_", "XDG_")


class RealmCommand:
    """Alice, Bob and the CI have identities, in `alice.key` and so on; `realms/` is empty."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys
        self.folder = folder
        self.people = {name: new_identity() for name in ("alice", "bob", "ci")}
        for name, (private, _) in self.people.items():
            (folder / f"{name}.key").touch(0o600)
            (folder / f"{name}.key").write_text(private + "\n")
        for name in [name for name in os.environ if name.startswith(_HIDDEN)]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("HOME", str(folder))
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.chdir(folder)

    def __call__(
        self, *arguments: str, held: str = "", stdin: bytes = b"", command: str = "realm", shows: str = ""
    ) -> Result:
        """In this process, with the identities of `held`; standard input is no terminal. `shows` is what the
        output may hold though it is secret.
        """
        files = [option for name in held.split() for option in ("--identity-file", f"{name}.key")]
        self._monkeypatch.setattr(sys, "argv", ["arcan", *command.split(), *arguments, *files])
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as status:
            main()
        assert isinstance(status.value.code, int)
        result = Result(status.value.code, *self._capsys.readouterr())
        shown = (result.out + result.err).replace(shows or "\0", "")
        assert CANARY not in shown
        assert not any(private in shown for private, _ in self.people.values())
        assert "Traceback" not in result.err
        assert "unexpected" not in result.err
        return result

    def public(self, names: str) -> list[str]:
        return [self.people[name][1] for name in names.split()]

    def rules(self, **whom: str) -> None:
        """`.sops.yaml`: realm -> `alice bob`, or the groups `alice | bob`, or `2 of alice | bob | ci`."""
        lines = ["keys:", *(f"  - &{name} {public}" for name, (_, public) in self.people.items())]
        lines.append("creation_rules:")
        for realm, names in whom.items():
            threshold, of, listed = names.rpartition(" of ")
            lines.append(f"  - path_regex: ^realms/{realm}/")
            if of:
                lines.append(f"    shamir_threshold: {threshold}")
            if "|" not in listed:
                lines.append(f"    age: [{', '.join('*' + name for name in listed.split())}]")
                continue
            lines.append("    key_groups:")
            lines += [
                f"      - age: [{', '.join('*' + name for name in group.split())}]"
                for group in listed.split("|")
            ]
        (self.folder / ".sops.yaml").write_text("\n".join(lines) + "\n")

    def path(self, realm: str, environment: str = "prod") -> Path:
        return self.folder / "realms" / realm / f"{environment}.sops.yaml"

    def key_path(self, realm: str, key: str, environment: str = "prod") -> Path:
        """Where the file of a key is, in an environment in files."""
        return self.folder / "realms" / realm / environment / f"{key}.sops.yaml"

    def write(self, realm: str, environment: str = "prod", *, to: str, threshold: int = 0) -> Path:
        """A document for people, as in `rules`, whose value is the canary."""
        groups = tuple(tuple(self.public(group)) for group in to.split("|"))
        path = self.path(realm, environment)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(
            sops.encrypt({"A": CANARY, "B": CANARY}, recipients=sops.Recipients(groups, threshold))
        )
        return path

    def opens(self, path: Path, held: str) -> bool:
        """Whether the real sops decrypts the file with these identities."""
        identity = "\n".join(self.people[name][0] for name in held.split())
        return run_sops("decrypt", str(path), identity=identity).returncode == 0

    def values(self, path: Path, held: str) -> dict[str, Any]:
        """What the real sops reads, but for the place that the document is bound to."""
        identity = "\n".join(self.people[name][0] for name in held.split())
        done = run_sops("decrypt", "--output-type", "json", str(path), identity=identity)
        assert done.returncode == 0, done.stderr.decode()
        tree: dict[str, Any] = json.loads(done.stdout)
        assert tree.pop("arcan_place", self.place(path)) == self.place(path)
        return tree

    def place(self, path: Path) -> str:
        """What a document at the path must say of where it belongs."""
        parts = path.relative_to(self.folder / "realms").parts
        return f"{parts[0]}/{parts[1].removesuffix('.sops.yaml')}"

    def state(self) -> dict[Path, bytes]:
        """The content of every file."""
        return {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
