"""A team's repository: two realms, four environments, seven apps, five people; and branches of it. One environment
has a file for each key, the others are documents.

It is made once, by the product's own commands; each change is a branch that starts at the same commit. `arcan`
runs in this process, and Git is the real one.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from click.testing import CliRunner, Result

from arcan_gitops.cli import arcan
from arcan_gitops.errors import ArcanError
from arcan_gitops.sops import Recipients, encrypt
from tests.support.git import GitRepository
from tests.support.realm_files import CANARY, new_identity
from tests.support.signing_cluster import SigningCluster

PEOPLE: Final = ("alice", "bob", "carol", "dave", "erin")
CLUSTERS: Final = {"dev": "lab", "staging": "stage", "prod": "eu", "dr": "us"}
ENVIRONMENTS: Final = ("dev", "staging", "prod", "dr")
READERS: Final = {
    "production": {
        "dev": PEOPLE,
        "staging": ("alice", "bob", "carol"),
        "prod": ("alice", "bob"),
        "dr": ("alice", "bob"),
    },
    "platform": dict.fromkeys(ENVIRONMENTS, ("alice", "dave")),
}
KEYS: Final = {
    "production": ("DATABASE_URL", "STRIPE_KEY", "JWT_KEY", "SMTP_HOST", "SMTP_PASSWORD", "SEARCH_KEY"),
    "platform": ("GRAFANA_TOKEN", "DNS_TOKEN", "REGISTRY_USER", "REGISTRY_PASSWORD"),
}
PACKAGE: Final = f"git+https://git.example.com/arcan@{'a' * 40}"
_APP: Final = "name: {name}\nrealm: {realm}\nnamespace: {namespace}\n{more}secrets:\n  - name: {name}\n    keys: [{keys}]\n"
# app -> realm, namespace, token or "" for the account of its namespace, keys
APPS: Final = {
    "shop": ("production", "shop", "shop", "DATABASE_URL, STRIPE_KEY"),
    "billing": ("production", "billing", "billing", "DATABASE_URL, STRIPE_KEY"),
    "mailer": ("production", "mailer", "mailer", "SMTP_HOST, SMTP_PASSWORD"),
    "web": ("production", "web", "", "JWT_KEY"),
    "search": ("production", "search", "", "SEARCH_KEY"),
    "metrics": ("platform", "metrics", "metrics", "GRAFANA_TOKEN"),
    "gateway": ("platform", "gateway", "", "DNS_TOKEN"),
}
CODEOWNERS: Final = """\
* @example-org/platform
/realms/production/ @example-org/payments
/realms/platform/ @example-org/platform
/clusters/ @example-org/platform
/.sops.yaml @example-org/platform
/.github/ @example-org/platform
/kustomize/apps/ @example-org/platform
"""


class Sample:
    """The repository at `root`; `identities` are private, by the name of who has them."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "repository"
        self.folder = folder
        self.repository = GitRepository(self.root)
        pairs = {name: new_identity() for name in (*PEOPLE, "server", "break-glass", "mallory")}
        self.identities = {name: private for name, (private, _) in pairs.items()}
        self.recipients = {name: public for name, (_, public) in pairs.items()}
        for name, private in self.identities.items():
            (folder / f"{name}.txt").write_text(private + "\n")
            (folder / f"{name}.txt").chmod(0o600)
        self._lay_out()
        self.repository.commit()
        self.repository.git("tag", "first")
        for realm, key in (("production", "STRIPE_KEY"), ("platform", "DNS_TOKEN")):
            self.arcan("secret", "set", realm, key, "--env=prod", "--stdin", given=f"{CANARY} second")
        self.arcan("realm", "split", "platform", "--env=staging")
        self.arcan("generate", "overlays")
        self.main = self.repository.commit()

    def _lay_out(self) -> None:
        options = [f"--env={name}" for name in ENVIRONMENTS]
        options += [f"--recipient={name}={self.recipients['server']}" for name in ENVIRONMENTS]
        options += [
            "--realm=production",
            "--realm=platform",
            f"--break-glass={self.recipients['break-glass']}",
        ]
        self.arcan(
            "init", ".", *options, f"--package={PACKAGE}", "--repository=https://git.example.com/team.git"
        )
        (self.root / ".sops.yaml").write_text(self.rules(READERS))
        (self.root / ".github/CODEOWNERS").write_text(CODEOWNERS)
        for realm, keys in KEYS.items():
            for environment in ENVIRONMENTS:
                self.document(realm, environment, {key: f"{CANARY} {environment} {key}" for key in keys})
        settings = self.root / "kustomize/arcan.yaml"
        text = settings.read_text()
        for environment, cluster in CLUSTERS.items():
            SigningCluster(cluster).write(self.root / "clusters")
            line = f"{environment}: {{environment: {environment}"
            assert text.count(line) == 1
            text = text.replace(line, f"{line}, cluster: {cluster}")
        settings.write_text(text)
        for app, (realm, namespace, token, keys) in APPS.items():
            more = f"token: {token}\n" if token else ""
            text = _APP.format(name=app, realm=realm, namespace=namespace, keys=keys, more=more)
            (self.root / f"kustomize/apps/{app}.yaml").write_text(text)
        self.arcan("token", "sync", f"--output-dir={self.folder / 'tokens'}")
        self.arcan("generate", "overlays")

    def rules(self, readers: Mapping[str, Mapping[str, tuple[str, ...]]]) -> str:
        """`.sops.yaml`, in which a comment names whose each recipient is."""
        lines = ["creation_rules:"]
        for realm, environments in readers.items():
            for environment, people in environments.items():
                lines.append(
                    rf"  - path_regex: ^realms/{realm}/{environment}(\.sops\.yaml|/[^/]+\.sops\.yaml)$"
                )
                lines += ["    key_groups:", "      - age:"]
                lines += [
                    f"          - {self.recipients[name]} # {name}"
                    for name in (*people, "server", "break-glass")
                ]
        return "\n".join(lines) + "\n"

    def document(self, realm: str, environment: str, values: Mapping[str, Any]) -> None:
        """A new document for those whom the rules of the beginning name."""
        names = (*READERS[realm][environment], "server", "break-glass")
        data = encrypt(
            dict(values),
            recipients=Recipients((tuple(self.recipients[name] for name in names),), 0),
            place=f"{realm}/{environment}",
            now=datetime.now(UTC) - timedelta(hours=1),  # never in the second of a change that comes after it
        )
        path = self.root / f"realms/{realm}/{environment}.sops.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def path(self, name: str) -> Path:
        """A file of the work tree."""
        return self.root / name

    def run(self, *arguments: str, given: str | None = None, folder: Path | None = None) -> Result:
        """`arcan`, in the repository or another folder, with alice's identity."""
        with _inside(folder or self.root, self.folder / "alice.txt"):
            return CliRunner().invoke(arcan, list(arguments), input=given)

    def arcan(self, *arguments: str, given: str | None = None) -> str:
        """The same where it must not fail: what it printed."""
        done = self.run(*arguments, given=given)
        if isinstance(done.exception, ArcanError):
            raise AssertionError(
                f"arcan {shlex.join(arguments)}: {done.exception.message}"
            ) from done.exception
        assert done.exit_code == 0, (arguments, done.output, done.exception)
        return done.stdout

    def start(self, branch: str = "topic") -> None:
        """The work tree as it is at `main`, on a new branch of this name."""
        self.repository.git("checkout", "--quiet", "--force", "-B", branch, self.main)
        self.repository.git("branch", "--force", "main", self.main)
        self.repository.git("clean", "--quiet", "--force", "-d", "-x")

    def sh(self, script: str) -> None:
        """Each line as somebody types it; `arcan` in this process, and `$MALLORY` and the like are recipients."""
        names = {name.upper().replace("-", "_"): text for name, text in self.recipients.items()}
        for line in script.splitlines():
            shown = line.strip()
            for name, text in names.items():
                shown = shown.replace(f"${name}", text)
            if not shown or shown.startswith("#"):
                continue
            first, pipe, command = shown.rpartition(" | ")
            if command.startswith("arcan ") or shown.startswith("arcan "):
                given = self._printed(first) if pipe else None
                self.arcan(*shlex.split(command if pipe else shown)[1:], given=given)
            else:
                self._printed(shown)

    def _printed(self, line: str) -> str:
        environment = {
            **os.environ,
            "GIT_CONFIG_GLOBAL": os.devnull,
            **{
                f"GIT_{who}_{what}": "test@example.com"
                for who in ("AUTHOR", "COMMITTER")
                for what in ("NAME", "EMAIL")
            },
        }
        done = subprocess.run(
            ["/bin/sh", "-e", "-c", line],
            cwd=self.root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (line, done.stderr)
        return done.stdout


class _inside:
    """The current folder, and the identity of this process, until it ends."""

    def __init__(self, folder: Path, identity: Path) -> None:
        self._folder, self._identity = folder, identity

    def __enter__(self) -> None:
        self._before = Path.cwd(), os.environ.get("SOPS_AGE_KEY_FILE")
        os.chdir(self._folder)
        os.environ["SOPS_AGE_KEY_FILE"] = str(self._identity)

    def __exit__(self, *_: object) -> None:
        os.chdir(self._before[0])
        if self._before[1] is None:
            del os.environ["SOPS_AGE_KEY_FILE"]
        else:
            os.environ["SOPS_AGE_KEY_FILE"] = self._before[1]
