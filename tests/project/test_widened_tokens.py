"""A pull request that makes a token wider is told so, by name; one that does not is not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "widened_tokens.py"
TOKENS = Path("realms/production/tokens.yaml")
ESO = {
    "id": "0123456789ab",
    "name": "eso",
    "policy": "read-only",
    "environments": "[prod]",
    "keys": "['DB_*']",
    "created": "2026-01-01T00:00:00Z",
    "expires": "2027-01-01T00:00:00Z",
    "digest": "sha256:" + "a" * 64,
}


class Repository:
    """A Git repository with one realm, and what the script says of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / TOKENS).parent.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> None:
        identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *arguments], cwd=self.root, check=True, capture_output=True)

    def write(self, *tokens: dict[str, str]) -> None:
        entries = ["\n".join(f"    {field}: {value}" for field, value in token.items()) for token in tokens]
        listed = "".join("  -" + entry[3:] + "\n" for entry in entries)
        (self.root / TOKENS).write_text(
            f"version: 1\ntokens:\n{listed}" if tokens else "version: 1\ntokens: []\n"
        )

    def commit(self, *tokens: dict[str, str]) -> None:
        self.write(*tokens)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "tokens")

    def run(self, base: str = "HEAD", **variables: str) -> subprocess.CompletedProcess[str]:
        clean = {"PATH": os.environ["PATH"], **variables}
        command = [sys.executable, str(SCRIPT), base]
        return subprocess.run(command, cwd=self.root, env=clean, check=False, capture_output=True, text=True)

    def says(self) -> str:
        done = self.run()
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path)
    made.commit(ESO)
    return made


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"environments": "[prod, staging]"}, "environments prod became prod, staging"),
        ({"environments": "['*']"}, "environments prod became *"),
        ({"environments": None}, "environments prod became all"),
        ({"keys": "['DB_*', 'API_*']"}, "keys DB_* became DB_*, API_*"),
        ({"keys": None}, "keys DB_* became all"),
        ({"expires": "2028-01-01T00:00:00Z"}, "expires 2028-01-01T00:00:00Z instead of 2027-01-01T00:00:00Z"),
        ({"expires": None}, "expires never instead of 2027-01-01T00:00:00Z"),
        ({"digest": "sha256:" + "b" * 64}, "another token under the same id"),
    ],
)
def test_a_token_that_became_wider_is_named_with_what_it_gained(
    repository: Repository, change: dict[str, str | None], said: str
):
    repository.write({field: value for field, value in (ESO | change).items() if value is not None})
    assert repository.says() == f"{TOKENS}: token eso (0123456789ab): {said}\n"


@pytest.mark.parametrize(
    "change",
    [{}, {"expires": "2026-06-01T00:00:00Z"}, {"name": "renamed"}],
    ids=["unchanged", "ends-earlier", "renamed"],
)
def test_a_token_that_did_not_become_wider_is_not_named(repository: Repository, change: dict[str, str]):
    repository.write(ESO | change)
    assert repository.says() == ""


def test_a_narrowed_token_and_a_revoked_one_are_not_named(repository: Repository):
    wide = {field: value for field, value in ESO.items() if field not in ("environments", "keys", "expires")}
    repository.commit(wide, ESO | {"id": "zzzzzzzzzzzz", "name": "gone"})
    repository.write(ESO)
    assert repository.says() == ""


def test_a_new_token_is_named_with_its_whole_scope(repository: Repository):
    new = {"id": "abcdefabcdef", "name": "ci", "policy": "read-only", "created": "2026-01-01T00:00:00Z"}
    repository.write(ESO, new | {"digest": "sha256:" + "c" * 64})
    said = "token ci (abcdefabcdef): new: environments all, keys all, without an expiry"
    assert repository.says() == f"{TOKENS}: {said}\n"


def test_the_tokens_of_a_new_realm_are_all_named(repository: Repository):
    (repository.root / "realms/staging").mkdir()
    (repository.root / "realms/staging/tokens.yaml").write_text((repository.root / TOKENS).read_text())
    assert "realms/staging/tokens.yaml: token eso (0123456789ab): new" in repository.says()


def test_on_github_a_wider_token_is_an_annotation_and_a_row_in_the_summary(
    repository: Repository, tmp_path: Path
):
    repository.write(ESO | {"keys": "['*']"})
    summary = tmp_path / "summary.md"
    done = repository.run(GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    assert done.stdout == f"::notice file={TOKENS}::token eso (0123456789ab): keys DB_* became *\n"
    assert f"| `{TOKENS}` | `eso` | `keys DB_* became *` |\n" in summary.read_text()


@pytest.mark.parametrize("base", ["HEAD~7", "no-such-branch"])
def test_a_base_that_is_not_there_is_a_failure_and_not_silence(repository: Repository, base: str):
    done = repository.run(base)
    assert (done.returncode, done.stdout) == (1, "")
    assert base in done.stderr


def test_a_tokens_file_that_cannot_be_read_is_a_failure(repository: Repository):
    repository.write(ESO | {"id": "nonsense"})
    done = repository.run()
    assert done.returncode == 1
    assert f"{TOKENS}:3" in done.stderr
