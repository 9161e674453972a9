"""`arcan import sops`: files that the real sops has encrypted become keys of a realm, and stay encrypted."""

from __future__ import annotations

import base64
import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from arcan_gitops.cli import arcan as cli
from arcan_gitops.errors import ArcanError
from tests.support.import_command import ImportCommand
from tests.support.realm_files import CANARY, encrypt, new_identity, run_sops
from tests.support.secret_command import assert_error

FLUX = ("--encrypted-regex", "^(data|stringData)$")
NOT_TEXT = base64.b64encode(b"\xff\xfe\x00").decode()
SECRET = f"""\
apiVersion: v1
kind: Secret
metadata: {{name: shop-db, namespace: shop}}
type: Opaque
data:
  PASSWORD: {base64.b64encode(f"{CANARY}-password".encode()).decode()}
  KEYSTORE: {NOT_TEXT}
  BOTH: {base64.b64encode(b"of data").decode()}
stringData:
  DATABASE_URL: postgres://u:{CANARY}@h/db
  BOTH: of stringData
"""


@pytest.fixture
def arcan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> ImportCommand:
    return ImportCommand(tmp_path, monkeypatch, capsys)


def write(arcan: ImportCommand, name: str, plain: str, *options: str, format: str = "yaml") -> None:
    """A file as sops encrypts it to the identity at hand."""
    command = ["encrypt", "--age", arcan.files.recipient, "--input-type", format, "--output-type", format]
    done = run_sops(*command, *options, "/dev/stdin", data=plain.encode("utf-8", "surrogateescape"))
    assert done.returncode == 0, done.stderr.decode()
    (arcan.folder / name).write_bytes(done.stdout)


def test_a_secret_of_flux_becomes_keys(arcan: ImportCommand) -> None:
    write(arcan, "secret.yaml", SECRET, *FLUX)
    result = arcan("sops", "secret.yaml")
    assert result.status == 0, result.err
    assert arcan.seen_by_sops() == {
        "BOTH": "of stringData",
        "DATABASE_URL": f"postgres://u:{CANARY}@h/db",
        "KEYSTORE": "//4A",
        "PASSWORD": f"{CANARY}-password",
    }
    assert "imported  secret.yaml#PASSWORD -> PASSWORD\n" in result.out
    assert "KEYSTORE (is not UTF-8 text: kept as base64; declare it with 'decode: Base64')" in result.out
    again = arcan("sops", "secret.yaml", "--dry-run")
    assert (again.status, "4 unchanged" in again.err) == (0, True)


def test_several_documents_in_a_file_are_told_apart(arcan: ImportCommand) -> None:
    other = SECRET.replace("shop-db", "shop-mail").replace("DATABASE_URL", "SMTP_URL")
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\ndata: {A: x}\n"
    write(arcan, "all.yaml", f"{SECRET}---\n{other}---\n{config}", *FLUX)
    result = arcan("sops", "all.yaml", "--map=all.yaml:shop-mail#PASSWORD=SMTP_PASSWORD")
    assert result.status == 1
    assert set(arcan.seen_by_sops()) == {"DATABASE_URL", "PASSWORD", "SMTP_PASSWORD", "SMTP_URL"}
    assert "imported  all.yaml:shop-mail#PASSWORD -> SMTP_PASSWORD (renamed)\n" in result.out
    assert (
        "failed    all.yaml:shop-db#BOTH -> BOTH (would be named like all.yaml:shop-mail#BOTH" in result.out
    )
    assert "--map 'all.yaml:shop-db#BOTH=KEY'" in result.out
    assert "skipped   all.yaml:shop (is a ConfigMap, and no Secret)\n" in result.out


def test_secrets_of_one_name_in_two_namespaces_are_told_apart(arcan: ImportCommand) -> None:
    other = SECRET.replace("namespace: shop", "namespace: other")
    write(arcan, "all.yaml", f"{SECRET}---\n{other}", *FLUX)
    result = arcan("sops", "all.yaml", "--format=json")
    paths = {one["path"] for one in json.loads(result.out)["values"]}
    assert paths == {"all.yaml:shop/shop-db", "all.yaml:other/shop-db"}


def test_a_list_of_secrets_is_taken_apart(arcan: ImportCommand) -> None:
    items = [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {name: CANARY}}
        for name in ("a", "b")
    ]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    write(arcan, "list.json", text, *FLUX, format="json")
    result = arcan("sops", "list.json")
    assert (result.status, arcan.seen_by_sops()) == (0, {"a": CANARY, "b": CANARY})
    assert "list.json:b#b -> b\n" in result.out


