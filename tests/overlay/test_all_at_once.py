"""Everything that is wrong with a settings file or an app's file is told in one run, by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from arcan_gitops.errors import SeveralErrors
from arcan_gitops.overlay import App, Settings, read_apps
from arcan_gitops.yamlio import InvalidFile

SETTINGS = """\
server: {url: ftp://x}
esoVersion: nine
stores:
  webhook:
    a: {url: "https://x/{{ .remoteRef.key ", headers: {A: "{{ nosuch }}", B: "{{ end }}"}}
    b: {url: "https://x/{{ .remoteRef.key }}", body: "{{ .auth.x }}{{ .other.y }}"}
  vault:
    c: {server: 5}
tokenSecret: {name: A_B}
"""


def lines(error: InvalidFile) -> list[tuple[int, str]]:
    """(line, problem) of each."""
    found = []
    for problem in error.problems:
        place, _, text = problem.message.partition(": ")
        found.append((int(place.rpartition(":")[2]), text))
    return found


def test_all_broken_templates_and_settings_of_arcan_yaml_are_told() -> None:
    with pytest.raises(InvalidFile) as caught:
        Settings.parse(SETTINGS.encode(), "arcan.yaml", pytest.fail)
    found = lines(caught.value)
    assert [line for line, _ in found] == [1, 2, 5, 5, 5, 6, 6, 8, 9]
    text = str(caught.value)
    for what in (
        "unclosed action",
        "'nosuch'|\"nosuch\" not|a text in quotes",
        "unexpected {{end}}",
        "uses .auth",
        "uses .other",
    ):
        assert any(one in text for one in what.split("|")), what
    assert text.startswith("9 problems:\n")


def test_the_overlays_are_told_of_together() -> None:
    text = "overlays:\n  a: {environment: A_B}\n  b: {environment: prod, esoVersion: x}\n  c: {environment: prod}\n"
    with pytest.raises(InvalidFile) as caught:
        Settings.parse(text.encode(), "arcan.yaml", pytest.fail)
    assert [line for line, _ in lines(caught.value)] == [2, 3]


APP = """\
name: shop
realm: production
token: T_%
namespace: A_B
secrets:
- name: one
  keys: [a/b, {key: A, decode: x}, GOOD, "c d"]
  template:
    data: {"a b": x, "c d": y}
- name: two
  keys: [A]
  deletionPolicy: Delete
  creationPolicy: Merge
  labels: {a b: x}
- name: three
  nosuch: x
  mroe: y
raw:
- name: C_D
  spec: {}
"""


def test_everything_in_an_app_s_file_is_told() -> None:
    with pytest.raises(InvalidFile) as caught:
        App.parse(APP.encode(), "shop.yaml")
    found = lines(caught.value)
    assert [line for line, _ in found] == [3, 4, 7, 7, 7, 9, 9, 12, 14, 16, 17, 19]
    assert not any("missing" in text for _, text in found)  # of what could not be read


def test_files_and_what_is_in_them_are_one_list(tmp_path: Path) -> None:
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "shop.yaml").write_text(APP)
    (tmp_path / "apps" / "other.yaml").write_text("name: other\nnosuch: x\n")
    with pytest.raises(SeveralErrors) as caught:
        read_apps(tmp_path)
    assert len(caught.value.problems) == 13
    assert "12 problems" not in str(caught.value)


def test_one_problem_is_told_as_it_is() -> None:
    with pytest.raises(InvalidFile) as caught:
        App.parse(b"name: shop\nrealm: a\ntoken: b\nnamespace: c\nsecrets: [{name: d}]\n", "shop.yaml")
    assert str(caught.value).startswith("shop.yaml:5: ")
    assert caught.value.problems == ()
