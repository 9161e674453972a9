"""A ciphertext belongs to a place: what was tried with write access to one realm's folder and without a key.

Each attack puts a document of realm `production`, or one made of it, where somebody else's token reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from arcan_gitops.names import EnvironmentName, RealmName
from arcan_gitops.realms import RealmTree
from arcan_gitops.realms.editing import edit_document
from arcan_gitops.sops import Document, Identities
from tests.support.live_server import Answer, LiveServer, create_token
from tests.support.realm_files import CANARY, RealmFiles, new_identity


class Realms:
    """Realm `production` and the attacker's realm `evil`, each with an identity of its own, and a server that
    holds both.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = RealmFiles(folder)
        self.evil_identity, self.evil_recipient = new_identity()
        self.evil_file = folder / "evil.txt"
        self.evil_file.touch(0o600)
        self.evil_file.write_text(self.evil_identity + "\n")
        self.files.write("production", "prod", f"PASSWORD: {CANARY}\n")
        self.files.write("production", "staging", "PASSWORD: harmless\n")
        self.files.write("evil", "prod", "PASSWORD: own\n", recipient=self.evil_recipient)
        self.token = create_token(self.files, "production", "eso")
        self.staging_token = create_token(self.files, "production", "staging", "--env", "staging")
        self.evil_token = create_token(self.files, "evil", "eso")

    def edit(self, realm: str, environment: str, change: Callable[[Document], None]) -> None:
        held = Identities([self.files.identity, self.evil_identity])
        names = (RealmName(realm), EnvironmentName(environment))
        edit_document(RealmTree(self.files.root), *names, held, change)

    def bind_all(self) -> None:
        for realm, environment in (("production", "prod"), ("production", "staging"), ("evil", "prod")):
            self.edit(realm, environment, lambda it, at=f"{realm}/{environment}": it.bind(at))  # type: ignore[misc]

    def production(self) -> bytes:
        return self.files.path("production", "prod").read_bytes()

    def relabelled(self, data: bytes) -> bytes:
        """The recipient's text is nothing that anybody authenticates."""
        return data.replace(self.files.recipient.encode(), self.evil_recipient.encode())

    def steal(self, data: bytes) -> None:
        self.files.path("evil", "stolen").write_bytes(data)

    @contextmanager
    def server(self, *options: str) -> Iterator[LiveServer]:
        held = ("--identity-file", str(self.evil_file))
        with LiveServer(self.files, self.folder / "server", *held, *options) as server:
            yield server

    def assert_safe(self, server: LiveServer) -> None:
        """Nobody but production's token reads its values, which it always does."""
        for environment in ("stolen", "prod"):
            for key in ("PASSWORD", "arcan_place", None):
                answer = read(server, self.evil_token, "evil", environment, key)
                assert CANARY.encode() not in answer.body
                assert answer.status != 404
        assert (
            CANARY.encode() not in read(server, self.staging_token, "production", "staging", "PASSWORD").body
        )
        own = read(server, self.token, "production", "prod", "PASSWORD")
        assert (own.status, own.json["value"]) == (200, CANARY)
        assert CANARY not in server.log


def read(server: LiveServer, token: str, realm: str, environment: str, key: str | None) -> Answer:
    path = f"/{key}" if key else ""
    return server.get(f"/api/v1/eso/{realm}{path}?env={environment}", token)


@pytest.fixture
def realms(tmp_path: Path) -> Realms:
    return Realms(tmp_path)


ALLOWING = 'allowUnencrypted: ["*"]\nallowEmpty: ["*"]\n'


