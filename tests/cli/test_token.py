"""`arcan token` as an operator types it: what is printed where, what is recorded, and what is refused."""

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from arcan_gitops.access import Policy, digest, parse_time, read_tokens, token_id
from arcan_gitops.cli import main
from arcan_gitops.cli.catalogue import load_catalogue
from arcan_gitops.names import RealmName
from tests.support.realm_files import RealmFiles

ARCAN = [sys.executable, "-c", "from arcan_gitops.cli import main; main()", "token"]
CREATE = ["create", "--realm=production", "--name=eso-operator", "--policy=read-only"]


@dataclass
class Result:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def arcan(tmp_path, monkeypatch, capsys):
    """Runs `arcan token` in a folder that has the realms `production` and `staging`."""
    for realm in ("production", "staging"):
        (tmp_path / "realms" / realm).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["arcan", "token", *arguments])
        with pytest.raises(SystemExit) as status:
            main()
        return Result(status.value.code, *capsys.readouterr())

    run.file = tmp_path / "realms" / "production" / "tokens.yaml"
    run.root = tmp_path
    return run


def process(run, *arguments, stdout):
    """The same as a process of its own, whose standard output is a real one."""
    return subprocess.run(
        [*ARCAN, *arguments],
        cwd=run.root,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )


def records(run, realm="production"):
    return read_tokens((run.root / "realms" / realm / "tokens.yaml").read_bytes(), "tokens.yaml")


def everything_on_disk(run):
    return b"".join(path.read_bytes() for path in run.root.rglob("*") if path.is_file()).decode()


def assert_error(result, *parts, status=1):
    assert result.returncode == status, result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    for part in parts:
        assert part in result.stderr


def test_create_prints_the_token_alone_and_records_its_digest(arcan):
    before = datetime.now(UTC).replace(microsecond=0)
    result = arcan(*CREATE, "--env", "prod", "--env", "dev-*", "--key", "DB_*", "--expires", "90d")
    assert result.returncode == 0, result.stderr
    text = result.stdout.removesuffix("\n")
    (record,) = records(arcan)
    assert token_id(text) == record.id
    assert digest(text) == record.digest
    assert (record.name, record.policy) == ("eso-operator", "read-only")
    assert (record.environments, record.keys) == (("prod", "dev-*"), ("DB_*",))
    assert before <= record.created <= datetime.now(UTC)
    assert timedelta() <= record.expires - record.created - timedelta(days=90) + timedelta(seconds=1)
    assert Policy.build({RealmName("production"): [record]}).authenticate(text, before.timestamp())


def test_what_is_given_twice_is_recorded_once(arcan):
    arcan("create", "--realm=production", "--name=a", *2 * ["--env=prod"], *2 * ["--key=A"], "--key=B")
    [record] = records(arcan)
    assert (record.environments, record.keys) == (("prod",), ("A", "B"))
    arcan("scope", "a", "--yes", *2 * ["--env=dev"], *2 * ["--key=C"])
    [record] = records(arcan)
    assert (record.environments, record.keys) == (("dev",), ("C",))


def test_create_says_on_standard_error_what_to_do_next(arcan):
    result = arcan(*CREATE)
    assert "realms/production/tokens.yaml" in result.stderr
    assert "commit" in result.stderr
    assert "external-secrets.io/type=webhook" in result.stderr


def test_the_token_is_nowhere_but_on_standard_output(arcan):
    created = arcan(*CREATE)
    rotated = arcan("rotate", "eso-operator")
    listed = arcan("list")
    for text in (created.stdout.strip(), rotated.stdout.strip()):
        assert token_id(text)
        seen = created.stderr + rotated.stderr + listed.stdout + listed.stderr + everything_on_disk(arcan)
        assert text not in seen
        assert text[17:60] not in seen


