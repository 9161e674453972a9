"""The five edits that somebody without the key can make where nobody looks at the MAC: each of them is refused.

By the engine, at a start, at a reload, and by a server, which goes on serving what was there before; also in
a realm that allows its keys to be empty and in clear. That it takes the MAC to notice, sops itself shows: with
`--ignore-mac` it prints them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from arcan_gitops import sops
from arcan_gitops.errors import SeveralErrors
from arcan_gitops.realms import RealmTree, Repository
from tests.support.live_server import LiveServer, create_token
from tests.support.realm_files import CANARY, RealmFiles, encrypt, run_sops

PLAIN = f"first: {CANARY}\nsecond: older\nlist:\n  - one\n  - two\n"
LAX = 'allowEmpty: ["second"]\nallowUnencrypted: ["second"]\n'


@dataclass(frozen=True)
class World:
    """A server of two realms with the same document, of which one allows more; `older` was there before."""

    files: RealmFiles
    server: LiveServer
    token: dict[str, str]
    older: bytes
    document: bytes

    def line(self, name: str) -> bytes:
        return _line(name, self.document)

    def is_refused(self, tampered: bytes, kind: type[sops.SopsError]) -> None:
        assert tampered != self.document
        self._sops_needs_the_mac(tampered)
        for allowed, expected in (((), kind), (("second",), sops.Tampered)):
            limits = sops.Limits(allow_empty=allowed, allow_unencrypted=allowed)
            with pytest.raises(expected) as caught:
                sops.load(tampered, identities=[self.files.identity], limits=limits)
            assert CANARY not in f"{caught.value!r} {caught.value.hint}"
        held = sops.Identities([self.files.identity])
        last = Repository(RealmTree(self.files.root), held).load()
        paths = [self.files.path(realm, "prod") for realm in ("shop", "lax")]
        try:
            for path in paths:
                self.files.replace(path, tampered)
            with pytest.raises(SeveralErrors) as start:
                Repository(RealmTree(self.files.root), held).load()
            reload = Repository(RealmTree(self.files.root), held).reload(last)
            assert len(start.value.problems) == len(reload.problems) == 2
            assert all(str(path) in start.value.message for path in paths)
            assert reload.snapshot.revision == last.revision
            self.server.reload()
            assert self.server.ready()["reload"] == "failed"
            self._is_served_as_before()
        finally:
            for path in paths:
                self.files.replace(path, self.document)
            self.server.reload()
        assert self.server.ready()["reload"] == "ok"
        self._is_served_as_before()

    def _sops_needs_the_mac(self, tampered: bytes) -> None:
        command = ["decrypt", "--input-type", "yaml", "--output-type", "json"]
        for options, code in (((), 51), (("--ignore-mac",), 0)):
            done = run_sops(*command, *options, "/dev/stdin", data=tampered, identity=self.files.identity)
            assert done.returncode == code, done.stderr

    def _is_served_as_before(self) -> None:
        for realm, token in self.token.items():
            answer = self.server.get(f"/api/v1/eso/{realm}?env=prod", token)
            assert answer.json == {"data": {"first": CANARY, "second": "newer", "list": '["one","two"]'}}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    files = RealmFiles(folder)
    older = encrypt(PLAIN, files.recipient)
    path = folder / "newer.yaml"
    path.write_bytes(older)
    done = run_sops("set", "--value-stdin", str(path), '["second"]', data=b'"newer"', identity=files.identity)
    assert done.returncode == 0, done.stderr
    newer = path.read_bytes()
    for realm in ("shop", "lax"):
        (files.root / realm).mkdir()
        files.replace(files.path(realm, "prod"), newer)
    (files.root / "lax" / "realm.yaml").write_text(LAX)
    tokens = {realm: create_token(files, realm, "eso") for realm in ("shop", "lax")}
    with LiveServer(files, folder / "server") as server:
        yield World(files, server, tokens, older, newer)
        assert CANARY not in Path(server.log_path).read_text()


def _line(name: str, document: bytes) -> bytes:
    return next(line for line in document.splitlines() if line.startswith(f"{name}:".encode()))


def test_a_blanked_value_is_refused(world: World) -> None:
    world.is_refused(world.document.replace(world.line("second"), b'second: ""'), sops.EmptyLeaf)


def test_a_deleted_key_is_refused(world: World) -> None:
    world.is_refused(world.document.replace(world.line("second") + b"\n", b""), sops.Tampered)


def test_a_reordered_list_is_refused(world: World) -> None:
    one, two = (item for item in world.document.splitlines() if item.strip().startswith(b"- ENC["))
    swapped = world.document.replace(one, b"@").replace(two, one).replace(b"@", two)
    world.is_refused(swapped, sops.Tampered)


def test_one_value_rolled_back_is_refused(world: World) -> None:
    older = _line("second", world.older)
    assert older != world.line("second")
    world.is_refused(world.document.replace(world.line("second"), older), sops.Tampered)


def test_a_widened_unencrypted_rule_is_refused(world: World) -> None:
    """With it any value can stand in clear, and so be anything."""
    widened = world.document.replace(b"unencrypted_suffix: _unencrypted", b"unencrypted_regex: ^second$")
    world.is_refused(widened.replace(world.line("second"), b"second: injected"), sops.ClearLeaf)
