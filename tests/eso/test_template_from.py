"""`templateFrom`: texts, ConfigMaps and Secrets that make keys, labels and annotations."""

from __future__ import annotations

import pytest

from arcan_gitops.errors import SeveralErrors
from arcan_gitops.eso import NotSupported, Outcome
from tests.eso.samples import Manifest, Scene, external_secret

CONFIG = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "texts", "namespace": "default"},
    "data": {"dsn": "db://{{ .K }}", "map": "a: '{{ .K }}'\nb: \"{{ .K | upper }}\"\n", "num": "a: 1\n"},
}
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "texts", "namespace": "default"},
    "stringData": {"dsn": "s3://{{ .K }}", "bad": "hunter2 {{ .K"},
}


def outcome(scene: Scene, *sources: Manifest, data: Manifest | None = None) -> Outcome:
    scene.endpoint.says(b'{"value": "val"}')
    template = {"templateFrom": list(sources), **({} if data is None else {"data": data})}
    return scene.refresh(external_secret(template=template), CONFIG, SECRET)


def data(scene: Scene, *sources: Manifest, also: Manifest | None = None) -> dict[str, bytes]:
    done = outcome(scene, *sources, data=also)
    assert done.synced, done.error
    assert done.secret is not None
    return dict(done.secret.data)


def from_config(*items: Manifest, **fields: object) -> Manifest:
    return {"configMap": {"name": "texts", "items": list(items)}, **fields}


def test_a_text_of_yaml_makes_keys(scene: Scene) -> None:
    assert data(scene, {"literal": "x: '{{ .K }}'\ny: z\n"}) == {"x": b"val", "y": b"z"}


def test_a_config_map_s_keys_are_templates(scene: Scene) -> None:
    assert data(scene, from_config({"key": "dsn"})) == {"dsn": b"db://val"}
    assert data(scene, from_config({"key": "map", "templateAs": "KeysAndValues"})) == {
        "a": b"val",
        "b": b"VAL",
    }


def test_a_secret_s_keys_are_templates(scene: Scene) -> None:
    assert data(scene, {"secret": {"name": "texts", "items": [{"key": "dsn"}]}}) == {"dsn": b"s3://val"}


def test_data_wins_over_what_comes_from_elsewhere(scene: Scene) -> None:
    assert data(scene, from_config({"key": "dsn"}), also={"dsn": "mine"}) == {"dsn": b"mine"}


def test_labels_and_annotations_come_from_elsewhere_too(scene: Scene) -> None:
    done = outcome(
        scene,
        {"literal": "team: '{{ .K }}'", "target": "Labels"},
        {"literal": "note: x", "target": "annotations"},
    )
    assert done.secret is not None
    assert done.secret.labels["team"] == "val"
    assert done.secret.annotations["note"] == "x"
    assert done.secret.data == {}


def test_values_are_decoded_where_it_is_said(scene: Scene) -> None:
    source = {"literal": "x: '{{ .K | b64enc }}'", "valuesDecodingStrategy": "Base64"}
    assert data(scene, source) == {"x": b"val"}


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ({"literal": "x: {{ .NO }}"}, 'map has no entry for key "NO"'),
        ({"literal": "x: {{ .K"}, "unclosed action"),
        (from_config({"key": "nope"}), "error in configmap texts: missing key nope"),
        ({"configMap": {"name": "none", "items": [{"key": "a"}]}}, 'configmaps "none" not found'),
        ({"secret": {"name": "texts", "items": [{"key": "no"}]}}, "error in secret texts: missing key no"),
        (
            from_config({"key": "num", "templateAs": "KeysAndValues"}),
            "json: cannot unmarshal number into Go value of type string",
        ),
        ({"literal": "- a"}, "json: cannot unmarshal array into Go value of type map[string]string"),
    ],
)
def test_what_cannot_be_made_fails_the_refresh(scene: Scene, source: Manifest, problem: str) -> None:
    done = outcome(scene, source)
    assert done.condition.reason == "SecretSyncedError"
    assert "error fetching templateFrom data: " in done.error
    assert problem in done.error


def test_the_text_of_a_secret_is_in_no_error(scene: Scene) -> None:
    item = {"key": "bad", "templateAs": "KeysAndValues"}
    done = outcome(scene, {"secret": {"name": "texts", "items": [item]}})
    assert "unclosed action" in done.error
    assert "hunter2" not in done.error


@pytest.mark.parametrize("target", ["type", "metadata.ownerReferences", "Immutable"])
def test_another_target_is_refused_by_eso(scene: Scene, target: str) -> None:
    with pytest.raises(SeveralErrors) as error:
        outcome(scene, {"literal": "x", "target": target})
    (problem,) = error.value.problems
    assert not isinstance(problem, NotSupported)
    assert f'templateFrom target="{target}" is not allowed when targeting a Secret' in problem.message