def test_a_secret_manifest_is_ready_for_kubectl_apply(arcan):
    result = arcan(*CREATE, "--format", "secret", "--namespace", "shop")
    manifest = yaml.safe_load(result.stdout)
    text = manifest["stringData"].pop("token")
    assert digest(text) == records(arcan)[0].digest
    assert manifest == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "arcan-credentials",
            "namespace": "shop",
            "labels": {"external-secrets.io/type": "webhook"},
        },
        "type": "Opaque",
        "stringData": {},
    }
    assert text not in result.stderr


def test_a_secret_manifest_names_no_namespace_unless_told_one(arcan):
    manifest = yaml.safe_load(arcan("rotate", "x", "--format", "secret").stdout or "{}")
    assert manifest == {}
    manifest = yaml.safe_load(arcan(*CREATE, "--format=secret").stdout)
    assert "namespace" not in manifest["metadata"]
    manifest = yaml.safe_load(arcan("rotate", "eso-operator", "--format=secret").stdout)
    assert token_id(manifest["stringData"]["token"]) == records(arcan)[1].id


def test_comments_in_the_file_are_kept(arcan):
    arcan.file.write_text("# ours\nversion: 1\ntokens: []  # none yet\n# end\n")
    assert arcan(*CREATE).returncode == 0
    text = arcan.file.read_text()
    assert text.startswith("# ours\nversion: 1\ntokens:  # none yet\n  - id: ")
    assert text.endswith("# end\n")
    assert arcan("revoke", "eso-operator").returncode == 0
    assert arcan.file.read_text() == "# ours\nversion: 1\ntokens: []  # none yet\n# end\n"


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--policy=admin"], ["'admin'", "a policy is read-only"]),
        (["--name=a b"], ["'a b' is not a valid token name"]),
        (["--realm=Production"], ["'Production' is not a valid realm name"]),
        (["--env=Prod"], ["'Prod' is not a valid environment glob"]),
        (["--key=A,B"], ["'A,B' is not a valid key glob"]),
        (["--expires=0d"], ["not in the future"]),
        (["--expires=2020-01-01"], ["not in the future"]),
        (["--expires=90"], ["neither a duration nor a date", "90d"]),
        (["--format=secret", "--namespace=Shop"], ["'Shop' is not a valid namespace"]),
        (["--namespace=shop"], ["--format secret"]),
        (["--overlay=prod"], ["--format secret"]),
        (["--secret-name=x"], ["--format secret"]),
        (["--format=secret", "--output=token"], ["say different things"]),
    ],
)
def test_wrong_usage_exits_2_and_records_nothing(arcan, arguments, parts):
    assert_error(arcan(*CREATE, *arguments), *parts, status=2)
    assert not arcan.file.exists()


def test_a_realm_that_is_not_there_is_named_with_the_nearest(arcan):
    assert_error(
        arcan("create", "--realm=prodction", "--name=x"), "no realm 'prodction'", "did you mean 'production'?"
    )
    assert not (arcan.root / "realms" / "prodction").exists()


def test_a_name_in_use_is_refused_with_the_command_that_replaces_it(arcan):
    arcan(*CREATE)
    before = arcan.file.read_bytes()
    only = records(arcan)[0].id
    assert_error(arcan(*CREATE), "'eso-operator' exists", f"arcan token rotate {only}")
    assert arcan.file.read_bytes() == before
    assert arcan("create", "--realm=staging", "--name=eso-operator").returncode == 0


def test_a_file_edited_by_hand_into_nonsense_is_left_alone(arcan):
    arcan.file.write_text("version: 1\ntokens:\n  - id: x\n    nam: y\n")
    before = arcan.file.read_bytes()
    for command in (CREATE, ["list"], ["revoke", "y"], ["rotate", "y"]):
        assert_error(arcan(*command), "realms/production/tokens.yaml:4: unknown field 'nam'", "'name'")
    assert arcan.file.read_bytes() == before


