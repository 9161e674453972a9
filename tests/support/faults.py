"""The law: no fault gives a 404, a shrunken answer to a read of all keys, or a mix of two snapshots.

python -m tests.support.faults --faults 10000 --seed 7

One realm records what is removed. Faults are drawn over its files, the folder of realms as it is mounted,
reloads, restarts, workers that lag, the clock and the data directory; between them documents are changed as
people change them. After each of them everything is read, from the main process's snapshot and from those of
the workers, by the very function that decides every request. The same seed draws the same faults.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from arcan_gitops import sops
from arcan_gitops.errors import ArcanError
from arcan_gitops.realms import Demands, Keeping, KeptDocuments, RealmTree, Repository, Selection, Snapshot
from arcan_gitops.realms.removals import Removal
from arcan_gitops.realms.transfer import dump, restore
from arcan_gitops.server.answers import Refusal
from arcan_gitops.server.decision import Decision
from arcan_gitops.sops import Identities
from tests.support.live_server import create_token
from tests.support.realm_files import RealmFiles

KEYS: Final = tuple(f"KEY_{number}" for number in range(6))
NEVER: Final = "NEVER_THERE"
RULES: Final = b"tokenExpiry: 180d\ndeletions: recorded\n"
_START: Final = 1_800_000_000.0
_DAY: Final = 24 * 3600.0
_GENERATIONS: Final = 24


class Broken(AssertionError):
    """The law was broken."""


@dataclass
class World:
    """The realms, a server over them, and what was ever written by people who meant it."""

    folder: Path
    random: random.Random
    demanded: bool  # the server asks for records; else the realm does, and the data directory is not lost
    told: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.files = RealmFiles(self.folder)
        self.root = self.files.root
        self.link = self.folder / "mounted"  # what the server is given: a link, as a mount or a checkout is
        self.link.symlink_to(self.root)
        self.now = _START
        self.held = Identities([self.files.identity])
        self.generations = [self._document(number, KEYS) for number in range(_GENERATIONS)]
        self.versions = {sops.digests(data).document: number for number, data in enumerate(self.generations)}
        self.merged = [self._document(number, KEYS[: number % 5 + 1]) for number in range(8)]
        self.foreign = self._document(99, KEYS, "evil/prod", "foreign")
        self.unbound = self._document(98, KEYS, None, "foreign")
        self.realm = self.root / "shop"
        self.realm.mkdir()
        self.path = self.realm / "prod.sops.yaml"
        self.mend()
        self.token = create_token(self.files, "shop", "eso")
        self.tokens = (self.realm / "tokens.yaml").read_bytes()
        shutil.copytree(self.realm, self.root / "other")
        (self.root / "other" / "tokens.yaml").unlink()
        (self.root / "other" / "prod.sops.yaml").write_bytes(
            self._document(97, KEYS, "other/prod", "foreign")
        )
        self.whole = {path.relative_to(self.root): path.read_bytes() for path in self._all_files()}
        self.kept = self.folder / "last-good"
        self.snapshot: Snapshot | None = None
        self.workers: list[Snapshot] = []
        self.restart()
        assert self.snapshot is not None

    def _all_files(self) -> list[Path]:
        return [path for path in self.root.rglob("*") if path.is_file()]

    def _document(
        self, number: int, keys: tuple[str, ...], place: str | None = "shop/prod", by: str = "g"
    ) -> bytes:
        tree = {key: f"{by}{number}:{key}" for key in keys}
        return sops.encrypt(tree, recipients=[self.files.recipient], place=place)

    # What people and the server do.

    def mend(self) -> None:
        """All files of the realm are whole."""
        _remove(self.path)
        self.generation = self.random.randrange(_GENERATIONS)
        self._replace(self.path, self.generations[self.generation])
        self._replace(self.realm / "realm.yaml", RULES)

    def change(self) -> None:
        """A merge, as it should be."""
        if not self.path.is_dir() and not self.realm.is_symlink():
            with suppress(OSError):
                self.generation = self.random.randrange(_GENERATIONS)
                self._replace(self.path, self.generations[self.generation])

    def restore(self) -> None:
        """A checkout of all that was there at first."""
        if self.link.is_symlink():
            self.link.unlink()
        self.link.symlink_to(self.root)
        for path in (self.root / "shop", self.root / "other", self.folder / "outside"):
            _remove(path)
        for name, data in self.whole.items():
            (self.root / name).parent.mkdir(exist_ok=True, parents=True)
            (self.root / name).write_bytes(data)
        self.mend()

    def _replace(self, path: Path, data: bytes) -> None:
        temporary = path.with_name(f".{path.name}.new")
        _remove(temporary)  # left by a replacement that failed, and then a FIFO by another fault
        temporary.write_bytes(data)
        os.replace(temporary, path)

    def restart(self) -> None:
        """The server ends and starts again: of what it knew only its data directory is left."""
        clock = lambda: self.now  # noqa: E731
        self.repository = Repository(
            RealmTree(self.link),
            self.held,
            Selection.parse(["shop"]),
            Demands(binding=True, recorded=self.demanded),
            keeping=Keeping(KeptDocuments(self.kept, clock), 7 * _DAY, clock),
        )
        try:
            self.snapshot = self.repository.start_sound().snapshot
        except ArcanError:
            self.snapshot = None  # it does not start, and nobody answers
        self.workers = [] if self.snapshot is None else [restore(dump(self.snapshot)) for _ in range(2)]

    def reload(self) -> None:
        """What the watcher does; some of the workers see it later."""
        if self.snapshot is None:
            return self.restart()
        if self.random.random() < 0.2:
            self.repository.forget_failures()
        reload = self.repository.reload(self.snapshot)
        self.snapshot = self.repository.reload_tokens(reload.snapshot)
        for at in range(len(self.workers)):
            if self.random.random() < 0.8:
                self.workers[at] = restore(dump(self.snapshot))
        return None

    # The faults.

    def fault(self) -> str:
        """One of them; its name."""
        name = self.random.choice(sorted(FAULTS if self.demanded else FAULTS.keys() - _DISK))
        with suppress(OSError, ValueError):  # what is lost or empty already cannot be broken again
            FAULTS[name](self)
        self.told[name] += 1
        return name

    def file(self) -> Path:
        """A file of the realm, or of what the server keeps."""
        folders = (self.realm, self.kept) if self.demanded else (self.realm,)
        files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
        if not files:
            raise FileNotFoundError
        return self.random.choice(files)

    # The law.

    def hold(self, after: str) -> None:
        """Read everything. Raises `Broken`."""
        for snapshot in (self.snapshot, *self.workers):
            if snapshot is not None:
                for key in (*KEYS, NEVER):
                    self._hold_key(snapshot, key, after)
                self._hold_all(snapshot, after)

    def _hold_key(self, snapshot: Snapshot, key: str, after: str) -> None:
        status, body = self._ask(snapshot, f"/{key}", "")
        if status == 404:
            raise Broken(f"after '{after}': {key} was answered 404")
        if status == 200:
            value = json.loads(body)["value"]
            if not (value.startswith("g") and value.endswith(f":{key}")):
                raise Broken(f"after '{after}': {key} was answered with a value of another place")

    def _hold_all(self, snapshot: Snapshot, after: str) -> None:
        for version in (*self.random.sample(sorted(self.versions), 3), sorted(self.versions)[0], ""):
            status, body = self._ask(snapshot, "", version)
            if status == 404 or (status == 200 and not version):
                raise Broken(f"after '{after}': all keys, version '{version}', were answered {status}")
            if status == 200:
                number = self.versions[version]
                if json.loads(body)["data"] != {key: f"g{number}:{key}" for key in KEYS}:
                    raise Broken(f"after '{after}': all keys of one version were not those of it")

    def _ask(self, snapshot: Snapshot, path: str, version: str) -> tuple[int, bytes]:
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": f"/api/v1/eso/shop{path}",
            "QUERY_STRING": f"env=prod&version={version}",
            "HTTP_AUTHORIZATION": f"Bearer {self.token}",
        }
        try:
            body = Decision(_Published(snapshot), lambda: self.now).read(environ)
            self.answers["200"] += 1
            return 200, body
        except Refusal as refused:
            self.answers[f"{refused.status} {refused.code}"] += 1
            return refused.status, b""


@dataclass(frozen=True)
class _Published:
    """One process's view."""

    held: Snapshot

    def snapshot(self) -> Snapshot:
        return self.held

    def revoked(self, caller: Any) -> bool:
        return False

    def draining(self) -> bool:
        return False

    def reload_failed(self) -> bool:
        return False


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
    elif path.exists():
        path.unlink()


