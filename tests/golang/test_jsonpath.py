"""`result.jsonPath`. Every expectation was measured with PaesslerAG/jsonpath v0.1.1."""

from __future__ import annotations

import pytest

from arcan_gitops.golang.errors import GoError, NotSupported
from arcan_gitops.golang.json import marshal
from arcan_gitops.golang.json import parse as parse_json
from arcan_gitops.golang.jsonpath import get, parse

BODY = parse_json(
    '{"value":"s","data":{"a":"1","a-b":"2","a.b":"3","ü":"4","1x":"5","n":null},'
    '"l":["x","y"],"e":[],"o":{"k":{"z":1}}}'.encode()
)


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ("$.value", '"s"'),
        ('$["value"]', '"s"'),
        ("$[`value`]", '"s"'),
        ('$["\\u0076alue"]', '"s"'),
        (" $ . value ", '"s"'),
        ('$.data["a-b"]', '"2"'),
        ('$["data"]["a.b"]', '"3"'),
        ("$.data.ü", '"4"'),
        ('$.data["1x"]', '"5"'),
        ("$.data.n", "null"),
        ("$.l[0]", '"x"'),
        ('$.l["0"]', '"x"'),
        ("$.l[01]", '"y"'),
        ("$.l[*]", '["x","y"]'),
        ("$.e[*]", "[]"),
        ("$.o.*", '[{"z":1}]'),
        ("$.o[*].z", "[1]"),
        ("$.secrets[*]", None),
        ("$.l[*].x", "[]"),
    ],
)
def test_a_path_selects(path: str, result: str | None) -> None:
    if result is None:
        with pytest.raises(GoError):
            get("$.secrets", BODY)
        assert get(path, BODY) == []  # behind a wildcard a miss is no error
    else:
        assert marshal(get(path, BODY)).decode() == result


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("$.nope", "unknown key nope"),
        ("$.data[0]", "unknown key 0"),
        ("$.l[9]", "index 9 out of bounds"),
        ("$.l.x", "could not select value, invalid key: expected number but got x (string)"),
        (
            "$.data.a.b",
            "unsupported value type string for select, expected map[string]interface{} or []interface{}",
        ),
        (
            "$.data.n.x",
            "unsupported value type <nil> for select, expected map[string]interface{} or []interface{}",
        ),
        ("$.data.a-b", 'parsing error: $.data.a-b\t:1:9 - 1:10 unexpected "-" while scanning operator'),
        ("$.data.1x", "parsing error: $.data.1x\t:1:7 - 1:9 unexpected Float while scanning operator"),
        ("$['value']", "parsing error: $['value']\t:1:3 - 1:10 could not parse string: invalid syntax"),
        (
            "$.",
            'parsing error: $.\t:1:3 - 1:3 unexpected EOF while scanning JSON select expected Ident, "." or "*"',
        ),
        ("$[]", 'parsing error: $[]\t:1:3 - 1:4 unexpected "]" while scanning extensions'),
        ("$value", "parsing error: $value\t:1:2 - 1:7 unexpected Ident while scanning operator"),
        (".value", 'parsing error: .value\t:1:1 - 1:2 unexpected "." while scanning extensions'),
        ("<no value>", 'parsing error: <no value>\t:1:1 - 1:2 unexpected "<" while scanning extensions'),
    ],
)
def test_a_path_that_fails_says_what_the_library_says(path: str, problem: str) -> None:
    with pytest.raises(GoError) as caught:
        get(path, BODY)
    assert str(caught.value) == problem


@pytest.mark.parametrize(
    ("path", "result"),
    [
        ('$.l[?@=="x"]', '["x"]'),
        ('$.l[?(@=="y")]', '["y"]'),
        ('$.l[?@!="x"]', '["y"]'),
        ('$.l[?(@.name=="x")].value', "[]"),
        ("$.l[0:1]", '["x"]'),
        ("$.l[::-1]", '["y","x"]'),
        ("$.l[1,0]", '["y","x"]'),
        ('$.data["a","a-b"]', '["1","2"]'),
        ('$.value == "s"', "true"),
        ("$..z", "[1]"),
        ("$['\u00fc']", None),
        ("$.data['ü']", '"4"'),
        ("($.value)", '"s"'),
        ("true", "true"),
        ("-1", "-1"),
    ],
)
def test_filters_ranges_and_expressions(path: str, result: str | None) -> None:
    if result is None:
        with pytest.raises(GoError, match="unknown key"):
            get(path, BODY)
    else:
        assert marshal(get(path, BODY)).decode() == result


@pytest.mark.parametrize("path", ["value", "date()", "$.data[value]"])
def test_variables_and_functions_are_not_evaluated(path: str) -> None:
    with pytest.raises(NotSupported, match="not supported by the emulator"):
        get(path, BODY)


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        (
            "$.l[?(@.name=='api')]",
            "parsing error: $.l[?(@.name=='api')]\t:1:15 - 1:20 could not parse string: invalid syntax",
        ),
        ("$.a && $.b", "parsing error: $.a && $.b\t - 1:7 unknown operator &&"),
        (
            "$.a[1:2:3:4]",
            "parsing error: $.a[1:2:3:4]\t:1:12 - 1:13 range query has at least the parameter [min:max:step]",
        ),
    ],
)
def test_a_path_that_does_not_parse_is_known_without_a_document(path: str, problem: str) -> None:
    with pytest.raises(GoError) as caught:
        parse(path)
    assert str(caught.value) == problem


def test_a_wildcard_over_an_object_is_refused_because_go_s_order_is_random() -> None:
    with pytest.raises(NotSupported) as caught:
        get("$.data.*", BODY)
    assert caught.value.hint is not None
    assert "random" in caught.value.hint
