"""The realms, and a server over them: what people and the server do. The faults are in `kinds`."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal
from unittest.mock import patch

from click.testing import CliRunner

from arcan_gitops.cli import arcan
from arcan_gitops.errors import ArcanError
from arcan_gitops.realms import (
    Demands,
    Keeping,
    KeptDocuments,
    RealmTree,
    Repository,
    Selection,
    Snapshot,
    file_state,
)
from arcan_gitops.realms.transfer import dump, restore
from arcan_gitops.sops import Identities
from tests.support.faults.written import KEYS, Written
from tests.support.realm_files import RealmFiles

Layout = Literal["document", "files"]
LAYOUTS: Final[tuple[Layout, ...]] = ("document", "files")
RULES: Final = b"tokenExpiry: 180d\ndeletions: recorded\n"
START: Final = 1_800_000_000.0
DAY: Final = 24 * 3600.0
_TICK_SECONDS: Final = 0.012  # file systems keep times in ticks of at most 10 ms here


@dataclass
class World:
    """Realm `shop`, whose environment `prod` is in one of the layouts, and what others may copy from.

    `mix` is what people wrote last; `dirty` are the keys whose files a fault has touched since, where it
    touched nothing else: all other keys must then be answered as they were written last. `changed` are the
    paths that the watcher names, None where they may be any.
    """

    folder: Path
    random: random.Random
    demanded: bool  # the server asks for records; else the realm does, and the data directory is not lost
    layout: Layout = "document"
    told: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.files = RealmFiles(self.folder)
        self.root = self.files.root
        self.link = self.folder / "mounted"  # what the server is given: a link, as a mount or a checkout is
        self.link.symlink_to(self.root)
        self.now = START
        self.held = Identities([self.files.identity])
        self.written = Written(self.files)
        self.realm = self.root / "shop"
        self.path = self.realm / "prod.sops.yaml"
        self.keys = self.realm / "prod"
        self.realm.mkdir()
        self.token = self._token()
        self.tokens = (self.realm / "tokens.yaml").read_bytes()
        self.kept = self.folder / "last-good"
        self.snapshot: Snapshot | None = None
        self.workers: list[Snapshot] = []
        self.restore()
        self.restart()
        assert self.snapshot is not None

    def _token(self) -> str:
        command = ["token", "create", "--realm", "shop", "--name", "eso", "--realms", str(self.root)]
        done = CliRunner().invoke(arcan, command, catch_exceptions=False)
        return done.stdout.strip()

    # What people do.

    def key_path(self, key: str) -> Path:
        return self.keys / f"{key}.sops.yaml"

    def numbers(self) -> list[int]:
        """The generations that are there in the world's layout."""
        return list(self.written.documents if self.layout == "document" else self.written.pieces)

    def number(self) -> int:
        """One of them."""
        return self.random.choice(self.numbers())

    def restore(self) -> None:
        """A checkout of all that is to be there, in its layout, where the clock is right."""
        self.now = START
        if self.link.is_symlink():
            self.link.unlink()
        self.link.symlink_to(self.root)
        for path in (*self.root.iterdir(), self.folder / "outside"):
            remove(path)
        foreign = self.written.other_realm
        for name, data in {
            "shop/tokens.yaml": self.tokens,
            "shop/realm.yaml": RULES,
            "other/realm.yaml": RULES,
            "other/prod.sops.yaml": foreign,
        }.items():
            (self.root / name).parent.mkdir(exist_ok=True, parents=True)
            (self.root / name).write_bytes(data)
        self.dirty: set[str] | None = set()
        self.changed: set[Path] | None = None
        self.widened = False
        self.mix: dict[str, int] = {}
        if self.layout == "files":
            self.keys.mkdir()
        self._write(KEYS, self.number())

    def change(self) -> None:
        """A merge, as it should be: of some keys, where each has a file."""
        with suppress(OSError):  # something else stands there
            if self.layout == "document":
                if not self.path.is_dir() and not self.realm.is_symlink():
                    self._write(KEYS, self.number())
            elif self.keys.is_dir() and not self.keys.is_symlink() and not self.realm.is_symlink():
                self._write(self.random.sample(KEYS, self.random.randint(1, 3)), self.number())

    def _write(self, keys: Iterable[str], number: int) -> None:
        """Give keys a generation: all of them, where they are one document."""
        if self.layout == "document":
            self.touch()
            self.mix = dict.fromkeys(KEYS, number)
            replace(self.path, self.written.documents[number])
        else:
            for key in keys:
                self.write_key(key, number)
        self.written.mean(self.mix)

    def write_key(self, key: str, number: int) -> None:
        """Have the file of a key hold a generation, as somebody who means it."""
        self.touch(key)  # until it is written
        replace(self.key_path(key), self.written.pieces[number][key])
        self.mix = {**self.mix, key: number}
        if self.dirty is not None:
            self.dirty.discard(key)

    # What the server does.

    def restart(self) -> None:
        """The server ends and starts again: of what it knew only its data directory is left."""
        clock = lambda: self.now  # noqa: E731
        self.repository = Repository(
            RealmTree(self.link),
            self.held,
            Selection.parse(["shop"]),
            Demands(binding=True, recorded=self.demanded),
            keeping=Keeping(KeptDocuments(self.kept, clock), 7 * DAY, clock),
        )
        try:
            self.snapshot = self.repository.start_sound().snapshot
        except ArcanError:
            self.snapshot = None  # it does not start, and nobody answers
        self.workers = [] if self.snapshot is None else [restore(dump(self.snapshot)) for _ in range(2)]

    def reload(self) -> None:
        """What the watcher does; some of the workers see it later."""
        forgets, is_told, settled, *lags = (self.random.random() for _ in range(5))
        if self.snapshot is None:
            return self.restart()
        if forgets < 0.2:
            self.repository.forget_failures()
        named = self.changed if is_told < 0.5 else None
        if settled < 0.3:  # what was read is old enough that its state may stand for it
            with patch.object(file_state, "_SETTLED", 0):
                reload = self.repository.reload(self.snapshot, named)
            time.sleep(_TICK_SECONDS)
        else:
            reload = self.repository.reload(self.snapshot, named)
        self.changed = set()
        self.snapshot = self.repository.reload_tokens(reload.snapshot)
        for at, lag in enumerate(lags):
            if lag < 0.8:
                self.workers[at] = restore(dump(self.snapshot))
        return None

    # What the faults do.

    def touch(self, key: str | None = None) -> None:
        """A fault comes over the file of a key, or over more than that (None)."""
        if key is None:
            self.dirty = self.changed = None
            return
        self.name(self.key_path(key))
        if self.dirty is not None:
            self.dirty.add(key)

    def name(self, path: Path) -> None:
        """The watcher will see a change of this."""
        if self.changed is not None:
            self.changed.add(self.link / path.relative_to(self.root))

    def widen(self) -> None:
        """A file gets more recipients than the others with its data key; of two nobody can say who is meant."""
        if self.widened:
            self.touch()
        self.widened = True

    def file(self) -> Path:
        """A file of the realm, or of what the server keeps; it is about to be broken."""
        folders = (self.realm, self.kept) if self.demanded else (self.realm,)
        files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
        if not files:
            raise FileNotFoundError
        path = self.random.choice(files)
        if self.kept not in path.parents:  # what is kept stands for what is broken, and for nothing else
            key = path.name.removesuffix(".sops.yaml")
            self.touch(key if path == self.key_path(key) else None)
        return path

    def key(self) -> str:
        """A key whose file, or whose environment's document, is about to be replaced."""
        key = self.random.choice(KEYS)
        self.touch(key if self.layout == "files" else None)
        return key


def replace(path: Path, data: bytes) -> None:
    """Replace a file at once."""
    temporary = path.with_name(f".{path.name}.new")
    remove(temporary)  # left by a replacement that failed, and then a FIFO by another fault
    temporary.write_bytes(data)
    os.replace(temporary, path)


def remove(path: Path) -> None:
    """Remove whatever is there."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
    elif path.exists():
        path.unlink()
