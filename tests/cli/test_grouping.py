"""What repeats is said once: a problem of many apps, and a hint that many problems have."""

from __future__ import annotations

from pathlib import Path

import pytest

from arcan_gitops.errors import ArcanError, SeveralErrors, grouped
from tests.deploy.repository import Repository

APP = """\
name: app{number}
realm: production
namespace: team{number}
token: {token}
secrets:
  - {{name: secret{number}, keys: [PASSWORD]}}
"""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_six_missing_tokens_of_thirty_apps_are_three_lines_each(repository: Repository):
    for number in range(30):
        text = APP.format(number=number, token=f"token{number % 6}")
        (repository.kustomize / "apps" / f"app{number}.yaml").write_text(text)
    repository.declare()
    done = repository.generate()
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 + 6 * 3
    for token in range(6):
        assert done.stderr.count(f"realm 'production' has no token named 'token{token}'") == 1
        assert done.stderr.count(f"arcan token create --realm=production --name=token{token} ") == 1
    assert "kustomize/apps/app0.yaml:4: realm" in done.stderr
    assert "also at kustomize/apps/app12.yaml:4, kustomize/apps/app18.yaml:4" in done.stderr


def test_a_key_that_many_apps_want_is_one_problem(repository: Repository):
    for number in range(3):
        text = APP.format(number=number, token="shop").replace("PASSWORD", "PASSWORT")
        (repository.kustomize / "apps" / f"app{number}.yaml").write_text(text)
    repository.declare()
    lines = repository.generate().stderr.splitlines()
    assert lines[1:] == [
        "  kustomize/apps/app0.yaml:6: key 'PASSWORT' does not exist in production/prod",
        "    also at kustomize/apps/app1.yaml:6, kustomize/apps/app2.yaml:6",
        "    hint: did you mean 'PASSWORD'?",
    ]


def test_warnings_that_repeat_are_one(repository: Repository):
    for number in range(3):
        text = APP.format(number=number, token="shop").replace("keys: [", "deletionPolicy: Delete, keys: [")
        text = text.replace(f"secret{number},", "same,")
        (repository.kustomize / "apps" / f"app{number}.yaml").write_text(text)
    repository.declare()
    done = repository.generate()
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("Secret 'same' is deleted when the store says") == 1
    assert "also at kustomize/apps/app1.yaml:6, kustomize/apps/app2.yaml:6" in done.stderr


def test_problems_with_one_hint_have_it_once():
    problems = [ArcanError(text, hint="known: A") for text in ("a:1: no X", "b:2: no Y", "c:3: no X")]
    several = SeveralErrors("wrong:", [*problems, ArcanError("no place"), ArcanError("no place")])
    assert several.message.splitlines() == [
        "wrong:",
        "  a:1: no X",
        "    also at c:3",
        "  b:2: no Y",
        "    hint: known: A",
        "  no place",
        "  no place",
    ]


def test_messages_without_a_place_and_of_several_lines_are_left_as_they_are():
    messages = ("one", "one", "a:1: two\n  more", "a:1: three", "a:1: three")
    assert grouped(messages) == ("one", "one", "a:1: two\n  more", "a:1: three")
