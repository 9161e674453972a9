"""`arcan status --fleet`: every overlay's server, and which is behind main; and the page."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from arcan_gitops.cli import arcan
from arcan_gitops.status.page import page
from arcan_gitops.status.report import FORMATS, Asked
from tests.support.live_server import LiveServer, create_token
from tests.support.realm_files import CANARY, RealmFiles

WHO = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@b",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@b",
}
HOSTILE = "<script>alert(1)</script>\"'&"


@dataclass
class Fleet:
    folder: Path
    files: RealmFiles
    server: LiveServer
    token: Path

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.folder), *arguments],
            check=True, capture_output=True, text=True, env={**os.environ, **WHO},
        )  # fmt: skip
        return done.stdout.strip()

    def status(self, *options: str) -> Result:
        return CliRunner().invoke(
            arcan,
            [
                "status", "--fleet", "--realms", str(self.files.root), "--no-clusters", "--token-file", str(self.token),
                "--kustomize-dir", str(self.folder / "kustomize"), "--ca", str(self.server.ca), *options,
            ],
        )  # fmt: skip

    def servers(self) -> dict[str, dict[str, Any]]:
        done = self.status("--format", "json")
        return {server["name"]: server for server in json.loads(done.stdout)["servers"]}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("fleet")
    files = RealmFiles(folder)
    files.write("shop", "prod", f"A: {CANARY}\n")
    token = folder / "token"
    token.write_text(create_token(files, "shop", "watcher", "--policy", "status"))
    with LiveServer(files, folder / "server") as server:
        (folder / "kustomize").mkdir()
        (folder / "kustomize/arcan.yaml").write_text(
            "overlays:\n"
            f"  near: {{environment: prod, server: {{url: 'https://localhost:{server.port}'}}}}\n"
            "  away: {environment: prod, server: {url: 'https://localhost:1'}}\n"
        )
        found = Fleet(folder, files, server, token)
        found.git("init", "-q", "-b", "main")
        found.git("add", "realms", "kustomize")
        found.git("commit", "-qm", "one")
        yield found


def test_each_server_is_asked_and_who_does_not_answer_is_critical(fleet: Fleet) -> None:
    servers = fleet.servers()
    assert servers["near"]["severity"] == "ok"
    assert servers["near"]["commit"] == fleet.git("rev-parse", "main")
    assert servers["near"]["place"].endswith("as main has it")
    assert servers["away"]["severity"] == "critical"
    assert "no answer" in servers["away"]["problem"]
    assert fleet.status().exit_code == 4


def test_a_server_behind_main_is_named_with_its_commit(fleet: Fleet) -> None:
    first = fleet.git("rev-parse", "main")
    path = fleet.files.path("shop", "prod")
    served = path.read_bytes()
    fleet.server.process.send_signal(19)  # it stops, so that it does not follow
    try:
        for number in range(2):
            fleet.files.write("shop", "prod", f"A: {CANARY}\nB{number}: b\n")
            fleet.git("commit", "-qam", "more")
        path.write_bytes(served)
    finally:
        fleet.server.process.send_signal(18)
    fleet.server.reload()
    near = fleet.servers()["near"]
    assert (near["commit"], near["behind"], near["severity"]) == (first, 2, "warning")
    text = fleet.status().stdout
    assert f"warning: serves commit {first[:12]}: main has 2 newer states of what is served" in text
    fleet.git("checkout", "-q", "main", "--", "realms")
    fleet.server.wait(lambda: fleet.servers()["near"]["behind"] == 0)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_page_asks_nothing_of_anywhere_and_texts_are_no_markup() -> None:
    status = {
        "severity": HOSTILE, "findings": [{"severity": HOSTILE, "what": HOSTILE, "realm": HOSTILE}],
        "realms": [{"realm": HOSTILE, "environments": [{"environment": HOSTILE, "keys": 1, "state": HOSTILE, "reason": HOSTILE}]}],
        "instance": HOSTILE, "counts": {HOSTILE: HOSTILE}, "sink": {"target": HOSTILE},
    }  # fmt: skip
    asked = Asked(HOSTILE, status, place=HOSTILE)
    text = FORMATS["html"]([asked, Asked("two", None, HOSTILE)])
    parsed = _Page()
    parsed.feed(text)
    names = {tag for tag, _ in parsed.tags}
    assert not names & {"script", "img", "iframe", "object", "form", "base"}
    links = [attributes.get("href", "") for tag, attributes in parsed.tags if tag in ("a", "link")]
    assert all(link and (link.startswith("#") or link == "data:,") for link in links)
    assert not re.search(r"url\(|@import|https?://", text)
    assert "default-src 'none'" in text
    assert HOSTILE not in text


def test_every_table_can_be_scrolled_with_the_keyboard_and_has_headers() -> None:
    text = page("ok", [("one", "ok", "", [("ok", "a", "b")], [("a", "b")], [("a", "1", "loaded", "", "")])])
    assert text.count("<table>") == text.count('tabindex="0"') == text.count("<caption>") == 3
    assert '<html lang="en">' in text
    assert '<th scope="row">' in text


def test_each_place_that_the_keyboard_reaches_has_a_name_of_its_own() -> None:
    rows = [("production/prod", "1", "loaded", "", "")]
    text = page("ok", [(name, "ok", "", (), [("a", "b")], rows) for name in ("one", 'two"><b>')])
    parsed = _Page()
    parsed.feed(text)
    names = [attributes["aria-label"] for _, attributes in parsed.tags if "tabindex" in attributes]
    assert names == ["Server: one", "Environments: one", 'Server: two"><b>', 'Environments: two"><b>']