@pytest.mark.parametrize(
    ("version", "field", "data"),
    [
        ("v1alpha3", "secretTemplates", base64.b64encode(CANARY.encode()).decode()),
        ("v1alpha2", "secretTemplates", CANARY),
        ("v1alpha1", "secret_templates", CANARY),
    ],
)
def test_a_sops_secret_is_read_as_its_operator_does(
    version: str, field: str, data: str, arcan: ImportCommand
) -> None:
    manifest = f"""\
apiVersion: isindir.github.com/{version}
kind: SopsSecret
metadata: {{name: all}}
spec:
  {field}:
    - name: one
      # about the one
      stringData: {{URL: "{CANARY}"}}
    - name: two
      data: {{TOKEN: "{data}"}}
"""
    write(arcan, "sops-secret.yaml", manifest, "--encrypted-suffix", "emplates")
    result = arcan("sops", "sops-secret.yaml")
    assert (result.status, arcan.seen_by_sops()) == (0, {"TOKEN": CANARY, "URL": CANARY}), result.out
    assert "imported  sops-secret.yaml:two#TOKEN -> TOKEN\n" in result.out


@pytest.mark.parametrize(
    "spec", ["{secretTemplates: 5}", "{secretTemplates: {a: x}}", "{secretTemplates: [x]}", "x"]
)
def test_a_sops_secret_that_holds_nothing_is_told_of(spec: str, arcan: ImportCommand) -> None:
    manifest = f"apiVersion: isindir.github.com/v1alpha3\nkind: SopsSecret\nspec: {spec}\n"
    write(arcan, "sops-secret.yaml", manifest)
    assert_error(arcan("sops", "sops-secret.yaml"), "sops-secret.yaml: there is no value in it")


def test_maps_are_gone_into_and_a_list_stays_one_value(arcan: ImportCommand) -> None:
    plain = f"db: {{host: h, user/name: {CANARY}, port: 5432}}\nlimits: {{a: 1}}\ntiers: [free, {{a: pro}}]\n"
    write(arcan, "values.yaml", f"{plain}none:\nempty: {{}}\n")
    result = arcan("sops", "values.yaml", "--whole=limits")
    assert result.status == 0, result.out
    assert arcan.seen_by_sops() == {
        "db.host": "h",
        "db.port": "5432",
        "db.user_name": CANARY,
        "limits": '{"a":1}',
        "tiers": '["free",{"a":"pro"}]',
    }
    assert "imported  values.yaml#db/user~1name -> db.user_name (renamed)\n" in result.out
    assert "skipped   values.yaml#none (is null, which has no text)\n" in result.out
    assert "skipped   values.yaml#empty (is an empty map)\n" in result.out


def test_two_values_of_one_name_are_reported_and_mapped(arcan: ImportCommand) -> None:
    write(arcan, "values.yaml", f"db: {{host: {CANARY}}}\ndb.host: {CANARY}-other\n")
    result = arcan("sops", "values.yaml")
    assert (result.status, arcan.path.exists()) == (1, False)
    assert "values.yaml#db/host -> db.host (would be named like values.yaml#db.host: " in result.out
    assert arcan("sops", "values.yaml", "--map=values.yaml#db/host=DB_HOST").status == 0
    assert arcan.seen_by_sops() == {"DB_HOST": CANARY, "db.host": f"{CANARY}-other"}


def test_a_value_that_was_in_clear_is_told_of(arcan: ImportCommand) -> None:
    write(arcan, "values.yaml", f"password: {CANARY}\nport: 5432\n", "--encrypted-regex", "^password$")
    result = arcan("sops", "values.yaml")
    assert "values.yaml#port -> port (is now a text; was in clear in the file)\n" in result.out
    assert "values.yaml#password -> password\n" in result.out


DOTENV_VALUE = f"two\\nlines # {CANARY} 'quoted'"


def test_dotenv_json_and_whole_files_are_read_together(arcan: ImportCommand) -> None:
    write(arcan, "prod.enc.env", f"A={DOTENV_VALUE}\nB=\n", format="dotenv")
    write(arcan, "more.json", json.dumps({"c": {"d": CANARY}, "n": 1.5}), format="json")
    write(arcan, "tls.key.enc", f"-----BEGIN\n{CANARY}\n", format="binary")
    result = arcan("sops", "prod.enc.env", "more.json", "tls.key.enc", "prod.enc.env")
    assert result.status == 0, result.err
    assert arcan.seen_by_sops() == {
        "A": f"two\nlines # {CANARY} 'quoted'", "c.d": CANARY, "n": "1.5",
        "tls.key.enc": f"-----BEGIN\n{CANARY}\n",
    }  # fmt: skip
    assert "skipped   prod.enc.env#B -> B (is empty" in result.out


