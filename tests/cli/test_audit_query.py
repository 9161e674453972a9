"""Who read what, when; reads of all keys are resolved to the keys of then; keys that nobody reads."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from arcan_gitops.cli import arcan
from arcan_gitops.server.audit import AuditLog
from arcan_gitops.server.audit_line import encoded
from arcan_gitops.server.refusals import Source
from tests.support.key_files import put_keys
from tests.support.live_server import LiveServer, create_token
from tests.support.realm_files import CANARY, RealmFiles

START = 1_800_000_000  # 2027-01-15T08:00:00Z
DATED = {"GIT_AUTHOR_DATE": "2027-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2027-01-01T00:00:00Z"}
WHO = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@b",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@b",
}


def git(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, **DATED, **WHO}
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True, env=environment
    )
    return done.stdout.strip()


@dataclass
class Repository:
    """Two commits: the second has a key more; and what a server served of each."""

    files: RealmFiles
    log: Path
    commits: list[str]
    revisions: list[str]
    token: str


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    folder = tmp_path_factory.mktemp("repository")
    files = RealmFiles(folder)
    files.write("shop", "prod", f"A: {CANARY}\nB: b\n")
    files.write("shop", "staging", "S: s\n")
    put_keys(files, "shop/keyed", {"K": "k", "L": "l"})
    token = create_token(files, "shop", "eso")
    git(folder, "init", "-q", "-b", "main")
    commits, revisions = [], []

    def commit() -> None:
        git(folder, "add", "realms")
        git(folder, "commit", "-qm", "c")
        commits.append(git(folder, "rev-parse", "HEAD"))

    commit()
    with LiveServer(files, folder / "server") as server:
        revisions.append(server.ready()["revision"])
        assert server.get("/api/v1/eso/shop?env=prod", token, X_Kubernetes_Namespace="=1+1").status == 200
        assert server.get("/api/v1/eso/shop/A?env=prod", token).status == 200
        files.write("shop", "prod", f"A: {CANARY}\nB: b\nC: c\nNEVER: n\n")
        server.reload()
        revisions.append(server.ready()["revision"])
        commit()
        assert server.get("/api/v1/eso/shop/C?env=prod", token).status == 200
        assert server.get("/api/v1/eso/shop/NOPE?env=prod", token).status == 404
        assert server.get("/api/v1/eso/shop/A?env=prod").status == 401
    return Repository(files, server.audit_path, commits, revisions, token)


def run(repository: Repository, *arguments: str | Path) -> Result:
    options = ["--realms", str(repository.files.root), "--no-clusters"]
    done = CliRunner().invoke(arcan, [*map(str, arguments), *options], catch_exceptions=False)
    assert CANARY not in done.output
    return done


def found(repository: Repository, *arguments: str | Path) -> list[dict[str, Any]]:
    done = run(repository, "audit", "query", repository.log, "--format", "json", *arguments)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_revision_of_a_commit_is_the_one_that_a_server_serves(repository: Repository) -> None:
    for commit, revision in zip(repository.commits, repository.revisions, strict=True):
        assert run(repository, "realm", "revision", commit).stdout == f"{revision}\n"
    assert run(repository, "realm", "revision").stdout == f"{repository.revisions[1]}\n"
    other = run(repository, "realm", "revision", "--select", "shop/prod").stdout
    assert other.strip() not in repository.revisions


def test_a_read_of_all_keys_is_resolved_to_the_keys_of_its_commit(repository: Repository) -> None:
    [bulk] = found(repository, "--key", "B")
    assert (bulk["keys"], bulk["commit"]) == (["B"], repository.commits[0])
    assert bulk["claimed_namespace"] == "=1+1"
    assert [line.get("keys") or line["key"] for line in found(repository, "--key", "C")] == ["C"]
    [bulk] = [line for line in found(repository) if "keys" in line]
    assert bulk["keys"] == ["A", "B"]


def test_where_the_commit_is_not_known_that_is_said(repository: Repository, tmp_path: Path) -> None:
    done = run(repository, "audit", "query", repository.log, "--commits", "0", "--key", "B")
    assert "shop/prod all keys, not known which" in done.stdout
    assert "the keys of 1 reads of all keys are not known" in done.stderr
    done = run(repository, "audit", "query", repository.log, "--select", "shop/prod", "--key", "B")
    assert "none of the 2 newest commits" in done.stderr


@pytest.mark.parametrize(
    ("options", "statuses"),
    [
        ((), [200, 200, 200, 404, 401]),
        (("--token", "eso"), [200, 200, 200, 404]),
        (("--token", "nobody"), []),
        (("--status", "404"), [404]),
        (("--status", "4xx"), [404, 401]),
        (("--status", "4xx", "--status", "200", "--key", "A"), [200, 200]),
        (("--key", "N*"), [404]),
        (("--realm", "shop", "--env", "prod"), [200, 200, 200, 404]),
        (("--env", "staging"), []),
        (("--client", "127.0.0.1"), [200, 200, 200, 404, 401]),
        (("--client", "127.0.0.0/8"), [200, 200, 200, 404, 401]),
        (("--client", "10.0.0.0/8"), []),
        (("--account", "eu/*"), []),
        (("--since", "1h"), [200, 200, 200, 404, 401]),
        (("--until", "1h"), []),
        (("--since", "2020-01-01", "--until", "2021-01-01T00:00:00Z"), []),
    ],
)
def test_each_condition_is_held(
    repository: Repository, options: tuple[str, ...], statuses: list[int]
) -> None:
    assert [line["status"] for line in found(repository, *options)] == statuses


def test_the_text_says_who_read_what_when(repository: Repository) -> None:
    lines = run(repository, "audit", "query", repository.log).stdout.splitlines()
    who = f"by token eso ({repository.token[4:16]}) from 127.0.0.1"
    assert lines[0].endswith(f" 200 shop/prod all keys, 2 at {repository.commits[0][:12]}: A B {who}")
    assert lines[1].endswith(f" 200 shop/prod/A {who}")
    assert lines[3].endswith(f" 404 key_not_found shop/prod/NOPE {who}")
    assert lines[4].endswith(" 401 unauthorized (missing) - by nobody known from 127.0.0.1")


def test_csv_has_a_row_for_each_key_and_no_formula(repository: Repository) -> None:
    text = run(repository, "audit", "query", repository.log, "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["key"], row["bulk"]) for row in rows] == [
        ("A", "1"), ("B", "1"), ("A", ""), ("C", ""), ("NOPE", ""), ("", ""),
    ]  # fmt: skip
    assert rows[0]["claimed_namespace"] == "'=1+1"
    assert rows[0]["commit"] == repository.commits[0]


def test_keys_that_nobody_has_read_are_named_with_since_when(repository: Repository) -> None:
    done = run(repository, "audit", "unread", repository.log, "--format", "json")
    answer = json.loads(done.stdout)
    assert answer["unread"] == ["shop/keyed/K", "shop/keyed/L", "shop/prod/NEVER", "shop/staging/S"]
    assert (answer["possibly_read"], answer["read"]) == ([], 3)
    first = json.loads(repository.log.read_text().splitlines()[0])["time"]
    assert answer["since"] == first
    text = run(repository, "audit", "unread", repository.log, "--env", "prod")
    assert text.stdout == f"shop/prod/NEVER\tread by nobody since {first}\n"
    assert "3 keys were read, 1 by nobody, watched from" in text.stderr


def test_a_key_that_an_unknown_read_may_have_given_is_not_called_unread(repository: Repository) -> None:
    done = run(repository, "audit", "unread", repository.log, "--format", "json", "--commits", "0")
    answer = json.loads(done.stdout)
    assert answer["unread"] == ["shop/keyed/K", "shop/keyed/L", "shop/staging/S"]
    assert answer["possibly_read"] == ["shop/prod/B", "shop/prod/NEVER"]


def test_accounts_counts_and_lines_of_before_chains_are_found(repository: Repository, tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    log = AuditLog(str(path), clock=lambda: START)
    account = {"status": 200, "client": "10.0.0.1", "cluster": "eu", "namespace": "shop", "account": "arcan"}
    log.write(encoded({**account, "realm": "shop", "environment": "prod", "key": "A"}))
    log.write(encoded({"status": 401, "client": "10.6.6.6", "claimed_account": "?/shop/arcan"}))
    for _ in range(3):
        log.refuse(
            Source("10.6.6.7", 401, "unauthorized", None), encoded({"status": 401, "client": "10.6.6.7"})
        )
    log.close()
    before = '{"time":"2026-01-31T12:00:00.123Z","worker":7,"sequence":1,"request_id":"9","status":503,"code":"x"}\n'
    path.write_text(
        f"{before}{path.read_text()}not ours\n" + '{"time":"2026-01-31T12:00:00.123Z","worker":7\n'
        '{"time":"2026-01-31T12:00:00.123Z","worker":7,"status":200,"realm":["shop"],"environment":{}}\n'
    )
    done = run(repository, "audit", "query", path, "--account", "eu/shop/*")
    assert done.stdout == "2027-01-15T08:00:00.000Z 200 shop/prod/A by account eu/shop/arcan from 10.0.0.1\n"
    assert "2 audit lines cannot be read" in done.stderr
    assert "(2 times)" in run(repository, "audit", "query", path, "--client", "10.6.6.7").stdout
    assert run(repository, "audit", "query", path, "--status", "503").stdout.startswith(
        "2026-01-31T12:00:00.123Z 503 x"
    )


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--status", "20"), "is no status"),
        (("--client", "10.0.0"), "neither an address nor a network"),
        (("--since", "yesterday"), "is not a point in time"),
        (("--since", "yesterday"), "write a duration"),
    ],
)
def test_what_is_no_condition_is_refused(repository: Repository, options: tuple[str, ...], says: str) -> None:
    done = run(repository, "audit", "query", repository.log, *options)
    assert done.exit_code == 2
    assert says in done.stderr
