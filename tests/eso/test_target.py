"""Keys, values and the target Secret; measured with ESO's own functions where the text is Go's."""

from __future__ import annotations

import hashlib

import pytest

from arcan_gitops.eso import Fate, NotSupported
from arcan_gitops.eso.target import DATA_HASH_ANNOTATION, OWNER_LABEL
from tests.eso.samples import Manifest, Scene, entry, external_secret, extract


def regexp(source: str, target: str) -> Manifest:
    return {"regexp": {"source": source, "target": target}}


@pytest.mark.parametrize(
    ("rewrite", "keys"),
    [
        ([regexp("^(.*)$", "app_$1")], {"app_A", "app_a.b"}),
        ([regexp("^", "x_"), regexp("^x_", "y_")], {"y_A", "y_a.b"}),
        ([regexp("^a(.*)$", "$1")], {"A", ".b"}),
        ([{"transform": {"template": "{{ .value | lower }}-k"}}], {"a-k", "a.b-k"}),
    ],
)
def test_a_rewrite_renames_keys(scene: Scene, rewrite: list[Manifest], keys: set[str]) -> None:
    scene.endpoint.says(b'{"data":{"A":"1","a.b":"2"}}')
    assert set(scene.bulk(extract(rewrite=rewrite))) == keys


def test_a_rewrite_onto_one_key_is_refused_because_eso_picks_at_random(scene: Scene) -> None:
    scene.endpoint.says(b'{"data":{"A":"1","B":"2"}}')
    with pytest.raises(NotSupported, match="one key 'x' of A, B"):
        scene.refresh(external_secret(data_from=(extract(rewrite=[regexp("^.*$", "x")]),)))


@pytest.mark.parametrize(
    ("rewrite", "problem"),
    [
        (
            regexp("[", "x"),
            "regexp failed with failed to compile: error parsing regexp: missing closing ]: `[`",
        ),
        (
            {"transform": {"template": "{{ .value"}},
            "transform failed with failed to parse template: template: transform:1: unclosed action",
        ),
        (
            {"transform": {"template": "{{ .value.x }}"}},
            'transform failed with failed to execute template for key "A": template: transform:1:9: '
            'executing "transform" at <.value.x>: can\'t evaluate field x in type string',
        ),
    ],
)
def test_a_bad_rewrite_fails_the_refresh(scene: Scene, rewrite: Manifest, problem: str) -> None:
    scene.endpoint.says(b'{"data":{"A":"1"}}')
    prefix = "error applying rewrite to keys: failed rewrite operation[0]: "
    assert scene.bulk_error(extract(rewrite=[rewrite])) == prefix + problem


@pytest.mark.parametrize(
    ("strategy", "key", "converted"),
    [("Default", "a/b c", "a_b_c"), ("Unicode", "a b", "a_U0020_b"), ("Unicode", "€", "_U20ac_")],
)
def test_bad_characters_are_converted(scene: Scene, strategy: str, key: str, converted: str) -> None:
    scene.endpoint.says(f'{{"data":{{"{key}":"1"}}}}'.encode())
    assert set(scene.bulk(extract(conversionStrategy=strategy))) == {converted}


def test_two_keys_that_become_one_are_a_collision(scene: Scene) -> None:
    scene.endpoint.says(b'{"data":{"a b":"1","a_b":"2"}}')
    assert scene.bulk_error() == (
        "error applying conversion strategy Default to keys: secret name collision during conversion: a_b"
    )


def test_with_a_rewrite_nothing_is_converted(scene: Scene) -> None:
    scene.endpoint.says(b'{"data":{"a b":"1"}}')
    assert scene.bulk_error(extract(rewrite=[regexp("x", "y")])) == (
        "invalid secret keys (TIP: use rewrite or conversionStrategy to change keys): key has invalid "
        "character  , only alphanumeric, '-', '.' and '_' are allowed: a b"
    )


def test_a_key_may_have_253_bytes(scene: Scene) -> None:
    scene.endpoint.says(f'{{"data":{{"{"a" * 253}":"1"}}}}'.encode())
    assert set(scene.bulk()) == {"a" * 253}
    scene.endpoint.says(f'{{"data":{{"{"a" * 254}":"1"}}}}'.encode())
    assert "key has length 254 but max is 253" in scene.bulk_error()


def test_an_empty_key_is_dropped(scene: Scene) -> None:
    scene.endpoint.says(b'{"data":{"":"1","A":"2"}}')
    assert scene.bulk() == {"A": b"2"}


@pytest.mark.parametrize(
    ("strategy", "text", "decoded"),
    [
        ("None", "YWJj", b"YWJj"),
        ("Base64", "YWJj", b"abc"),
        ("Base64URL", "-_8=", b"\xfb\xff"),
        ("Auto", "YWJj", b"abc"),
        ("Auto", "-_8=", b"\xfb\xff"),
        ("Auto", "no base64", b"no base64"),
    ],
)
def test_a_value_is_decoded(scene: Scene, strategy: str, text: str, decoded: bytes) -> None:
    scene.endpoint.says(f'{{"value":"{text}","data":{{"K":"{text}"}}}}'.encode())
    outcome = scene.refresh(external_secret(entry(decodingStrategy=strategy)))
    assert outcome.secret is not None
    assert outcome.secret.data == {"K": decoded}
    assert scene.bulk(extract(decodingStrategy=strategy)) == {"K": decoded}