def _cut(world: World) -> None:
    path = world.file()
    data = path.read_bytes()
    path.write_bytes(data[: world.random.randrange(len(data) + 1)])


def _cut_at_a_line(world: World) -> None:
    path = world.file()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[: world.random.randrange(len(lines) + 1)]))


def _flip(world: World) -> None:
    path = world.file()
    data = bytearray(path.read_bytes())
    data[world.random.randrange(len(data))] ^= 1 << world.random.randrange(8)
    path.write_bytes(data)


def _drop_a_line(world: World) -> None:
    path = world.file()
    lines = path.read_bytes().splitlines(keepends=True)
    del lines[world.random.randrange(len(lines))]
    path.write_bytes(b"".join(lines))


def _folder(world: World) -> None:
    path = world.file()
    path.unlink()
    path.mkdir()


def _dangling(world: World) -> None:
    path = world.file()
    path.unlink()
    path.symlink_to(world.random.choice(["nowhere", path.name, "../other/prod.sops.yaml", "/dev/zero"]))


def _fifo(world: World) -> None:
    path = world.file()
    path.unlink()
    os.mkfifo(path)


def _torn_record(world: World) -> None:
    whole = Removal("0123456789ab", __import__("datetime").date(2026, 1, 31), "a test").dump()
    path = world.realm / "removed" / "prod" / f"{world.random.choice(KEYS)}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    # cut before its last line is whole: a record that says all it has to say is no fault, but a removal
    _remove(path)  # another fault may have left a FIFO there, which nobody reads
    path.write_bytes(whole[: world.random.randrange(whole.index(b"reason"))])


