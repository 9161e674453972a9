"""`arcan init`: a repository that its own checks accept, written over nothing."""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from arcan_gitops.cli import arcan
from arcan_gitops.errors import ArcanError
from arcan_gitops.overlay import App, read_settings
from arcan_gitops.realms.sops_config import SopsConfig
from arcan_gitops.scaffold.wheel import own_wheel
from arcan_gitops.sops import encrypt
from tests.support.realm_files import new_identity, sops_binary

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def recipients() -> tuple[str, str]:
    return new_identity()[1], new_identity()[1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "secrets"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(arcan, list(map(str, arguments)))


def init(folder: Path, *recipients: str, options: tuple[str, ...] = ()) -> Result:
    """The last of the recipients is the break-glass one."""
    *of_servers, break_glass = recipients
    given = [*(f"--recipient={each}" for each in of_servers), f"--break-glass={break_glass}"]
    return run("init", folder, *given, *options)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_rules_are_for_each_realm_and_environment_and_sops_takes_them(
    folder: Path, recipients: tuple[str, str]
) -> None:
    options = ("--realm=production", "--realm=platform", "--env=prod", "--env=staging")
    assert init(folder, *recipients, options=options).exit_code == 0
    config = SopsConfig.find(folder / "realms")
    assert config is not None
    for realm in ("production", "platform"):
        for environment in ("prod", "staging"):
            rule = config.rule_for(folder / f"realms/{realm}/{environment}.sops.yaml")
            assert rule is not None
            assert [set(group) for group in rule.recipients().groups] == [set(recipients)]
            of_a_key = folder / f"realms/{realm}/{environment}/DATABASE_URL.sops.yaml"
            assert config.rule_for(of_a_key).name == rule.name
    document = folder / "realms/platform/prod.sops.yaml"
    document.write_text("URL: x\n")
    done = subprocess.run(
        [sops_binary(), "encrypt", "--in-place", document], cwd=folder, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert run("realm", "check", folder / "realms").exit_code == 0, "the other realm is still to come"


def test_either_layout_is_offered_and_the_readme_says_which_and_why(
    folder: Path, recipients: tuple[str, str]
) -> None:
    create = "arcan realm create production --env prod --key"
    made = init(folder / "one", *recipients)
    assert f"{create} NAME\n" in made.output
    readme = (folder / "one/README.md").read_text()
    assert f"{create} DATABASE_URL\n" in readme
    assert "Each key has a file, so that pull requests on different keys merge by themselves" in readme
    assert "Reading, `edit` and `rename` take an identity of a recipient: " in readme
    options = ("--env=prod", "--key=A", "--generate")
    done = run("realm", "create", "production", *options, f"--realms={folder / 'one/realms'}")
    assert done.exit_code == 0
    assert (folder / "one/realms/production/prod/A.sops.yaml").is_file()

    made = init(folder / "two", *recipients, options=("--layout=document",))
    assert f"{create} NAME --layout document\n" in made.output
    readme = (folder / "two/README.md").read_text()
    assert f"{create} DATABASE_URL --layout document\n" in readme
    assert "a file for each key is recommended where more than one person changes secrets" in readme
    assert "Editing takes an identity of a recipient: " in readme
    done = run(
        "realm", "create", "production", *options, "--layout=document", f"--realms={folder / 'two/realms'}"
    )
    assert done.exit_code == 0
    assert (folder / "two/realms/production/prod.sops.yaml").is_file()


def test_from_nothing_to_overlays_that_are_valid(
    folder: Path, recipients: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first steps of the README, with key files as `arcan realm create` would write them."""
    assert init(folder, *recipients).exit_code == 0
    monkeypatch.chdir(folder)
    [example] = re.findall(
        r"^```yaml\n(.*?)^```", (folder / "kustomize/apps/README.md").read_text(), re.M | re.S
    )
    app = App.parse(example.encode(), "shop.yaml")
    Path("kustomize/apps/shop.yaml").write_text(example)
    keys = {str(entry.key): "x" for secret in app.secrets for entry in secret.entries}
    assert keys
    Path("realms/production/prod").mkdir()
    for key, value in keys.items():
        path = Path(f"realms/production/prod/{key}.sops.yaml")
        path.write_bytes(encrypt({key: value}, recipients=recipients))
    assert run("token", "sync").exit_code == 0
    for command in (
        "bootstrap",
        "generate overlays",
        "realm check",
        "generate overlays --check",
        "validate --engine embedded",
        "lint manifests --format github --ignore ARC060 kustomize",
    ):
        result = run(*command.split())
        assert result.exit_code == 0, f"{command}: {result.output} {result.exception}"


def test_the_workflow_is_green_for_an_older_eso(
    folder: Path, recipients: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs one is told by the generator; only an upgrade of the cluster mends it."""
    init(folder, *recipients)
    monkeypatch.chdir(folder)
    steps = yaml.safe_load(Path(".github/workflows/manifests.yml").read_text())["jobs"]["validate"]["steps"]
    lint = steps[-1]["run"].split()
    Path("kustomize/argocd").mkdir()
    Path("kustomize/argocd/external-secrets.yaml").write_text("""\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: external-secrets, namespace: argocd}
spec:
  source: {repoURL: https://charts.external-secrets.io, chart: external-secrets, targetRevision: 0.20.4}
""")
    assert run(*lint[1:]).exit_code == 0
    assert run(*[word for word in lint[1:] if word not in ("--ignore", "ARC060")]).exit_code == 1


def test_every_command_of_its_workflows_and_hooks_is_one(folder: Path, recipients: tuple[str, str]) -> None:
    init(folder, *recipients)
    hooks = yaml.safe_load((folder / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    lines = [hook["entry"] for hook in hooks]
    for path in (folder / ".github/workflows").iterdir():
        lines += re.findall(r"(?:run: |^ +|-n 1 )(arcan .*)$", path.read_text(), re.M)
    assert len(lines) >= 8
    for line in lines:
        words = line.split()[1:]
        options = [number for number, word in enumerate(words) if word.startswith("-")]
        result = run(*words[: options[0] if options else None], "--help")
        assert result.exit_code == 0, line


def test_its_workflows_are_sound_and_pin_what_those_of_the_project_pin(
    folder: Path, recipients: tuple[str, str]
) -> None:
    init(folder, *recipients)
    workflows = sorted(map(str, (folder / ".github/workflows").iterdir()))
    for command in (
        ["actionlint", "-no-color", *workflows],
        ["zizmor", "--offline", "--no-progress", "--persona", "auditor", str(folder / ".github")],
    ):
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)
        assert done.returncode == 0, done.stdout + done.stderr
    own = "".join(path.read_text() for path in (ROOT / ".github/workflows").glob("*.yml"))
    for path in workflows:
        for action in re.findall(r"^ +(?:- )?uses: (.*)", Path(path).read_text(), re.M):
            assert f"uses: {action}\n" in own, "move the pins of both together"


def test_the_settings_have_an_overlay_for_each_environment(folder: Path, recipients: tuple[str, str]) -> None:
    init(folder, *recipients, options=("--env=prod", "--env=dev", "--owner=@acme/secrets"))
    overlays = {overlay.name: overlay.environment for overlay in read_settings(folder / "kustomize").declared}
    assert overlays == {"prod": "prod", "dev": "dev"}
    owners = (folder / ".github/CODEOWNERS").read_text()
    assert "/realms/production/ @acme/secrets\n" in owners
    assert "$" not in owners


def test_the_checks_may_install_ones_own_copy(folder: Path, recipients: tuple[str, str]) -> None:
    """A name on an index is whoever's registered it."""
    commit = "0123abc" + "d" * 33
    copy = f"git+https://git.example.com/platform/arcan@{commit}"
    assert init(folder, *recipients, options=(f"--package={copy}",)).exit_code == 0
    assert f"\narcan-gitops @ {copy}\n" in (folder / "requirements-arcan.txt").read_text()
    hashed = (folder / "requirements.txt").read_text()
    assert "arcan-gitops" not in hashed.replace("requirements-arcan", "")
    assert "setuptools==" in hashed, "what builds it is hashed too"
    workflows = [path for path in (folder / ".github/workflows").iterdir() if path.name != "reviewed.yml"]
    assert len(workflows) >= 5
    for path in workflows:
        commands = re.findall(r"^ +(python -m pip .*)$", path.read_text(), re.M)
        assert [each.rpartition(" ")[2] for each in commands] == [
            "requirements.txt",
            "requirements-arcan.txt",
        ]
        assert "--require-hashes" in commands[0]
        assert "--no-deps --no-build-isolation" in commands[1]
    short = init(folder.parent / "short", *recipients, options=("--package=git+https://h/x@0123abc",))
    assert "name all 40 characters" in short.stderr


def test_the_checks_may_install_a_wheel_by_its_hash(folder: Path, recipients: tuple[str, str]) -> None:
    url = "https://files.example.com/arcan_gitops-9.9-py3-none-any.whl"
    package = f"{url}#sha256={'ab' * 32}"
    assert init(folder, *recipients, options=(f"--package={package}",)).exit_code == 0
    line = f"\narcan-gitops @ {url} --hash=sha256:{'ab' * 32}\n"
    assert line in (folder / "requirements.txt").read_text()
    assert not (folder / "vendor").exists()
    wheel = folder.parent / "arcan_gitops-9.9-py3-none-any.whl"
    wheel.write_bytes(b"PK")
    other = folder.parent / "other"
    assert init(other, *recipients, options=(f"--package={wheel}",)).exit_code == 0
    assert (other / "vendor" / wheel.name).read_bytes() == b"PK"
    digest = hashlib.sha256(b"PK").hexdigest()
    assert f"\n./vendor/{wheel.name} --hash=sha256:{digest}\n" in (other / "requirements.txt").read_text()


@pytest.mark.parametrize(
    ("package", "said"),
    [
        ("arcan-gitops==0.1.0", "may be something else tomorrow"),
        ("arcan-gitopss==1", "is no wheel of arcan-gitops"),
        ("git+https://git.example.com/arcan@main", "may be something else tomorrow"),
        ("git+https://git.example.com/arcan", "may be something else tomorrow"),
        ("https://files.example.com/arcan_gitops-1-py3-none-any.whl", "may be something else tomorrow"),
        ("arcan_gitops-1-py3-none-any.whl", "cannot be read"),
        (".", "python -m pip wheel --no-deps"),
    ],
)
def test_what_could_change_unseen_is_not_installed(
    folder: Path, recipients: tuple[str, str], package: str, said: str
) -> None:
    result = init(folder, *recipients, options=(f"--package={package}",))
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert not folder.exists()


def test_the_copy_of_this_arcan_is_the_same_each_time_and_pip_takes_it(tmp_path: Path) -> None:
    name, data = own_wheel()
    assert own_wheel() == (name, data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = set(archive.namelist())
        assert archive.testzip() is None
    program = {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "arcan_gitops").rglob("*") if path.is_file()
    }
    assert {each for each in program if not each.endswith(".pyc")} == {
        each for each in names if not each.startswith("arcan_gitops-")
    }


def test_each_environment_has_its_own_recipients_and_all_the_break_glass_one(folder: Path) -> None:
    prod, dev, person, glass = (new_identity()[1] for _ in range(4))
    given = (
        f"--recipient=prod={prod}",
        f"--recipient=dev={dev}",
        f"--recipient={person}",
        f"--break-glass={glass}",
    )
    assert run("init", folder, *given, "--env=prod", "--env=dev").exit_code == 0
    config = SopsConfig.find(folder / "realms")
    assert config is not None
    for environment, server in (("prod", prod), ("dev", dev)):
        rule = config.rule_for(folder / f"realms/production/{environment}.sops.yaml")
        assert rule is not None
        assert rule.recipients().groups == ((server, person, glass),)
    assert config.names[glass] == "break glass"
    assert config.names[prod] == "prod"


def test_what_is_missing_is_said_with_the_reason_and_the_options_that_mend_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    refused = run("init", folder, "--env=prod", "--env=dev")
    assert refused.exit_code == 2
    for part in ("environment 'prod' has no recipient", "environment 'dev' has", "no break-glass recipient"):
        assert part in refused.stderr
    told = refused.stderr.splitlines()
    assert len(told) == 4  # usage, --help, a blank line, and one line, for a line end in it would be masked
    options = told[-1].partition("outside of the repository: ")[2]
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "arcan").write_text(
        f"#!/bin/sh\nexec {sys.executable} -c 'from arcan_gitops.cli import main; main()' \"$@\"\n"
    )
    (tools / "arcan").chmod(0o755)
    path = f"{tools}:{os.environ['PATH']}"
    command = f"arcan init {folder} --env=prod --env=dev {options}"
    done = subprocess.run(
        ["bash", "-c", command], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert {each.name for each in (tmp_path / "home/arcan").iterdir()} == {
        "prod.txt",
        "dev.txt",
        "break-glass.txt",
    }
    assert "AGE-SECRET-KEY" not in b"".join(content(folder).values()).decode("utf-8", "replace")
    assert "AGE-SECRET-KEY" not in done.stderr
    assert "keep that identity offline" in done.stderr


def test_a_break_glass_identity_on_a_server_is_refused(folder: Path) -> None:
    one, glass = new_identity()[1], new_identity()[1]
    result = run("init", folder, f"--recipient={one}", f"--recipient=prod={glass}", f"--break-glass={glass}")
    assert result.exit_code == 2
    assert "would hold the identity that opens everything" in " ".join(result.stderr.split())
    wrong = run("init", folder, f"--recipient=prd={one}", f"--break-glass={glass}")
    assert "did you mean 'prod'?" in wrong.stderr


def test_new_tokens_end_by_the_commands_that_arcan_prints(folder: Path, recipients: tuple[str, str]) -> None:
    init(folder, *recipients, options=("--realm=one", "--realm=two"))
    for realm in ("one", "two"):
        assert yaml.safe_load((folder / f"realms/{realm}/realm.yaml").read_text()) == {
            "tokenExpiry": "180d",
            "deletions": "recorded",
        }
    settings = (folder / "kustomize/arcan.yaml").read_text()
    assert "components: [own-ca, monitoring]" in settings


def test_identities_and_keys_are_ignored_by_git(folder: Path, recipients: tuple[str, str]) -> None:
    init(folder, *recipients)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    names = ["identity.txt", "server.agekey", "tls/ca.key", "values/x", "sub/keys.txt"]
    done = subprocess.run(
        ["git", "check-ignore", *names], cwd=folder, check=True, capture_output=True, text=True,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
    )  # fmt: skip
    assert done.stdout.split() == names


def test_a_second_run_finds_everything_and_writes_nothing(folder: Path, recipients: tuple[str, str]) -> None:
    init(folder, *recipients)
    before = content(folder)
    again = init(folder, *recipients)
    assert again.exit_code == 0
    assert "wrote" not in again.stderr
    assert content(folder) == before


def test_another_file_in_the_way_stops_everything_and_all_are_named(
    folder: Path, recipients: tuple[str, str]
) -> None:
    folder.mkdir()
    (folder / "README.md").write_text("mine\n")
    (folder / "kustomize").write_text("a file\n")
    (folder / ".gitignore").symlink_to("/nonexistent")
    before = content(folder)
    error = init(folder, *recipients, options=("--keep",)).exception
    assert isinstance(error, ArcanError)
    for name in ("README.md", "kustomize", ".gitignore"):
        assert str(folder / name) in error.message
    assert content(folder) == before


def test_files_of_ones_own_are_kept_and_what_they_lack_is_said(
    folder: Path, recipients: tuple[str, str]
) -> None:
    """As a hosting service makes a repository: with a README and a .gitignore."""
    folder.mkdir()
    (folder / "README.md").write_text("mine\n")
    (folder / ".gitignore").write_text("*.key\n/.venv/\n")
    (folder / "LICENSE").write_text("mine\n")
    before = content(folder)
    refused = init(folder, *recipients).exception
    assert isinstance(refused, ArcanError)
    needed = refused.message.partition(f"{folder / '.gitignore'}: would need:\n")[2].splitlines()
    assert [line.strip() for line in needed[:3]] == ["*.agekey", "identity*.txt", "keys.txt"]
    assert "*.key" not in [line.strip() for line in needed]
    assert "--keep" in str(refused.hint)
    assert content(folder) == before
    kept = init(folder, *recipients, options=("--keep",))
    assert kept.exit_code == 0, kept.exception
    assert f"{folder / '.gitignore'}: would need:" in kept.stderr
    assert {name: content(folder)[name] for name in before} == before
    assert (folder / ".sops.yaml").is_file()
    with (folder / ".gitignore").open("a") as file:
        file.write("*.agekey\nidentity*.txt\nkeys.txt\n/tls/\n/values/\n/bootstrap*.sh\n")
    assert (
        f"{folder / '.gitignore'}: has all lines of ours"
        in init(folder, *recipients, options=("--keep",)).stderr
    )


def test_a_folder_that_is_a_link_is_not_written_through(folder: Path, recipients: tuple[str, str]) -> None:
    folder.mkdir()
    (folder.parent / "elsewhere").mkdir()
    (folder / ".github").symlink_to(folder.parent / "elsewhere")
    assert isinstance(init(folder, *recipients).exception, ArcanError)
    assert list((folder.parent / "elsewhere").iterdir()) == []


def test_a_dry_run_names_the_files_and_writes_none(folder: Path, recipients: tuple[str, str]) -> None:
    result = init(folder, *recipients, options=("--dry-run",))
    assert f"would write {folder / '.sops.yaml'}" in result.stderr
    assert not folder.exists()


def test_a_private_key_is_not_taken_for_a_recipient_nor_repeated(folder: Path) -> None:
    private, _ = new_identity()
    public = new_identity()[1]
    for result in (
        init(folder, private, public),
        init(folder, public, private),
        init(folder, f"prod={private}", public),
    ):
        assert result.exit_code == 2
        assert "private key" in result.stderr
        assert private not in result.output
    assert init(folder, "age1nonsense", public).exit_code == 2
    assert run("init", folder).exit_code == 2
    assert not folder.exists()


def test_what_is_installed_has_the_files() -> None:
    """The files of the package that are no Python are named in pyproject.toml."""
    patterns = re.search(r"^arcan_gitops = \[(.*?)\]", (ROOT / "pyproject.toml").read_text(), re.M | re.S)
    assert patterns is not None
    named = re.findall(r'"(.*?)"', patterns[1])
    package = ROOT / "arcan_gitops"
    found = {path for pattern in named for path in package.glob(pattern)}
    assert set((package / "scaffold/files").iterdir()) <= found
    assert package / "bootstrap/outputs/functions.sh" in found


@pytest.mark.parametrize("given", [True, False])
def test_the_section_for_argo_cd_is_a_comment_until_the_repository_is_known(
    given: bool, folder: Path, recipients: tuple[str, str]
) -> None:
    url = "https://git.example.com/team/secrets.git"
    options = (f"--repository={url}",) if given else ()
    assert init(folder, *recipients, options=options).exit_code == 0
    argocd = read_settings(folder / "kustomize").argocd
    assert (argocd.repository if argocd is not None else None) == (url if given else None)
    text = (folder / "kustomize/arcan.yaml").read_text()
    assert ("\n# argocd:\n#   repository: " in text) is not given
    readme = (folder / "README.md").read_text()
    assert "The order is: merge, apply the root, run what `arcan bootstrap` prints" in readme
