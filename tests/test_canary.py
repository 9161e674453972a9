"""A marker stands for a secret: it goes through everything, and may come out in answers alone."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.live_server import ARCAN, LiveServer, create_token
from tests.support.realm_files import CANARY, RealmFiles

PLAIN = f"""\
A: {CANARY}
B: [x, {CANARY}]
C: {{d: {CANARY}}}
"""

BROKEN = {
    "in clear": PLAIN,
    "in clear, with a broken line": f"A: {CANARY}\n B: [{CANARY}\n",
    "a value as a key": f"A: x\n{CANARY} {CANARY}: y\n",
    "a duplicate": f"A: {CANARY}\nA: {CANARY}\n",
    "a tag": f"A: !!{CANARY} {CANARY}\n",
    "an alias": f"A: *{CANARY}\n",
    "a sops block of clear text": f"A: {CANARY}\nsops: {CANARY}\n",
    "clear metadata": f"A: {CANARY}\nsops:\n  mac: {CANARY}\n  version: {CANARY}\n  lastmodified: {CANARY}\n",
}


def files_with_the_canary(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]


@pytest.fixture
def files(tmp_path: Path) -> RealmFiles:
    files = RealmFiles(tmp_path / "git")
    files.write("shop", "prod", PLAIN)
    return files


def test_it_is_in_no_log_environment_command_line_or_temporary_file_of_a_server(
    files: RealmFiles, tmp_path: Path
) -> None:
    token = create_token(files, "shop", "eso")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environment = {"TMPDIR": str(temporary), "SOPS_AGE_KEY": files.identity}
    with LiveServer(files, tmp_path / "server", "--workers", "2", **environment) as server:
        assert CANARY in server.get("/api/v1/eso/shop/A?env=prod", token).body.decode()
        assert CANARY in server.get("/api/v1/eso/shop?env=prod", token).body.decode()
        for target in (
            f"/api/v1/eso/shop/{CANARY}?env=prod",
            f"/{CANARY}",
            f"/api/v1/eso/shop/A?env={CANARY}",
        ):
            server.get(target, token)
            server.get(target, CANARY)
        for name, text in BROKEN.items():
            files.replace(files.path("shop", "prod"), text.encode())
            server.reload()
            assert server.ready()["reload"] == "failed", name
        pids = [str(server.process.pid)]
        children = Path(f"/proc/{pids[0]}/task/{pids[0]}/children").read_text()
        for pid in [*pids, *children.split()]:
            for name in ("environ", "cmdline"):
                content = Path(f"/proc/{pid}/{name}").read_bytes()
                for secret in (CANARY, token, files.identity):
                    assert secret.encode() not in content
    assert files_with_the_canary(temporary) == []
    log = server.log
    for secret in (token, files.identity):
        assert secret not in log + server.audit_path.read_text()
    # A key name that was asked for is in the audit log, for that is its purpose; a value never is.
    audited = [line for line in server.audit_path.read_text().splitlines() if CANARY in line]
    assert all(f'"key":"{CANARY}"' in line or f'"environment":"{CANARY}"' in line for line in audited)
    # Likewise the names of keys, which are clear in Git: one of the broken documents has the marker as one.
    allowed = f"line 2: the key '{CANARY} {CANARY}' is given twice"
    for line in log.splitlines():
        assert CANARY not in line.replace(allowed, ""), line


@pytest.mark.parametrize("name", BROKEN)
def test_it_is_in_no_output_of_a_command(name: str, files: RealmFiles, tmp_path: Path) -> None:
    files.replace(files.path("shop", "prod"), BROKEN[name].encode())
    for command in (
        ["realm", "check", str(files.root)],
        ["secret", "list", "shop", "--env", "prod", "--realms", str(files.root)],
        ["generate", "eso", "--realm", "shop", "--env", "prod", "--realms", str(files.root)],
        ["serve", "--realms", str(files.root), "--identity-file", str(files.identity_file), "--port", "0",
         "--data-dir", str(tmp_path / "data")],
    ):  # fmt: skip
        done = subprocess.run([*ARCAN, *command], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 1, command
        assert "Traceback" not in done.stderr
        if name not in ("a value as a key",):  # a key name is clear in Git, and errors name keys
            assert CANARY not in done.stdout + done.stderr, command


def test_a_bug_is_reported_by_type_and_place_alone(tmp_path: Path) -> None:
    code = f"""
import arcan_gitops.cli.realm as realm
def broken(*_, **__):
    raise RuntimeError("{CANARY}")
realm.check_realms = broken
from arcan_gitops.cli import main
main()
"""
    done = subprocess.run(
        [ARCAN[0], "-c", code, "realm", "check", str(tmp_path)],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": ""},
    )  # fmt: skip
    assert done.returncode == 1
    assert CANARY not in done.stderr
    assert "unexpected RuntimeError at <string>:4" in done.stderr