def _older_checkout(world: World) -> None:
    """The mount leads to another checkout: whole, older, and with fewer keys."""
    other = world.folder / f"checkout-{world.random.randrange(3)}"
    _remove(other)
    (other / "shop").mkdir(parents=True)
    for name in ("realm.yaml", "tokens.yaml"):
        if world.random.random() < 0.8:
            (other / "shop" / name).write_bytes(RULES if name == "realm.yaml" else world.tokens)
    (other / "shop" / "prod.sops.yaml").write_bytes(world.random.choice(world.merged + world.generations))
    _swap(world.link, other)


def _swap(link: Path, to: Path) -> None:
    temporary = link.with_name(".swap")
    _remove(temporary)
    temporary.symlink_to(to)
    os.replace(temporary, link)


def _unmounted(world: World) -> None:
    _swap(world.link, world.folder / "not-there")


def _empty_mount(world: World) -> None:
    empty = world.folder / "empty"
    empty.mkdir(exist_ok=True)
    _swap(world.link, empty)


def _link_out(world: World) -> None:
    outside = world.folder / "outside"
    _remove(outside)
    os.rename(world.realm, outside)
    world.realm.symlink_to(outside)


def _full_disk(world: World) -> None:
    """The data directory takes nothing, or is lost."""
    _remove(world.kept)
    if world.random.random() < 0.5:
        world.kept.write_text("no folder")


def _kept_is_older(world: World) -> None:
    path = world.kept / "shop" / "prod.sops.yaml"
    world._replace(
        path, world.random.choice([*world.merged, *world.generations, world.foreign, world.unbound])
    )


def _clock(world: World) -> None:
    world.now += world.random.choice([-400 * _DAY, -60, 60, 3 * _DAY, 8 * _DAY])


def _put(name: str) -> Callable[[World], None]:
    def put(world: World) -> None:
        data = {
            "a merge that lost keys": lambda: world.random.choice(world.merged),
            "another realm's document": lambda: world.foreign,
            "an unbound document": lambda: world.unbound,
            "a manifest": lambda: b"apiVersion: v1\nkind: Secret\nstringData: {KEY_0: x}\n",
            "nothing": lambda: b"",
        }[name]()
        world._replace(world.path, data)

    return put


def _worker(world: World) -> None:
    """A worker is killed; the next one begins with what the main process holds."""
    if world.workers and world.snapshot is not None:
        world.workers[world.random.randrange(len(world.workers))] = restore(dump(world.snapshot))


FAULTS: Final[dict[str, Callable[[World], None]]] = {
    "a file is cut": _cut,
    "a file is cut at a line": _cut_at_a_line,
    "a bit is flipped": _flip,
    "a line is lost": _drop_a_line,
    "a file is lost": lambda world: world.file().unlink(),
    "a folder in the place of a file": _folder,
    "a link in the place of a file": _dangling,
    "a FIFO in the place of a file": _fifo,
    "a torn record": _torn_record,
    **{
        name: _put(name)
        for name in (
            "a merge that lost keys",
            "another realm's document",
            "an unbound document",
            "a manifest",
            "nothing",
        )
    },
    "the realm's folder is lost": lambda world: _remove(world.realm),
    "the realm's folder is a link out": _link_out,
    "another checkout is mounted": _older_checkout,
    "nothing is mounted": _unmounted,
    "an empty folder is mounted": _empty_mount,
    "the clock jumps": _clock,
    "the data directory takes nothing": _full_disk,
    "what was kept is another document": _kept_is_older,
    "a worker is killed": _worker,
    "a restart": World.restart,
}


_DISK: Final = {"the data directory takes nothing"}


def run(folder: Path, faults: int, seed: int) -> World:
    """Draw so many faults. Raises `Broken`, naming the seed and the number of the fault."""
    drawn = random.Random(seed)
    world = World(folder, drawn, demanded=seed % 2 == 1)
    for number in range(faults):
        if world.random.random() < 0.15:
            world.restore()
        if world.random.random() < 0.3:
            world.change()
        name = world.fault()
        try:
            world.reload()
            world.hold(name)
        except Broken as error:
            raise Broken(f"seed {seed}, fault {number}, {error}") from None
    return world


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server ends too
    print(f"seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        try:
            world = run(Path(folder), arguments.faults, arguments.seed)
        except Broken as error:
            sys.exit(f"the law was broken: {error}")
    for name, count in sorted(world.told.items()):
        print(f"{count:6} {name}")
    print("answers: " + ", ".join(f"{count} {answer}" for answer, count in world.answers.most_common()))


if __name__ == "__main__":
    main()