def test_a_value_that_does_not_decode_fails_the_refresh(scene: Scene) -> None:
    scene.endpoint.says(b'{"value":"YW","data":{"K":"YW"}}')
    prefix = "error applying decoding strategy Base64 to data: "
    problem = "illegal base64 data at input byte 0"
    assert scene.error(external_secret(entry(decodingStrategy="Base64"))) == prefix + problem
    bulk = scene.bulk_error(extract(decodingStrategy="Base64"))
    assert bulk == f"{prefix}failure decoding key K: {problem}"


def test_a_template_makes_a_tls_secret_of_two_keys(scene: Scene) -> None:
    scene.endpoint.says(b'{"data":{"tls-crt":"CERT","TLS_KEY":"KEY"}}')
    template = {
        "type": "kubernetes.io/tls",
        "metadata": {"labels": {"app": "{{ .TLS_KEY | lower }}"}, "annotations": {"a": "b"}},
        "data": {"tls.crt": '{{ index . "tls-crt" }}', "tls.key": "{{ .TLS_KEY }}"},
    }
    outcome = scene.refresh(external_secret(data_from=(extract(),), template=template))
    assert outcome.secret is not None
    assert outcome.secret.type == "kubernetes.io/tls"
    assert outcome.secret.data == {"tls.crt": b"CERT", "tls.key": b"KEY"}
    assert outcome.secret.labels["app"] == "key"
    assert outcome.secret.annotations["a"] == "b"


def test_a_template_with_merge_policy_merge_keeps_the_fetched_keys(scene: Scene) -> None:
    template = {"mergePolicy": "Merge", "data": {"URL": "https://{{ .K }}"}}
    assert scene.refresh(external_secret(template=template)).secret.data == {  # type: ignore[union-attr]
        "K": b"s",
        "URL": b"https://s",
    }


def test_a_template_without_data_keeps_the_fetched_keys(scene: Scene) -> None:
    outcome = scene.refresh(external_secret(template={"type": "example.com/mine"}))
    assert outcome.secret is not None
    assert (outcome.secret.type, outcome.secret.data) == ("example.com/mine", {"K": b"s"})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "{{ .NOPE }}",
            'unable to execute template at key k: template: k:1:3: executing "k" at <.NOPE>: '
            'map has no entry for key "NOPE"',
        ),
        ("{{ .K", "unable to parse template at key k: template: k:1: unclosed action"),
    ],
)
def test_a_bad_template_fails_the_refresh(scene: Scene, text: str, problem: str) -> None:
    outcome = scene.refresh(external_secret(template={"data": {"k": text}}))
    assert (outcome.condition.message, outcome.fate) == ("could not update secret", Fate.ABSENT)
    assert outcome.error == (
        "could not apply template: could not execute template: could not execute template: "
        f"unable to execute template at key k: {problem}"
    )


def test_without_a_template_labels_and_annotations_are_the_external_secret_s(scene: Scene) -> None:
    manifest = external_secret()
    manifest["metadata"] |= {"labels": {"team": "shop"}, "annotations": {"note": "x"}}
    outcome = scene.refresh(manifest)
    assert outcome.secret is not None
    assert outcome.secret.labels["team"] == "shop"
    assert outcome.secret.annotations["note"] == "x"


def test_the_target_has_eso_s_marks(scene: Scene) -> None:
    outcome = scene.refresh()
    assert outcome.secret is not None
    owner = hashlib.sha3_224(b"default/my-app-secrets").hexdigest()
    assert outcome.secret.labels[OWNER_LABEL] == owner
    data_hash = hashlib.sha3_224(b"map[K:[115]]").hexdigest()  # Go's %+v of {"K": "s"}
    assert outcome.secret.annotations[DATA_HASH_ANNOTATION] == data_hash


@pytest.mark.parametrize(
    ("body", "template", "problem"),
    [
        ('{"data":{"é":"1"}}', {}, 'data[é]: Invalid value: "é": a valid config key must consist of'),
        ('{"data":{"..":"1"}}', {}, 'data[..]: Invalid value: "..": a valid config key must consist of'),
        (
            f'{{"data":{{"A":"{"x" * (1 << 20)}","B":"x"}}}}',
            {},
            "data: Too long: may not be more than 1048576 bytes",
        ),
        (
            '{"data":{"A":"1"}}',
            {"template": {"type": "kubernetes.io/tls"}},
            "[data[tls.crt]: Required value, data[tls.key]: Required value]",
        ),
    ],
)
def test_what_the_api_server_refuses_fails_the_refresh(
    scene: Scene, body: str, template: Manifest, problem: str
) -> None:
    scene.endpoint.says(body.encode("utf-8"))
    outcome = scene.refresh(external_secret(data_from=(extract(),), **template))
    assert outcome.condition.message == "could not update secret"
    assert outcome.error.startswith(f'Secret "my-app-secrets" is invalid: {problem}')
