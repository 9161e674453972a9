"""The faults: what comes over files, mounts, the clock, the data directory and workers, in either layout."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Final

from arcan_gitops.realms.removals import Removal
from arcan_gitops.realms.transfer import dump, restore
from tests.support.faults.key_files import BOTH_LAYOUTS, KEY_FILE_FAULTS
from tests.support.faults.world import DAY, RULES, Layout, World, remove, replace
from tests.support.faults.written import KEYS


def _below(world: World, length: int) -> int:
    """One of the numbers below `length`, with one draw: how long a stanza is, is drawn too, by others.

    Raises `ValueError` where there is none.
    """
    if not length:
        raise ValueError
    return int(world.random.random() * length)


def _cut(world: World) -> None:
    path = world.file()
    data = path.read_bytes()
    path.write_bytes(data[: _below(world, len(data) + 1)])


def _cut_at_a_line(world: World) -> None:
    path = world.file()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[: _below(world, len(lines) + 1)]))


def _flip(world: World) -> None:
    path = world.file()
    data = bytearray(path.read_bytes())
    data[_below(world, len(data))] ^= 1 << world.random.randrange(8)
    path.write_bytes(data)


def _drop_a_line(world: World) -> None:
    path = world.file()
    lines = path.read_bytes().splitlines(keepends=True)
    del lines[_below(world, len(lines))]
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
    whole = Removal("0123456789ab", date(2026, 1, 31), "a test").dump()
    path = world.realm / "removed" / "prod" / f"{world.random.choice(KEYS)}.yaml"
    world.name(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # cut before its last line is whole: a record that says all it has to say is no fault, but a removal
    remove(path)  # another fault may have left a FIFO there, which nobody reads
    path.write_bytes(whole[: _below(world, whole.index(b"reason"))])


def _older_checkout(world: World) -> None:
    """The mount leads to another checkout: whole, older, and with fewer keys."""
    world.touch()
    other = world.folder / f"checkout-{world.random.randrange(3)}"
    remove(other)
    (other / "shop").mkdir(parents=True)
    for name in ("realm.yaml", "tokens.yaml"):
        if world.random.random() < 0.8:
            (other / "shop" / name).write_bytes(RULES if name == "realm.yaml" else world.tokens)
    if world.layout == "files":
        (other / "shop" / "prod").mkdir()
        for key in world.random.sample(KEYS, world.random.randint(1, len(KEYS))):
            data = world.written.pieces[world.number()][key]
            (other / "shop" / "prod" / f"{key}.sops.yaml").write_bytes(data)
    else:
        documents = [*world.written.merged, *world.written.documents.values()]
        (other / "shop" / "prod.sops.yaml").write_bytes(world.random.choice(documents))
    _swap(world.link, other)


def _swap(link: Path, to: Path) -> None:
    temporary = link.with_name(".swap")
    remove(temporary)
    temporary.symlink_to(to)
    os.replace(temporary, link)


def _lost_realm(world: World) -> None:
    world.touch()
    remove(world.realm)


def _unmounted(world: World) -> None:
    world.touch()
    _swap(world.link, world.folder / "not-there")


def _empty_mount(world: World) -> None:
    world.touch()
    empty = world.folder / "empty"
    empty.mkdir(exist_ok=True)
    _swap(world.link, empty)


def _link_out(world: World) -> None:
    world.touch()
    outside = world.folder / "outside"
    remove(outside)
    os.rename(world.realm, outside)
    world.realm.symlink_to(outside)


def _full_disk(world: World) -> None:
    """The data directory takes nothing, or is lost."""
    remove(world.kept)
    if world.random.random() < 0.5:
        world.kept.write_text("no folder")


def _kept_is_older(world: World) -> None:
    written, kept = world.written, world.kept / "shop"
    if world.layout == "document":
        documents = [*written.merged, *written.documents.values(), written.foreign, written.unbound]
        replace(kept / "prod.sops.yaml", world.random.choice(documents))
        return
    key = world.random.choice(KEYS)
    pieces = written.pieces[world.number()]
    strange = [written.piece(key, 95, place, "foreign") for place in ("shop/dev", "other/prod", None)]
    data = world.random.choice([pieces[key], pieces[world.random.choice(KEYS)], *strange])
    replace(kept / "prod" / f"{key}.sops.yaml", data)


def _clock(world: World) -> None:
    world.now += world.random.choice([-400 * DAY, -60, 60, 3 * DAY, 8 * DAY])


def _put(name: str) -> Callable[[World], None]:
    """Something else in the place of the document, or of a key's file."""

    def put(world: World) -> None:
        key = world.key()
        path = world.path if world.layout == "document" else world.key_path(key)
        if name == "a manifest":
            data = b"apiVersion: v1\nkind: Secret\nstringData: {KEY_0: x}\n"
        elif name == "nothing":
            data = b""
        elif world.layout == "document":
            data = world.written.foreign if name == "another realm's document" else world.written.unbound
        else:
            place = "evil/prod" if name == "another realm's document" else None
            data = world.written.piece(key, 98, place, "foreign")
        replace(path, data)

    return put


def _lost_keys(world: World) -> None:
    world.touch()
    replace(world.path, world.random.choice(world.written.merged))


def _worker(world: World) -> None:
    """A worker is killed; the next one begins with what the main process holds."""
    if world.workers and world.snapshot is not None:
        world.workers[world.random.randrange(len(world.workers))] = restore(dump(world.snapshot))


Fault = Callable[[World], None]
_ANY: Final[dict[str, Fault]] = {
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
        for name in ("another realm's document", "an unbound document", "a manifest", "nothing")
    },
    "the realm's folder is lost": _lost_realm,
    "the realm's folder is a link out": _link_out,
    "another checkout is mounted": _older_checkout,
    "nothing is mounted": _unmounted,
    "an empty folder is mounted": _empty_mount,
    "the clock jumps": _clock,
    "the data directory takes nothing": _full_disk,
    "what was kept is another document": _kept_is_older,
    "a worker is killed": _worker,
    "a restart": World.restart,
    **BOTH_LAYOUTS,
}
FAULTS: Final[dict[Layout, dict[str, Fault]]] = {
    "document": {**_ANY, "a merge that lost keys": _lost_keys},
    "files": {**_ANY, **KEY_FILE_FAULTS},
}
_DISK: Final = {"the data directory takes nothing"}


def draw(world: World) -> str:
    """One of the faults of the world's layout comes over it; its name."""
    faults = FAULTS[world.layout]
    name = world.random.choice(sorted(faults if world.demanded else faults.keys() - _DISK))
    with suppress(OSError, ValueError):  # what is lost or empty already cannot be broken again
        faults[name](world)
    world.told[name] += 1
    return name
