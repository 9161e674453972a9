"""The merge law: two branches that change different keys of an environment in files merge by themselves.

Random pairs of branches change, add and remove different keys, each by what the commands do, and are merged
by plain `git merge` in a repository that has nothing configured. No realm file may conflict; what the merge
holds must be what both edits made one after the other; and the real sops opens every file that it has. In
half of the pairs the branches change values alone and generate the overlays of two apps that read single keys:
then no file at all may conflict, and the overlays of the merge must be those of the merged realm.

    python -m tests.support.merge_law --pairs 1000
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from click.testing import CliRunner

from arcan_gitops.cli import arcan
from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.realms import RealmTree
from arcan_gitops.realms.creating import plan_environment
from arcan_gitops.realms.environment import open_environment
from arcan_gitops.realms.key_files import OpenFiles
from arcan_gitops.realms.sops_config import SopsConfig
from arcan_gitops.realms.tree import Layout
from arcan_gitops.sops import Identities
from tests.support.git import GitRepository
from tests.support.realm_files import CANARY, new_identity, run_sops

SHOP, PROD = RealmName("shop"), EnvironmentName("prod")
_KEYS: Final = tuple(f"KEY_{number:02d}" for number in range(10))
_NEW: Final = tuple(f"NEW_{number:02d}" for number in range(10))


@dataclass
class Outcome:
    """What came of the pairs: how many there were, and what broke the law, as lines for people."""

    pairs: int = 0
    broken: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Edit:
    """What one branch does: values to set, and keys that go."""

    values: Mapping[str, str]
    gone: tuple[str, ...]

    def applied(self, before: Mapping[str, str]) -> dict[str, str]:
        return {**{key: value for key, value in before.items() if key not in self.gone}, **self.values}


class MergeLaw:
    """A repository with an environment in files, whose values the identity of `identity` opens."""

    def __init__(self, folder: Path, *, shards: int = 1, shared: bool = True) -> None:
        self.identity, recipient = new_identity()
        self.held = Identities([self.identity])
        self.git = GitRepository(folder)
        self.tree = RealmTree(folder / "realms")
        self.git.write(
            ".sops.yaml", f"creation_rules:\n  - path_regex: ^realms/shop/\n    age: {recipient}\n"
        )
        sharding = f"shards: {shards}\n" if shards > 1 else ""
        self.git.write("realms/shop/realm.yaml", f"deletions: recorded\n{sharding}")
        self.base = {key: f"{CANARY}-{key}" for key in _KEYS}
        config = SopsConfig.required(self.tree.root)
        plan_environment(self.tree, config, SHOP, PROD, Layout.FILES).write(self.base)
        if shared:
            self._rotate(config)
        self.start = self.git.commit()

    def _rotate(self, config: SopsConfig) -> None:
        """One data key for all files: the likeliest that Git could take one for another."""
        from arcan_gitops.realms.editing import open_file
        from arcan_gitops.realms.rewrapping import Planned, plan_rotation, rotate_all

        opened = [open_file(self.tree, file, self.held) for file in self.tree.environment(SHOP, PROD).files]
        list(rotate_all([Planned(each, plan_rotation(each, config)) for each in opened]))

    def declare_apps(self) -> None:
        """Two apps that read single keys, with their overlays, and a server in the cluster, with its shards."""
        self.git.write(
            "kustomize/arcan.yaml",
            "server:\n  url: https://arcan.example:9797\noverlays:\n  prod:\n    environment: prod\n"
            "    server:\n      url: https://arcan.arcan.svc:9797\n      deploy:\n"
            "        image: registry.example/arcan:0.1.0\n",
        )
        for name, keys in (("one", _KEYS[:5]), ("two", _KEYS[5:])):
            grant = ["token", "create", "--realm=shop", f"--name={name}", "--policy=read-only", "--env=prod"]
            made = CliRunner().invoke(arcan, [*grant, "--expires=180d", f"--realms={self.tree.root}"])
            assert made.exit_code == 0, made.exception
            listed = "".join(f"      - {key}\n" for key in keys)
            self.git.write(
                f"kustomize/apps/{name}.yaml",
                f"name: {name}\nrealm: shop\ntoken: {name}\nnamespace: {name}\nsecrets:\n"
                f"  - name: {name}\n    keys:\n{listed}",
            )
        if problem := self.generate():
            raise AssertionError(problem)
        self.start = self.git.commit()

    def generate(self, *options: str) -> str:
        """`arcan generate overlays`, where apps are declared; what is wrong, or an empty text."""
        root = self.tree.root.parent
        if not (root / "kustomize").is_dir():
            return ""
        folders = ["--realms", str(self.tree.root), "--kustomize-dir", str(root / "kustomize")]
        done = CliRunner().invoke(arcan, ["generate", "overlays", *folders, *options])
        return "" if done.exit_code == 0 else f"{done.output}{done.exception}"

    def edit(self, edit: Edit) -> None:
        """By what `arcan secret set` and `unset` do, without an identity."""
        opened = open_environment(self.tree, SHOP, PROD, Identities())
        assert isinstance(opened, OpenFiles)
        opened.write(edit.values, {}, edit.gone, "removed by a branch")

    def branch(self, name: str, edit: Edit) -> None:
        """A branch from the start, with one commit."""
        self.git.git("checkout", "--quiet", "--force", "-B", name, self.start)
        self.edit(edit)
        if problem := self.generate():
            raise AssertionError(problem)
        self.git.commit()

    def merge(self, ours: Edit, theirs: Edit) -> list[str]:
        """Merge the two as branches; the paths that conflict."""
        self.branch("theirs", theirs)
        self.branch("ours", ours)
        try:
            self.git.git("merge", "--quiet", "--no-edit", "theirs")
        except subprocess.CalledProcessError:
            conflicts = self.git.git("diff", "--name-only", "--diff-filter=U").splitlines()
            return conflicts or ["(git merge failed)"]
        return []

    def abort(self) -> None:
        """Leave a merge that conflicted."""
        self.git.git("reset", "--quiet", "--hard")
        self.git.git("clean", "--quiet", "--force", "-d")

    def values(self) -> dict[str, object]:
        """What is served of the environment, every file decrypted and verified."""
        return dict(open_environment(self.tree, SHOP, PROD, self.held).edit().tree)

    def seen_by_sops(self, keys: Mapping[str, object]) -> dict[str, object]:
        """The values of some keys as the real sops reads them."""
        found: dict[str, object] = {}
        for key in keys:
            path = self.tree.root / SHOP / PROD / f"{key}.sops.yaml"
            done = run_sops("decrypt", "--output-type", "json", str(path), identity=self.identity)
            if done.returncode == 0:
                found |= {name: value for name, value in json.loads(done.stdout).items() if name == key}
        return found

    def pair(self, ours: Edit, theirs: Edit) -> Iterator[str]:
        """What breaks the law in one pair."""
        conflicts = self.merge(ours, theirs)
        if conflicts:
            yield f"{ours} and {theirs} conflict in {', '.join(conflicts)}"
            self.abort()
            return
        wanted = theirs.applied(ours.applied(self.base))
        if problem := self.generate("--check"):
            yield f"{ours} and {theirs}: the overlays are not those of the merged realm: {problem}"
        if self.values() != wanted:
            yield f"{ours} and {theirs}: the merge holds something else than both edits"
        if self.seen_by_sops(wanted) != wanted:
            yield f"{ours} and {theirs}: sops does not open every file"


def drawn(random_: random.Random, *, values_only: bool = False) -> tuple[Edit, Edit]:
    """Two edits of different keys, each of one to three of them; or of values of keys that are there."""
    keys = random_.sample(_KEYS if values_only else [*_KEYS, *_NEW], 6)
    sizes = random_.randint(1, 3), random_.randint(1, 3)
    chosen = keys[: sizes[0]], keys[3 : 3 + sizes[1]]

    def edit(own: list[str]) -> Edit:
        goes = 0 if values_only else 0.3
        gone = tuple(key for key in own if key in _KEYS and random_.random() < goes)
        return Edit({key: f"{CANARY}-{random_.random()}" for key in own if key not in gone}, gone)

    return edit(chosen[0]), edit(chosen[1])


def run(pairs: int, seed: int, folder: Path) -> Outcome:
    """That many pairs: without shards and with them, with a shared data key and with own ones, in turn."""
    random_ = random.Random(seed)
    laws = [
        MergeLaw(folder / f"{shards}-{shared}", shards=shards, shared=shared)
        for shards in (1, 16)
        for shared in (True, False)
    ]
    with_apps = laws[::2]
    for law in with_apps:
        law.declare_apps()
    outcome = Outcome()
    for number in range(pairs):
        law = laws[number % len(laws)]
        ours, theirs = drawn(random_, values_only=law in with_apps)
        outcome.pairs += 1
        outcome.broken += law.pair(ours, theirs)
    return outcome


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(given.pairs, given.seed, Path(folder))
    for line in outcome.broken:
        print(line)
    print(f"{outcome.pairs} pairs of branches merged, {len(outcome.broken)} of which broke the law")
    sys.exit(bool(outcome.broken))


if __name__ == "__main__":
    main()