def test_list_shows_every_realm_and_what_has_expired(arcan):
    arcan(*CREATE, "--env=prod", "--key=DB_*", "--key=API", "--expires=90d")
    arcan("create", "--realm=staging", "--name=ci")
    path = arcan.root / "realms" / "staging" / "tokens.yaml"
    path.write_text(path.read_text().replace("20", "19", 1).rstrip("\n") + "\n    expires: 1999-12-31\n")
    result = arcan("list")
    header, production, staging = (line.split() for line in result.stdout.splitlines())
    assert header == ["REALM", "NAME", "ID", "ENVIRONMENTS", "KEYS", "CREATED", "EXPIRES"]
    assert production[:2] == ["production", "eso-operator"]
    assert production[3:5] == ["prod", "DB_*,API"]
    assert "expired" not in " ".join(production)
    assert staging[:2] == ["staging", "ci"]
    assert staging[3:5] == ["all", "all"]
    assert staging[6:] == ["1999-12-31T00:00:00Z", "(expired)"]
    assert arcan("list", "--realm=production").stdout.count("\n") == 2


def test_list_of_nothing_says_so_on_standard_error(arcan):
    result = arcan("list")
    assert (result.returncode, result.stdout) == (0, "")
    assert "no tokens" in result.stderr


def test_rotate_ends_the_old_token_after_the_overlap(arcan):
    arcan(*CREATE, "--env=prod", "--expires=90d")
    result = arcan("rotate", "eso-operator", "--overlap", "2h")
    old, new = records(arcan)
    assert token_id(result.stdout.strip()) == new.id
    assert old.expires == new.created + timedelta(hours=2)
    assert new.expires - new.created >= timedelta(days=90)
    assert (new.name, new.environments) == ("eso-operator", ("prod",))
    assert old.id in result.stderr


def test_rotate_leaves_the_old_token_a_week_unless_told_otherwise(arcan):
    arcan(*CREATE)
    arcan("rotate", records(arcan)[0].id)
    old, new = records(arcan)
    assert old.expires == new.created + timedelta(days=7)
    assert new.expires is None


def test_revoke_removes_a_token_by_id_and_all_of_a_name(arcan):
    arcan(*CREATE)
    arcan("rotate", "eso-operator")
    old, new = records(arcan)
    result = arcan("revoke", old.id)
    assert (result.returncode, result.stdout) == (0, "")
    assert records(arcan) == (new,)
    arcan("rotate", "eso-operator")
    assert arcan("revoke", "eso-operator").returncode == 0
    assert records(arcan) == ()


def test_a_name_in_several_realms_is_ambiguous_without_a_realm(arcan):
    arcan(*CREATE)
    arcan("create", "--realm=staging", "--name=eso-operator")
    for command in ("revoke", "rotate"):
        assert_error(arcan(command, "eso-operator"), "'production', 'staging'", "--realm")
    assert arcan("revoke", "eso-operator", "--realm=staging").returncode == 0
    assert records(arcan, "staging") == ()
    assert len(records(arcan)) == 1
    assert arcan("rotate", "eso-operator").returncode == 0


def test_a_broken_file_in_another_realm_does_not_stop_a_revocation_that_names_its_realm(arcan):
    arcan(*CREATE)
    (arcan.root / "realms" / "staging" / "tokens.yaml").write_text("nonsense")
    assert arcan("revoke", "eso-operator", "--realm=production").returncode == 0
    assert records(arcan) == ()


def test_a_name_that_is_not_there_is_an_error_with_the_nearest(arcan):
    arcan(*CREATE)
    assert_error(arcan("revoke", "eso-opertor"), "'eso-opertor'", "did you mean 'eso-operator'?")
    assert_error(arcan("rotate", "eso", "--realm=staging"), "realm 'staging'")


def test_a_token_given_in_place_of_its_id_is_not_repeated(arcan):
    text = arcan(*CREATE).stdout.strip()
    result = arcan("revoke", text)
    assert_error(result, f"give its id: {text[4:16]}")
    assert text[17:] not in result.stderr
    for option in ("--name", "--key", "--env", "--policy", "--expires"):
        assert text[17:60] not in arcan(*CREATE, f"{option}={text} ").stderr


