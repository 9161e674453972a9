"""What a branch did not cause is not said to break by it; what it makes worse is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.review.sample import CANARY, Sample

SHOP = "kustomize/overlays/prod/shop/apps/shop.yaml"
DOCUMENT = "realms/production/prod.sops.yaml"
COMMENT = "printf '# a comment\\n' >> kustomize/arcan.yaml"
STORE = (
    "apiVersion: external-secrets.io/v1\nkind: SecretStore\nmetadata: {name: a, namespace: b}\n"
    'spec: {provider: {webhook: {url: "http://a.example.com:80/{{ .remoteRef.key }}", timeout: 10s, '
    "result: {jsonPath: $.value}}}}\n"
)


def base_of(sample: Sample) -> None:
    sample.repository.commit()
    sample.repository.git("branch", "--force", "main")


def told(sample: Sample, *options: str) -> dict[str, list[str]]:
    printed = sample.arcan("review", "--format=json", "--fail-on=none", *options)
    assert CANARY not in printed
    messages: dict[str, list[str]] = {}
    for finding in json.loads(printed)["findings"]:
        messages.setdefault(finding["rule"], []).append(finding["message"])
    return messages


def facts(sample: Sample) -> dict[str, list[str]]:
    return told(sample, "--facts-only")


def broken(found: dict[str, list[str]]) -> dict[str, list[str]]:
    return {rule: messages for rule, messages in found.items() if rule.startswith("ARR1")}


def test_a_repository_that_declares_no_app_yet_breaks_by_nothing(sample: Sample) -> None:
    for path in sample.path("kustomize/apps").glob("*.yaml"):
        path.unlink()
    shutil.rmtree(sample.path("kustomize/overlays"))
    base_of(sample)
    sample.sh("printf x | arcan secret set production STRIPE_KEY --env prod --stdin")
    assert broken(told(sample)) == {}


def test_what_was_not_generated_before_is_told_in_one_line_that_fails_nothing(sample: Sample) -> None:
    for app in ("shop", "billing"):
        path = sample.path(f"kustomize/overlays/prod/{app}/apps/{app}.yaml")
        path.write_text(path.read_text() + "# edited\n")
    base_of(sample)
    sample.sh(COMMENT)
    found = told(sample)
    assert broken(found) == {}
    [line] = found["ARR315"]
    assert line.endswith("(and 1 more)")
    assert "kustomize/overlays/prod/billing/apps/billing.yaml" in line


def test_only_what_is_staler_by_the_branch_breaks_by_it(sample: Sample) -> None:
    path = sample.path(SHOP)
    path.write_text(path.read_text() + "# edited\n")
    base_of(sample)
    sample.sh("printf x | arcan secret set production JWT_KEY --env prod --stdin")
    found = told(sample)
    assert list(broken(found)) == ["ARR119"]
    assert found["ARR119"] == [
        "kustomize/overlays/prod/web/apps/web.yaml: not what the declared apps ask for now"
    ]
    assert len(found["ARR315"]) == 1


def test_a_file_that_was_stale_and_is_staler_now_breaks_by_the_branch(sample: Sample) -> None:
    path = sample.path(SHOP)
    path.write_text(path.read_text() + "# edited\n")
    base_of(sample)
    path.write_text(path.read_text() + "# edited more\n")
    assert list(broken(told(sample))) == ["ARR119"]


def test_what_lint_found_before_is_no_fault_of_a_branch_that_moves_its_line(sample: Sample) -> None:
    store = sample.path("kustomize/extra/store.yaml")
    store.parent.mkdir()
    store.write_text(STORE)
    base_of(sample)
    store.write_text("# about it\n" + STORE)
    found = told(sample)
    assert broken(found) == {}
    assert any("ARC" in line for line in found["ARR315"])
    store.write_text(STORE + "---\n" + STORE.replace("name: a", "name: c"))
    assert "ARR121" in broken(told(sample))


def test_what_realm_check_found_before_is_no_fault_of_the_branch(sample: Sample) -> None:
    sample.sh("printf 'extra: 1\\n' > realms/production/notes.yaml")
    base_of(sample)
    sample.sh("printf x | arcan secret set production STRIPE_KEY --env prod --stdin")
    found = told(sample)
    assert broken(found) == {}
    assert any("notes.yaml" in line for line in found["ARR315"])


def test_a_problem_in_a_line_that_moves_is_the_same_problem(sample: Sample) -> None:
    settings = sample.path("kustomize/arcan.yaml")
    settings.write_text(settings.read_text() + "nonsense: 1\n")
    base_of(sample)
    settings.write_text("# a comment\n" + settings.read_text())
    assert "ARR119" not in broken(told(sample))


def test_a_private_key_that_was_in_the_file_is_told_only_where_it_is_new(sample: Sample) -> None:
    notes = sample.path("notes.md")
    key = f"AGE-SECRET-KEY-1{'Q' * 58}\n"
    notes.write_text(key)
    base_of(sample)
    notes.write_text(key + "more\n")
    assert "ARR114" not in facts(sample)
    sample.path("moved.md").write_text(key + "moved\n")
    notes.unlink()
    assert "ARR114" not in facts(sample)
    sample.path("moved.md").write_text(key.replace("Q", "P"))
    assert "ARR114" in facts(sample)


def test_marks_of_a_conflict_that_were_there_are_not_this_branchs(sample: Sample) -> None:
    notes = sample.path("notes.md")
    notes.write_text("<<<<<<< a\n1\n=======\n2\n>>>>>>> b\n")
    base_of(sample)
    notes.write_text(notes.read_text() + "more\n")
    assert "ARR105" not in facts(sample)
    notes.write_text(notes.read_text() + "<<<<<<< c\n1\n=======\n2\n>>>>>>> d\n")
    assert "ARR105" in facts(sample)


def test_one_more_app_that_names_what_is_not_there_breaks_by_the_branch(sample: Sample) -> None:
    web, search = (sample.path(f"kustomize/apps/{name}.yaml") for name in ("web", "search"))
    web.write_text(web.read_text().replace("[JWT_KEY]", "[NOWHERE]"))
    base_of(sample)
    sample.sh(COMMENT)
    assert "ARR107" not in facts(sample)
    search.write_text(search.read_text().replace("[SEARCH_KEY]", "[NOWHERE]"))
    lines = facts(sample)["ARR107"]
    assert lines
    assert all("search" in line and "web" not in line for line in lines)


def test_one_more_app_that_reads_by_a_token_that_ended_breaks_by_the_branch(sample: Sample) -> None:
    tokens = sample.path("realms/platform/tokens.yaml")
    text = re.sub(r"created: .*", "created: '2019-01-01T00:00:00Z'", tokens.read_text())
    tokens.write_text(re.sub(r"expires: .*", "expires: '2020-01-01T00:00:00Z'", text))
    base_of(sample)
    sample.sh(COMMENT)
    assert "ARR110" not in facts(sample)
    app = sample.path("kustomize/apps/metrics.yaml").read_text()
    sample.path("kustomize/apps/more.yaml").write_text(app.replace("name: metrics", "name: more"))
    [line] = facts(sample)["ARR110"]
    assert "more" in line
    assert "metrics/metrics" not in line


def of_one_second(sample: Sample) -> tuple[str, str]:
    """The document of before and of now, whose `lastmodified` is the same."""
    path = sample.path(DOCUMENT)
    first = path.read_text()
    sample.sh("printf x | arcan secret set production STRIPE_KEY --env prod --stdin")
    time = re.search(r"lastmodified: .*", first)
    assert time is not None
    second = re.sub(r"lastmodified: .*", time[0], path.read_text())
    path.write_text(second)
    base_of(sample)
    return first, second


def line_of(text: str, key: str) -> str:
    return next(line for line in text.splitlines() if line.strip().startswith(f"{key}:"))


def test_a_lost_value_is_no_rollback_where_all_was_in_one_second(sample: Sample) -> None:
    first, second = of_one_second(sample)
    mixed = second.replace(line_of(second, "STRIPE_KEY"), line_of(first, "STRIPE_KEY"))
    sample.path(DOCUMENT).write_text(mixed)
    found = facts(sample)
    assert {"ARR101", "ARR103"} <= set(found)
    assert "ARR214" not in found
    sample.path(DOCUMENT).write_text(first)
    found = facts(sample)
    assert "ARR214" in found
    assert not {"ARR101", "ARR103"} & set(found)


def test_the_mac_alone_of_another_version_is_a_mac_for_other_values(sample: Sample) -> None:
    first, second = of_one_second(sample)
    sample.path(DOCUMENT).write_text(second.replace(line_of(second, "mac"), line_of(first, "mac")))
    assert "ARR101" in facts(sample)


def test_what_two_checks_say_in_the_same_words_is_told_once(sample: Sample) -> None:
    sample.sh("mkdir realms/Production && cp realms/production/prod.sops.yaml realms/Production/")
    messages = [message for of in told(sample).values() for message in of]
    assert sum("'Production' is not a valid realm name" in message for message in messages) == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("kustomize/arcan.yaml", "nonsense: 1\n"),
        ("kustomize/apps/web.yaml", "nonsense: 1\n"),
        ("realms/production/tokens.yaml", "nonsense: 1\n"),
        ("realms/production/realm.yaml", "nonsense: 1\n"),
        ("clusters/eu.yaml", "nonsense: 1\n"),
        (".sops.yaml", "creation_rules: [\n"),
    ],
)
def test_of_a_file_that_cannot_be_read_nothing_is_said_but_that(sample: Sample, path: str, text: str) -> None:
    file = sample.path(path)
    file.write_text(file.read_text() + text)
    assert set(facts(sample)) <= {"ARR106", "ARR213"}
    assert "ARR106" in facts(sample)


@pytest.mark.parametrize(
    ("option", "says"), [("--depth=2", "the clone is shallow"), ("--filter=blob:none", "(a partial clone)")]
)
def test_a_shallow_or_partial_clone_is_reviewed_and_what_is_not_seen_is_told(
    sample: Sample, tmp_path: Path, option: str, says: str
) -> None:
    sample.sh("printf 'more\\n' >> README.md")
    base_of(sample)
    sample.sh("printf x | arcan secret set production STRIPE_KEY --env prod --stdin")
    sample.repository.commit()
    sample.repository.git("config", "uploadpack.allowFilter", "true")
    command = [
        "git",
        "clone",
        "--quiet",
        option,
        "--no-single-branch",
        f"file://{sample.root}",
        str(tmp_path / "c"),
    ]
    subprocess.run(command, check=True, capture_output=True)
    done = sample.run("review", "origin/main", "HEAD", "--format=json", "--facts-only", folder=tmp_path / "c")
    assert done.exit_code == 0, done.output
    messages = [finding["message"] for finding in json.loads(done.stdout)["findings"]]
    assert "production/prod: changed: STRIPE_KEY" in messages
    assert any(says in message for message in messages)