def test_a_whole_file_that_is_not_text_is_kept_as_base64(arcan: ImportCommand) -> None:
    write(arcan, "keystore", "\udcff\udcfe", format="binary")
    assert arcan("sops", "keystore", "--map=keystore=KEYSTORE").status == 0
    assert arcan.seen_by_sops() == {"KEYSTORE": "//4="}


def test_a_dry_run_writes_nothing_and_replace_replaces(arcan: ImportCommand) -> None:
    write(arcan, "secret.yaml", SECRET, *FLUX)
    assert arcan("sops", "secret.yaml", "--dry-run").status == 0
    assert not arcan.path.exists()
    assert arcan("sops", "secret.yaml").status == 0
    write(arcan, "secret.yaml", SECRET.replace("of stringData", "another"), *FLUX)
    kept = arcan("sops", "secret.yaml")
    assert (kept.status, arcan.seen_by_sops()["BOTH"]) == (1, "of stringData")
    assert arcan("sops", "secret.yaml", "--replace").status == 0
    assert arcan.seen_by_sops()["BOTH"] == "another"


def test_every_file_that_cannot_be_read_is_named_and_nothing_is_written(arcan: ImportCommand) -> None:
    write(arcan, "good.yaml", f"A: {CANARY}\n")
    tampered = (arcan.folder / "good.yaml").read_text().replace("A: ENC", "B: ENC")
    (arcan.folder / "tampered.yaml").write_text(tampered)
    (arcan.folder / "plain file.yaml").write_text("A: x\n")
    (arcan.folder / "other.yaml").write_bytes(encrypt(f"A: {CANARY}\n", new_identity()[1]))
    result = arcan("sops", "good.yaml", "tampered.yaml", "plain file.yaml", "other.yaml")
    assert_error(
        result, "3 files cannot be read; nothing was written:", "tampered.yaml: ", "other.yaml: ",
        "plain file.yaml: is not encrypted by SOPS",
    )  # fmt: skip
    assert not arcan.path.exists()
    assert_error(arcan("sops", "none.yaml"), "none.yaml: cannot be read: No such file")


def test_the_identity_of_a_variable_opens_the_files_and_the_document(
    arcan: ImportCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(arcan, "secret.yaml", SECRET, *FLUX)
    monkeypatch.delenv("SOPS_AGE_KEY_FILE")
    for _ in range(2):
        assert arcan("sops", "secret.yaml", SOPS_AGE_KEY=arcan.files.identity).status == 0


@pytest.mark.parametrize("options", [FLUX, ()])
def test_a_secret_that_lies_in_a_realm_is_recognised_and_the_hint_leads_to_its_keys(
    options: tuple[str, ...], arcan: ImportCommand, capsys: pytest.CaptureFixture[str]
) -> None:
    from arcan_gitops.realms.check import check

    arcan.path.parent.mkdir(parents=True)
    write(arcan, "realms/shop/prod.sops.yaml", SECRET, *options)
    [problem] = check(Path("realms")).problems
    assert "realms/shop/prod.sops.yaml: is an encrypted Kubernetes" in problem.message
    move, _, imported = str(problem.hint).partition(" && ")
    program, option, source, target = shlex.split(move)
    assert (program, option) == ("mv", "-n")
    Path(source).rename(target)
    assert imported.startswith("arcan import sops shop ")
    assert imported.endswith(" --env prod")
    assert arcan("sops", *shlex.split(imported)[4:-2]).status == 0
    assert arcan.seen_by_sops()["DATABASE_URL"] == f"postgres://u:{CANARY}@h/db"


def test_the_keys_of_a_secret_of_flux_are_not_listed_and_no_overlay_is_made_of_it(
    arcan: ImportCommand,
) -> None:
    """What it is, and the way that works, in place of `apiVersion`, `kind` and `data`."""
    for options, kind in ((FLUX, "Secret"), ((), "manifest")):  # without a rule, `kind` is encrypted too
        arcan.path.parent.mkdir(parents=True, exist_ok=True)
        write(arcan, "secret.yaml", SECRET, *options)
        (arcan.folder / "secret.yaml").rename(arcan.path)
        for command in (
            ["secret", "list", "shop", "--env=prod"],
            ["generate", "eso", "--realm=shop", "--env=prod"],
        ):
            done = CliRunner().invoke(cli, command)
            assert done.exit_code == 1
            assert isinstance(done.exception, ArcanError)
            assert f"is an encrypted Kubernetes {kind}" in done.exception.message
            assert "arcan import sops shop " in str(done.exception.hint)
            assert done.output == ""