def test_a_token_that_could_not_be_printed_is_said_to_be_recorded_and_lost(arcan):
    with open("/dev/full", "w") as full:
        result = process(arcan, *CREATE, stdout=full)
    (record,) = records(arcan)
    assert result.returncode == 1
    assert "recorded in realms/production/tokens.yaml" in result.stderr
    assert f"arcan token revoke {record.id} --realm production" in result.stderr
    assert result.stderr.count("\n") == 2
    with open("/dev/full", "w") as full:
        result = process(arcan, "rotate", "eso-operator", stdout=full)
    assert f"arcan token rotate {records(arcan)[1].id} --realm production --overlap 0s" in result.stderr


def test_a_pipe_whose_reader_has_gone_is_a_lost_token_too(arcan):
    reader, writer = os.pipe()
    os.close(reader)
    result = process(arcan, *CREATE, stdout=writer)
    os.close(writer)
    assert result.returncode == 1
    assert "is lost" in result.stderr


def test_nothing_is_recorded_when_standard_output_is_closed_from_the_start(arcan):
    shell = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" >&-', "sh", *ARCAN, *CREATE],
        cwd=arcan.root,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    assert shell.returncode == 1
    assert "standard output is closed" in shell.stderr
    assert not arcan.file.exists()


def test_the_folder_of_the_realms_can_be_given_by_option_and_environment(arcan, monkeypatch):
    monkeypatch.chdir("/")
    realms = str(arcan.root / "realms")
    assert arcan("create", "--realm=production", "--name=one", "--realms", realms).returncode == 0
    monkeypatch.setenv("ARCAN_REALMS", realms)
    assert arcan("create", "--realm=production", "--name=two").returncode == 0
    assert [record.name for record in records(arcan)] == ["one", "two"]


def test_the_times_in_the_file_are_rfc_3339_to_any_reader(arcan):
    arcan(*CREATE, "--expires=2099-01-31")
    (entry,) = yaml.safe_load(arcan.file.read_text())["tokens"]
    assert entry["expires"] == "2099-01-31T00:00:00Z"
    assert parse_time(entry["created"])


def test_revoke_now_prints_what_has_a_cluster_refuse_the_token_before_a_rollout(arcan):
    """ConfigMaps of others that were revoked before must stay: each token has a field manager of its own."""
    arcan(*CREATE)
    (record,) = records(arcan)
    result = arcan("revoke", "eso-operator", "--now")
    assert result.returncode == 0
    (command,) = result.stdout.splitlines()
    create, apply = (shlex.split(part) for part in command.split(" | "))
    assert create[:4] == ["kubectl", "create", "configmap", "arcan-revoked"]
    assert f"--from-literal={record.id}=production/eso-operator" in create
    assert {"--namespace=arcan", "--dry-run=client"} <= set(create)
    assert apply[:2] == ["kubectl", "apply"]
    assert {"--server-side", f"--field-manager=arcan-revoke-{record.id}"} <= set(apply)


def test_a_token_of_policy_status_reads_no_key_and_is_nobodys_unused_one(arcan, tmp_path):
    (tmp_path / "other").mkdir()
    files = RealmFiles(tmp_path / "other")
    files.write("production", "prod", "A: a\n")
    realms = ("--realms", str(files.root))
    create = ("create", "--realm=production", "--name=watcher", "--policy=status", *realms)
    refused = arcan(*create, "--key=A")
    assert (refused.returncode, "reads no key" in refused.stderr) == (2, True)
    assert arcan(*create, "--env=prod").returncode == 0
    assert "none (status)" in arcan("list", *realms).stdout
    scoped = arcan("scope", "watcher", "--key", "A", *realms)
    assert (scoped.returncode, "reads no key" in scoped.stderr) == (2, True)
    assert load_catalogue(files.root).tokens == {"production": {}}
    assert "watcher" in (files.root / "production/tokens.yaml").read_text()
