"""Faults that only key files know: what somebody without an identity can do to them, and half-done work."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from arcan_gitops import sops
from tests.support.faults.world import World, remove, replace
from tests.support.faults.written import KEYS, NEVER

_PLACE: Final = re.compile(rb"^arcan_place: .*\n", re.MULTILINE)
_STANZA: Final = re.compile(rb"(?<=-----BEGIN AGE ENCRYPTED FILE-----\n)(\s+)(\S+)")


def _older(world: World) -> None:
    key = world.key()
    replace(world.key_path(key), world.written.pieces[world.number()][key])


def _from_another_key(world: World) -> None:
    key = world.key()
    data = world.written.pieces[world.number()][
        world.random.choice([other for other in KEYS if other != key])
    ]
    if world.random.random() < 0.5:  # and its key is renamed, as a text editor does
        data = re.sub(rb"^KEY_\d:", f"{key}:".encode(), data, flags=re.MULTILINE)
    replace(world.key_path(key), data)


def _from_elsewhere(place: str) -> Callable[[World], None]:
    def copy(world: World) -> None:
        key = world.key()
        replace(world.key_path(key), world.written.piece(key, 96, place, "foreign"))

    return copy


def _two_claim_one_key(world: World) -> None:
    """The copy is refused, and the file that is named for the key is served as before."""
    key = world.random.choice(KEYS)
    path = world.key_path(world.random.choice([key.lower(), f"{key}_2", NEVER]))
    world.name(path)
    replace(path, world.written.pieces[world.number()][key])


def _two_keys(world: World) -> None:
    key = world.key()
    other = world.random.choice([name for name in (NEVER, *KEYS) if name != key])
    tree = {key: f"foreign:{key}", other: f"foreign:{other}"}
    recipients = [world.files.recipient]
    replace(world.key_path(key), sops.encrypt(tree, recipients=recipients, place="shop/prod"))


def _binding(world: World) -> None:
    key = world.key()
    path, other = world.key_path(key), world.written.pieces[world.number()][key]
    if not path.is_file():  # by other faults a FIFO, or a link to what never ends
        raise FileNotFoundError
    mine, line = path.read_bytes(), _PLACE.search(other)
    assert line is not None
    places = [b"", b"arcan_place: shop/prod\n", line[0], line[0].replace(b"data:", b"data:A", 1)]
    replace(path, _PLACE.sub(lambda _: world.random.choice(places), mine))


def _widened(world: World) -> Mapping[str, bytes]:
    """With the data key of files that are there, if one has such a data key."""
    widened = world.written.widened
    return widened[world.random.choice([n for n in world.mix.values() if n in widened] or sorted(widened))]


def _recipient(world: World) -> None:
    world.widen()
    key = world.key()
    replace(world.key_path(key), _widened(world)[key])


def _stanza(world: World) -> None:
    """Garbage in the place of what the first recipient, or the second, opens."""
    world.widen()
    key = world.key()
    data = _widened(world)[key]
    broken = world.random.randrange(2)
    places = list(_STANZA.finditer(data))
    assert len(places) == 2
    start, end = places[broken].span(2)
    replace(world.key_path(key), data[:start] + data[start:end][::-1] + data[end:])


def _both_layouts(world: World) -> None:
    world.touch()
    if world.layout == "files":
        documents = [*world.written.documents.values(), world.written.unbound]
        replace(world.path, world.random.choice(documents))
        return
    world.keys.mkdir(exist_ok=True)
    for key in world.random.sample(KEYS, world.random.randint(1, len(KEYS))):
        replace(world.key_path(key), world.random.choice(list(world.written.pieces.values()))[key])


def _half_done(world: World) -> None:
    """A checkout of another generation that wrote some of its files, and has more of them to write."""
    number = world.number()
    for key in world.random.sample(KEYS, world.random.randint(1, len(KEYS) - 1)):
        world.write_key(key, number)  # each key stands by itself
    if world.random.random() < 0.5:
        key = world.key()
        world.key_path(key).unlink()
        (world.keys / f".{key}.sops.yaml.tmp").write_bytes(b"half")


def _half_joined(world: World) -> None:
    """`join`, or a checkout of what it made, ended before all key files were gone."""
    world.touch()
    replace(world.path, world.random.choice(list(world.written.documents.values())))
    for key in world.random.sample(KEYS, world.random.randint(1, len(KEYS))):
        world.key_path(key).unlink()


def _lost_keys(world: World) -> None:
    for key in world.random.sample(KEYS, world.random.randint(1, len(KEYS))):
        world.touch(key)
        with suppress(FileNotFoundError):
            world.key_path(key).unlink()
    if not any(world.keys.iterdir()):
        world.touch()


def _lost_folder(world: World) -> None:
    world.touch()
    remove(world.keys)


def _renamed_folder(world: World) -> None:
    world.touch()
    os.rename(world.keys, world.realm / world.random.choice(["Prod", "prod2", ".prod", "removed"]))


def _linked_folder(world: World) -> None:
    world.touch()
    outside = world.folder / "outside"
    remove(outside)
    os.rename(world.keys, outside)
    targets = [outside, world.realm, world.root / "other", "prod", "nowhere"]
    world.keys.symlink_to(world.random.choice(targets))


def _emptied_folder(world: World) -> None:
    world.touch()
    remove(world.keys)
    world.keys.mkdir()
    if world.random.random() < 0.5:
        (world.keys / "README.md").write_text("here were keys")


KEY_FILE_FAULTS: Final[dict[str, Callable[[World], None]]] = {
    "a key file is an older one": _older,
    "a key file of another key": _from_another_key,
    "a key file of another environment": _from_elsewhere("shop/dev"),
    "a key file of another realm": _from_elsewhere("other/prod"),
    "two key files claim one key": _two_claim_one_key,
    "a key file has two keys": _two_keys,
    "a binding is edited": _binding,
    "a recipient is added to one key file": _recipient,
    "a stanza of a key file is garbage": _stanza,
    "a checkout is half done": _half_done,
    "a join is half done": _half_joined,
    "some key files are lost": _lost_keys,
    "the folder of key files is lost": _lost_folder,
    "the folder of key files is empty": _emptied_folder,
    "the folder of key files has another name": _renamed_folder,
    "the folder of key files is a link": _linked_folder,
}
BOTH_LAYOUTS: Final[dict[str, Callable[[World], None]]] = {"a document and a folder": _both_layouts}
