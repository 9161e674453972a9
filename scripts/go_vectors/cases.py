"""The templates and JSONPaths whose results are measured with Go: by hand, and put together at random.

The random ones come from a fixed seed. A case is {kind: target|store|path, text, data|store|body, name}.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

TARGET = {
    "user": "al ice",
    "password": 'p"w:\n<&>é',
    "empty": "",
    "num": "42",
    "json": '{"a": 1, "b": [1.5, "x", null, true], "c": {"d-e": "f", "g": {}}, "n": null,'
    ' "big": 12345678901234567890}',
    "list": '["one", "two", "three"]',
    "objects": '[{"name": "x", "value": "1"}, {"name": "y", "value": "2"}]',
    "csv": "a,b,,c",
    "url": "https://u:p@h.example.com:8443/a/b?x=1#f",
    "cert": "-----BEGIN-----\nAAA\n-----END-----\n",
    "b64": "aGVsbG8=",
    "tls.key": "dotted",
}
STORE = {
    "remoteRef": {"key": "a b/c", "property": "", "version": "", "namespace": "team"},
    "auth": {"username": "svc", "password": "p:w d", "token": "tok\n", "a-b": "x"},
}
BODY = {
    "value": 42,
    "text": "s",
    "data": {
        "fields": [{"name": "api", "value": "v-api"}, {"name": "db", "value": "v-db", "n": 2}],
        "a-b": "dash",
        "deep": {"x": {"y": "z"}},
        "none": None,
        "yes": True,
    },
    "items": [3, 1, "2", None, {"k": "v"}],
    "one": {"only": {"id": 7}},
}

TARGETS = r"""
{{ .user }}
{{ .user | upper | quote }}
{{ .nope }}
{{ .nope.x }}
{{ index . "tls.key" }}{{ index . "no" }}
{{ (.json | fromJson).a }}
{{ (.json | fromJson).c }}
{{ (.json | fromJson).n }}
{{ (.json | fromJson).n.x }}
{{ (.json | fromJson).nope }}
{{ (.json | fromJson).a.b }}
{{ (.json | fromJson).big }}
{{ (index (.json | fromJson) "c") }}
{{ index (.json | fromJson) "b" 1 }}
{{ index (.json | fromJson) "b" 9 }}
{{ index (.json | fromJson) "b" "x" }}
{{ index (.json | fromJson).c "d-e" | upper }}
{{ .json | fromJson | toJson }}
{{ .json | fromJson | toPrettyJson }}
{{ .json | fromJson | toRawJson }}
{{ .password | toJson }}
{{ .password | toRawJson }}
{{ . | toJson }}
{{ dict "a" .user "b" 1 "c" 1.5 "d" true "e" nil | toJson }}
{{ list 1 "a" nil 1.5 true | toJson }}
{{ .nope2 | default "x" }}
{{ .empty | default "x" }}
{{ default "x" .empty }}{{ default 7 }}
{{ coalesce .empty "" .user }}{{ coalesce }}
{{ ternary "y" "n" true }}{{ true | ternary "y" "n" }}{{ ternary "y" "n" .user }}
{{ empty .empty }}{{ empty .user }}{{ empty 0 }}{{ empty nil }}
{{ if .empty }}a{{ else if .user }}b{{ else }}c{{ end }}
{{ if and .user .empty }}a{{ else }}b{{ end }}{{ and .user "z" }}{{ or .empty "q" }}{{ not .empty }}
{{ if eq .user "al ice" "bob" }}y{{ end }}{{ ne .user "x" }}{{ eq .num 42 }}
{{ eq 1 1 }}{{ eq 1 1.0 }}
{{ lt 1 2 }}{{ le 2 2 }}{{ gt "b" "a" }}{{ ge 1.5 2.5 }}
{{ lt "a" 1 }}
{{ lt true false }}
{{ eq (list 1) (list 1) }}
{{ eq .user }}
{{ eq nil nil }}{{ eq .user nil }}
{{ range .list | fromJson }}[{{ . }}]{{ end }}
{{ range $i, $x := .list | fromJson }}{{ $i }}={{ $x }};{{ end }}
{{ range $x := .list | fromJson }}{{ $x | upper }}{{ $.user }}{{ end }}
{{ range .objects | fromJson }}{{ .name }}={{ .value }}{{ "\n" }}{{ end }}
{{ range .objects | fromJson }}{{ .nope }}{{ end }}
{{ range .list | fromJson }}{{ .name }}{{ end }}
{{ range $k, $v := .json | fromJson }}{{ $k }}:{{ kindOf $v }} {{ end }}
{{ range .empty | splitList "," }}({{ . }}){{ end }}
{{ range .csv | splitList "," }}({{ . }}){{ else }}none{{ end }}
{{ range list }}x{{ else }}none{{ end }}
{{ range 3 }}{{ . }}{{ end }}{{ range $i := 2 }}{{ $i }}{{ end }}
{{ range $i, $x := 3 }}{{ $i }}{{ end }}
{{ range 1.5 }}{{ end }}
{{ range .list | fromJson }}{{ if eq . "two" }}{{ continue }}{{ end }}{{ . }}{{ end }}
{{ range .list | fromJson }}{{ if eq . "two" }}{{ break }}{{ end }}{{ . }}{{ end }}
{{ with .user }}{{ . }}{{ $.num }}{{ end }}{{ with .empty }}a{{ else }}b{{ end }}
{{ with .empty }}a{{ else with .user }}{{ . }}{{ end }}
{{ with $x := .user }}{{ $x }}{{ end }}
{{ $x := .user }}{{ $x }}{{ $x = "z" }}{{ $x }}
{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x }}{{ end }}{{ $x }}
{{ $s := "" }}{{ range .list | fromJson }}{{ $s = print $s . }}{{ end }}{{ $s }}
{{ define "t" }}<{{ . }}>{{ end }}{{ template "t" .user }}{{ template "t" }}
{{ define "t" }}{{ .nope }}{{ end }}{{ template "t" . }}
{{ block "b" .user }}[{{ . }}]{{ end }}
{{ template "missing" }}
{{ print 1 2 "a" "b" 3 nil true }}
{{ print .user ":" .num | b64enc }}
{{ println "a" 1 }}
{{ printf "%s:%d:%v:%q:%5d|%-5d|%05d|%x|%X|%t|%.2f|%%" "a" 1 "b" "c\n" 7 7 7 255 "hi" true 1.5 }}
{{ printf "%d" "x" }}{{ printf "%s" 1 }}{{ printf "%s" }}{{ printf "a" 1 }}{{ printf "%v" nil }}
{{ printf "%5s|%-5s|%.2s|%05d|%+d" "ab" "ab" "abcd" -7 3 }}
{{ printf "%v %v" (list 1 "a" nil) (dict "b" 1 "a" "x") }}
{{ printf "%T %T %T %T" 1 "a" (list 1) 1.5 }}
{{ printf "%v %v %v %v" 1e21 1e20 0.0001 0.00001 }}
{{ printf "%e %g %f" 1234.5 1234.5 1234.5 }}
{{ html "<a href='x'>&\"" }}{{ urlquery "a b&c/d" "e" }}{{ urlquery .password }}
{{ len .user }}{{ len "é" }}{{ len (list 1 2) }}
{{ len 1 }}
{{ len nil }}
{{ index "abc" 1 }}
{{ index .user }}
{{ index 1 2 }}
{{ index nil 1 }}
{{ slice (list 1 2 3) 1 }}{{ slice (list 1 2 3) 0 2 }}
{{ slice "abc" 1 }}
{{ .csv | splitList "," | join "-" }}
{{ .csv | split "," }}{{ (.csv | split ",")._1 }}
{{ (splitn "," 2 .csv)._1 }}
{{ .user | replace " " "_" }}{{ .user | trunc 2 }}{{ .user | trunc -3 }}{{ trunc 99 "a" }}
{{ substr 1 3 "abcdef" }}{{ substr -1 3 "abcdef" }}{{ substr 2 -1 "abcdef" }}{{ substr 1 99 "abc" }}
{{ substr 3 1 "abcdef" }}
{{ trimSuffix "ice" .user }}{{ trimPrefix "al" .user }}{{ trimAll "ae" .user }}
{{ hasPrefix "al" .user }}{{ hasSuffix "x" .user }}{{ contains " " .user }}
{{ repeat 3 "ab" }}{{ nospace "a b\tc" }}{{ title "hello wORLD a-b é" }}
{{ repeat -1 "x" }}
{{ cat 1 "a" nil true }}{{ squote "a" 1 nil }}{{ quote "a" 1 nil true 1.5 }}
{{ .cert | indent 2 }}
{{ .cert | nindent 4 }}
{{ .b64 | b64dec }}{{ "!!" | b64dec }}{{ "a" | b64enc }}{{ "hi" | b32enc }}
{{ sha256sum .user }}{{ sha1sum "a" }}{{ sha512sum "" | trunc 8 }}{{ adler32sum "abc" }}
{{ regexMatch "^al" .user }}{{ regexMatch "(" .user }}{{ mustRegexMatch "^a" "b" }}
{{ mustRegexMatch "(" "b" }}
{{ regexFind "[a-z]+" .user }}{{ regexFindAll "[a-z]" .user 2 }}{{ regexFindAll "z" .user -1 | toJson }}
{{ regexReplaceAll "(a)(l)" .user "${2}$1" }}{{ regexReplaceAllLiteral "a" .user "$1" }}
{{ regexFind "(" "a" }}
{{ regexQuoteMeta "a.b*c" }}
{{ add 1 2 3 }}{{ sub 5 3 }}{{ mul 2 3 4 }}{{ div 7 2 }}{{ mod 7 2 }}{{ add1 1 }}{{ max 1 3 2 }}{{ min 3 1 }}
{{ div 1 0 }}
{{ add "1" "2" }}{{ add "x" 1 }}{{ add 1.9 1 }}{{ add nil 1 }}{{ add true 1 }}
{{ atoi "12" }}{{ atoi "x" }}{{ int "7" }}{{ int64 "8" }}{{ int 1.9 }}
{{ add 1 2 | eq 3 }}{{ eq (add 1 2) 3 }}{{ printf "%T" (add 1 2) }}
{{ toString 1 }}{{ toString nil }}{{ toString (list 1 "a") }}{{ list 1 "b" nil | toStrings | toJson }}
{{ list "b" "a" | sortAlpha | join "," }}{{ join "," "x" }}{{ join "-" (list 1 2) }}
{{ first (list 1 2) }}{{ last (list 1 2) }}{{ rest (list 1 2) }}{{ initial (list 1 2) }}{{ first (list) }}
{{ first "abc" }}
{{ append (list 1) 2 }}{{ prepend (list 1) 0 }}{{ concat (list 1) (list 2) }}{{ uniq (list 1 1 2) }}
{{ reverse (list 1 2 3) }}{{ without (list 1 2 3) 2 }}{{ compact (list 1 "" 0 "a") }}{{ has 2 (list 1 2) }}
{{ (dict "a" 1).a }}{{ get (dict "a" 1) "a" }}{{ get (dict "a" 1) "b" }}{{ hasKey (dict "a" 1) "a" }}
{{ get . "user" }}
{{ hasKey . "user" }}
{{ $d := dict "a" 1 }}{{ $_ := set $d "b" 2 }}{{ $d | toJson }}{{ unset $d "a" | toJson }}
{{ pick (dict "a" 1 "b" 2) "a" | toJson }}
{{ omit (dict "a" 1 "b" 2) "a" | toJson }}{{ pluck "a" (dict "a" 1) (dict "a" 2) }}
{{ dig "a" "b" "def" (dict "a" (dict "b" 1)) }}{{ dig "x" "y" "def" (dict) }}
{{ dig "a" "def" . }}
{{ keys (dict "a" 1) }}{{ values (dict "a" 1) }}
{{ typeOf .user }}
{{ typeOf 1 }}{{ kindOf (list) }}{{ kindIs "map" (dict) }}{{ typeIs "string" "a" }}{{ kindOf nil }}
{{ until 3 }}{{ untilStep 5 1 -2 }}{{ untilStep 1 5 -1 }}
{{ fail "no way" }}
{{ all 1 "a" }}{{ any 0 "" }}{{ deepEqual (list 1) (list 1) }}
{{ "a" | toString | upper | lower | trim }}
{{ fromJson "nope" }}{{ (fromJson "nope").a }}
{{ mustFromJson "nope" }}
{{ fromJson "[1,2" | toJson }}
{{ fromJson "\"é\\ud800\"" }}
{{ .user | upper "x" }}
{{ upper 1 }}
{{ upper }}
{{ upper nil }}
{{ "a" "b" }}
{{ .user "x" }}
{{ 1 | 2 }}
{{ nil }}
{{ . | len }}
{{ $ }}
{{ $x }}
{{ }}
{{ .a b }}
{{ (.user }}
{{ .user) }}
{{ .user | }}
{{ | .user }}
{{ "unterminated }}
{{ `raw` }}{{ `a\n` }}{{ "a\tb\x41\u00e9\101" }}
{{ "bad \q" }}
{{ 'a' }}{{ '\n' }}{{ 0x1F }}{{ 1_000 }}{{ 0b11 }}{{ 0o17 }}{{ 017 }}{{ 1e3 }}{{ 1.50 }}{{ -3 }}{{ +4 }}
{{ 08 }}
{{ 99999999999999999999 }}
{{ 1x }}
{{ true }}{{ false }}{{ true.x }}
{{ .user.x }}
{{ .user-x }}
{{ .user, .num }}
{{ if .user }}
{{ end }}
{{ else }}
{{ if .user }}a{{ else }}b{{ else }}c{{ end }}
{{ range .user }}{{ end }}x
{{ break }}
{{ if }}x{{ end }}
{{ range $i, $j, $k := .list }}{{ end }}
{{ $x, $y := .user }}
{{ template .x }}
{{ define x }}{{ end }}
{{ nosuchfunc .user }}
{{ b64encode .user }}
{{- .user -}}  x
x  {{- " y " -}}  z
{{/* comment */}}a{{- /* c */ -}} b
{{/* unclosed
{{ /* not a comment */ }}
a }} b {{ "}}" }}
{{ .user
 | upper }}
{{ printf "%s" (.user | upper) | quote }}
{{ (printf "%s-%s" .user .num) | replace "-" "_" }}
{{ with fromJson .json }}{{ .a }}{{ .c.g }}{{ end }}
{{ $j := .json | fromJson }}{{ $j.a }}{{ $j.b }}{{ index $j.b 1 }}
{{ range (fromJson .json).b }}<{{ . }}>{{ end }}
{{ range fromJson .objects }}{{ $.user }}{{ end }}
{{ fromJson .list | first | upper }}
{{ list "a" nil }}{{ list nil | first }}
{{ not nil }}{{ and }}
{{ and nil 1 }}{{ or nil "" 0 }}{{ .empty | or "x" }}{{ "z" | and .user }}
{{ if or (eq .num "1") (eq .num "42") }}yes{{ end }}
{{ hello }}{{ plural "one" "many" 1 }}{{ plural "one" "many" 2 }}
{{ list 1 2 | toYaml }}
{{ dict "a" "x" "b" (list 1 "y" true nil) "c" (dict "d" (list) "e" (dict) "f" 1.5) | toYaml }}
{{ list (dict "a" 1 "b" (list 2 3)) (list 4 5) "s" | toYaml }}
{{ dict "a" .cert "b" "one\ntwo" | toYaml }}
{{ .cert | toYaml }}
{{ list .cert "x" | toYaml }}
{{ dict "k" (dict "pem" .cert) | toYaml | nindent 4 }}
{{ list "42" "1.5" "" "true" "Yes" "off" "y" "null" "a b" "a@b.c" "x=1" "/p/q" | toYaml }}
{{ .list | fromJson | toYaml }}{{ .objects | fromJson | toYaml }}
{{ dict "42" 1 "true" 2 "a b" 3 | toYaml }}
{{ dict "l" (list (list "a" "b") (dict "c" "d")) | toYaml }}
{{ toYaml 1.25 }}{{ toYaml true }}{{ toYaml nil }}{{ toYaml "w" }}
{{ .json | fromJson | toYaml }}
{{ .user | toYaml }}{{ .num | toYaml }}
{{ dict "a" .cert "b" .password "c" "" "d" "true" "e" "1e3" "f" "x: y" "g" " lead" "h" "~" | toYaml }}
{{ (fromYaml "a: 1\nb: [x, 2, true, null]\nc: {d: 1.5}").b }}
{{ fromYaml "a: 1\nb: yes\nc: 0o17\nd: 010\ne: 1e3\nf: 2001-01-01" | toJson }}
""".strip("\n").split("\n")
MULTILINE = [
    "{{ if .user }}\n  {{ .password }}\n{{ end }}\n{{ .nope }}",
    "line one\n{{ .user\n}}\n{{ nosuch }}",
    "{{ if .user }}\n\n{{ .user | \n nope }}{{ end }}",
    "a\n{{ range fromJson .list }}\n- {{ . }}\n{{- end }}\nz",
    "{{ $x := .user -}}\n   {{ $x }}",
    '{"auths":{"r":{"auth":"{{ printf "%s:%s" .user .num | b64enc }}"}}}',
    "é{{ .user | upper }}ü\n é {{ .nope }}",
    '{{ .user }}\n{{ "a\nb" }}',
    "{{ `a\nb` }}{{ .nope }}",
    "{{ if .user }}{{ .a",
    "x\n\n{{ .user | trunc }}",
    "",
    "plain",
]
STORES = r"""
{{ .remoteRef.key }}|{{ .remoteRef.property }}|{{ .remoteRef.nope }}
{{ or .remoteRef.property "password" }}
{{ if .remoteRef.property }}/{{ .remoteRef.property }}{{ end }}
Basic {{ print .auth.username ":" .auth.password | b64enc }}
Bearer {{ .auth.token | trim }}
Bearer {{ .nope.token }}
Bearer {{ .nope.token | trim }}
{{ index .auth "a-b" }}{{ index .auth "no" }}{{ index . "no" }}{{ index . "no" "x" }}
{{ index .nope "x" }}
{{ .auth }}{{ . }}
{{ .remoteRef.key | urlquery }}{{ .remoteRef.key | replace "+" "%20" }}
{{ .auth | toJson }}
{{ .auth.token.x }}
{{ range $k, $v := .auth }}{{ $k }}={{ $v | trim }};{{ end }}
{{ with .auth }}{{ .username }}{{ .nope }}{{ end }}
{{ .nope | toString }}{{ .nope | default "x" }}{{ .nope | quote }}{{ print .nope }}{{ printf "%v" .nope }}
{{ .nope | b64enc }}
{{ eq .remoteRef.version "" }}{{ ne .nope.x "a" }}{{ eq .nope nil }}
{{ not .nope }}{{ and .nope "a" }}{{ if .nope.x }}a{{ else }}b{{ end }}
{{ len .auth }}{{ len .nope }}
{{ range .nope }}a{{ else }}none{{ end }}{{ with .nope.x }}a{{ else }}b{{ end }}
{{ $x := .nope }}{{ $x }}{{ $x.y }}
{{ coalesce .nope .auth.nope "z" }}{{ empty .nope }}{{ list .nope | toJson }}{{ dict "a" .nope | toJson }}
{{ hasKey .auth "token" }}
{{ ternary "a" "b" (eq .remoteRef.property "") }}
""".strip("\n").split("\n")
PATHS = r"""
$
$.value
$.text
$.data.a-b
$.data["a-b"]
$['data']
$['d']
$.data.fields[0].value
$.data.fields[-1]
$.data.fields[9]
$.data.fields[*].value
$.data.fields.*.value
$.data.fields[?@.name=="api"].value
$.data.fields[?(@.name=="api")].value
$.data.fields[?(@.name == "db")]
$.data.fields[?@.name!="api"].value
$.data.fields[?(@.name=='api')].value
$.data.fields[?@.nope=="x"].value
$.data.fields[?@.n==2].name
$.data.fields[?@.n]
$.data.fields[?(@.name=="api" && @.value=="v-api")]
$.data.fields[?@.n>1]
$.data.fields[0:1].name
$.data.fields[:1].name
$.data.fields[1:].name
$.data.fields[::2]
$.items[::-1]
$.items[0,1]
$.items["1"]
$.items.x
$.items[?@==3]
$.items[?@=="2"]
$.items[1:0]
$.data["deep"]["x"].y
$..y
$..id
$.one.*.id
$.one[*]
$.data.none
$.data.none.x
$.data.yes
$.nope
$.data.fields["name"]
$.text.x
$.value.x
value
data.deep
$value
.value
$.
$..
$[]
$[
$["a
$.data.[0]
$ .value
$.data.1x
$.value == 42
$.value != 42
$.text == "s" == true
-$.value
($.value)
$.(value)
$.data[$.text]
$.data[("a-b")]
true
"x"
42
{.value}
{{.value}}
$.data[a-b]
$.data['a-b']
$.data.fields[(@.length-1)]
$.value + 1
$.value && true
$.a =~ "x"
$[*]
$.*.id
@
@.value
$.data.fields[?@.name=="{{ x }}"]
$.data.fields[?]
$.data.fields[?@]
$.data.fields[0:1:1:1]
$.data.fields[0,1:2]
$.données
$.data // comment
$.items[0.9]
$.items[01]
$.items[1e0]
""".strip("\n").split("\n")


def cases() -> Iterator[dict[str, Any]]:
    """All of them."""
    for text in [*TARGETS, *MULTILINE]:
        yield {"kind": "target", "name": "KEY", "text": text, "data": TARGET}
    for text in STORES:
        yield {"kind": "store", "text": text, "store": STORE}
    for text in PATHS:
        yield {"kind": "path", "text": text, "body": json.dumps(BODY)}
    draw = random.Random(20261128)  # noqa: S311
    for _ in range(400):
        yield {"kind": "target", "name": "KEY", "text": _template(draw, 0), "data": TARGET}
    for _ in range(200):
        yield {"kind": "path", "text": _path(draw), "body": json.dumps(BODY)}


_LEAVES = (
    ".user", ".num", ".empty", ".csv", ".nope", "$.user", '"lit"', '"a b"', "7", "1.5", "true", "nil",
    '(.json | fromJson)', '(fromJson .list)', '(list 1 "a")', '(dict "k" "v")', ".", "(.json | fromJson).c",
    "(.json | fromJson).n",
)  # fmt: skip
_PIPES = (
    "upper", "lower", "trim", "quote", "squote", "b64enc", "b64dec", "toString", "toJson", "fromJson", "len",
    "not", 'default "d"', "print", 'printf "%v"', 'printf "%5s|"', 'replace "a" "b"', "trunc 2", "indent 1",
    'splitList ","', 'join "-"', "first", "last", "empty", 'eq "lit"', 'ne 7', "add 1", "int", 'index "k"',
    "html", "urlquery", 'regexMatch "a"', "list", 'hasPrefix "a"', "kindOf", "typeOf", 'and "x"', 'or "y"',
    'ternary "y" "n"', "title", "sha256sum", "reverse", "toStrings", 'contains "i"', "lt 3", "coalesce",
)  # fmt: skip
_BREAKS = ("{{", "}}", ")", "(", "|", '"', "$", ".", "-", " -}}", "{{- ", "end", "\n", ",", ":=", "=", "'")


def _expression(draw: random.Random) -> str:
    parts = [draw.choice(_LEAVES)]
    parts += [draw.choice(_PIPES) for _ in range(draw.randrange(4))]
    return " | ".join(parts)


def _template(draw: random.Random, depth: int) -> str:
    parts = []
    for _ in range(draw.randrange(1, 3)):
        inner = "x" if depth > 1 else _template(draw, depth + 1)
        parts.append(
            draw.choice(
                (
                    f"{{{{ {_expression(draw)} }}}}",
                    f"t {{{{- {_expression(draw)} -}}}} u",
                    f"{{{{ if {_expression(draw)} }}}}{inner}{{{{ else }}}}n{{{{ end }}}}",
                    f"{{{{ with {_expression(draw)} }}}}{inner}{{{{ . }}}}{{{{ end }}}}",
                    f"{{{{ range {_expression(draw)} }}}}{inner}{{{{ end }}}}",
                    f"{{{{ range $i, $e := {_expression(draw)} }}}}{{{{ $i }}}}{{{{ $e }}}}{{{{ end }}}}",
                    f"{{{{ $v := {_expression(draw)} }}}}{{{{ $v | toString }}}}",
                )
            )
        )
    text = "".join(parts)
    if draw.random() < 0.15:
        at = draw.randrange(len(text) + 1)
        text = text[:at] + draw.choice(_BREAKS) + text[at + draw.randrange(3) :]
    return text


def _path(draw: random.Random) -> str:
    steps = (
        ".value", ".data", ".fields", "[0]", "[1]", ".name", '["a-b"]', ".items", "[*]", "..y", "[?@.n==2]",
        '[?(@.name=="api")]', "[0:2]", "[-1]", ".deep", ".x", ".one", ".only", ".id", "[0,1]", ".none", ".*",
        "['text']", "[text]", " == 42", "(1)", ".1", "-1", " ", "]", "[", '"', "[::2]", '["x","y"]',
    )  # fmt: skip
    return "$" + "".join(draw.choice(steps) for _ in range(draw.randrange(1, 5)))