@pytest.mark.parametrize("relabelled", [True, False], ids=["text changed", "text unchanged"])
@pytest.mark.parametrize("history", [True, False], ids=["before the last rotation", "of today"])
def test_another_realms_document_in_ones_own_folder_is_not_served_now_and_not_after_a_restart(
    realms: Realms, relabelled: bool, history: bool
) -> None:
    realms.bind_all()
    (realms.files.root / "evil" / "realm.yaml").write_text(ALLOWING)
    stolen = realms.production()
    if history:
        realms.edit("production", "prod", lambda it: it.rotate([realms.files.recipient]))
        assert stolen != realms.production()
    with realms.server("--binding", "required") as server:
        realms.steal(realms.relabelled(stolen) if relabelled else stolen)
        server.reload()
        server.wait_for_log("evil/stolen.sops.yaml")
        realms.assert_safe(server)
        assert read(server, realms.evil_token, "evil", "stolen", "PASSWORD").status == 503
        assert read(server, realms.evil_token, "evil", "prod", "PASSWORD").json["value"] == "own"
    with realms.server("--binding", "required") as server:
        realms.assert_safe(server)
        assert read(server, realms.evil_token, "evil", "stolen", "PASSWORD").status == 503


def test_a_document_from_before_it_was_bound_is_refused_where_binding_is_required(realms: Realms) -> None:
    stolen = realms.production()  # of history, bound to nothing
    realms.edit("production", "prod", lambda it: it.rotate([realms.files.recipient]))
    realms.bind_all()
    (realms.files.root / "evil" / "realm.yaml").write_text(ALLOWING)
    realms.steal(stolen)
    with realms.server("--binding", "required") as server:
        assert "evil/stolen.sops.yaml: is not bound to its place" in server.log
        realms.assert_safe(server)


def test_an_unbound_copy_of_a_bound_document_is_refused_though_binding_is_optional(realms: Realms) -> None:
    stolen = realms.production()
    realms.bind_all()
    with realms.server() as server:
        realms.steal(stolen)
        server.reload()
        server.wait_for_log("evil/stolen: is bound to no place, and has the data key of production/prod")
        realms.assert_safe(server)
    with realms.server() as server:
        realms.assert_safe(server)


def test_where_nothing_is_bound_a_copy_is_told_of_and_both_are_named(realms: Realms) -> None:
    realms.steal(realms.production())
    with realms.server() as server:
        assert server.wait_for_log("evil/stolen, production/prod: have one data key, and none is bound")
        assert read(server, realms.token, "production", "prod", "PASSWORD").json["value"] == CANARY


def test_a_relabelled_document_is_not_opened_with_the_identity_that_would_open_it(realms: Realms) -> None:
    realms.steal(realms.relabelled(realms.production()))  # nothing is bound
    with realms.server() as server:
        assert "evil/stolen.sops.yaml: no identity opens it" in server.log
        realms.assert_safe(server)


def test_an_identity_that_is_limited_to_a_realm_opens_no_copy_elsewhere(realms: Realms) -> None:
    realms.steal(realms.production())  # nothing is bound
    own = realms.files.identity_file
    realms.files.identity_file = Path(f"{own}=production")
    with realms.server() as server:
        assert "evil/stolen.sops.yaml: no identity opens it" in server.log
        realms.assert_safe(server)


@pytest.mark.parametrize("relabelled", [True, False], ids=["text changed", "text unchanged"])
def test_productions_document_at_the_place_of_staging_gives_staging_nothing(
    realms: Realms, relabelled: bool
) -> None:
    realms.bind_all()
    with realms.server() as server:
        data = realms.production()
        staging = realms.files.path("production", "staging")
        realms.files.replace(staging, realms.relabelled(data) if relabelled else data)
        server.reload()
        server.wait_for_log("production/staging.sops.yaml")
        realms.assert_safe(server)
        kept = read(server, realms.staging_token, "production", "staging", "PASSWORD")
        assert kept.json["value"] == "harmless"
    with realms.server() as server:  # the data directory has the last good document of staging
        kept = read(server, realms.staging_token, "production", "staging", "PASSWORD")
        assert kept.json["value"] == "harmless"
        realms.assert_safe(server)


def test_the_place_can_be_asked_for_by_nobody(realms: Realms) -> None:
    realms.bind_all()
    with realms.server("--binding", "required") as server:
        asked = read(server, realms.token, "production", "prod", "arcan_place")
        assert (asked.status, asked.code) == (400, "malformed_path")
        assert read(server, realms.token, "production", "prod", None).json == {"data": {"PASSWORD": CANARY}}
