"""The JSON Schema (2020-12) of an app's file, for editors; `App.parse` is what decides.

Made of the parser's own constants and of the grammars of the names. What a schema cannot say (which keys a
type needs, a name that is taken, what the realm holds) only the parser and the generator say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from arcan_gitops.durations import GRAMMAR
from arcan_gitops.names import AppName, KeyName, Namespace, ObjectName, OverlayName, RealmName, TokenName
from arcan_gitops.overlay import labels
from arcan_gitops.overlay.app import APP_FIELDS, TEAM_FIELDS, Consistency
from arcan_gitops.overlay.declared_secret import (
    CREATION_POLICIES,
    DECODINGS,
    DELETION_POLICIES,
    KEY_FIELDS,
    REWRITE_FIELDS,
    SECRET_FIELDS,
)
from arcan_gitops.overlay.raw_secret import RAW_FIELDS
from arcan_gitops.overlay.refresh import REFRESH_POLICIES
from arcan_gitops.overlay.removal import DEPARTURE_FIELDS, REMOVED, Day
from arcan_gitops.overlay.secret_type import DOCKER, MERGE_POLICIES, REQUIRED, TEMPLATE_FIELDS

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_TEXTS: Final[Schema] = {"type": "array", "items": _TEXT}


def app_schema() -> Schema:
    """The schema, as it goes to JSON."""
    app = _object(_APP, APP_FIELDS, required=("name",))
    realm = {"required": ["realm"], "not": {"required": ["store"]}}
    other = {"required": ["store"], "not": _any_required("realm", "token", "consistency")}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An app of Arcan: which keys go into which Kubernetes Secrets",
        **app,
        "anyOf": [
            {"required": [REMOVED]},
            {"oneOf": [realm, other], "allOf": [_any_required("secrets", "raw")]},
        ],
        "allOf": [_ONE_PLACE],
    }


def _object(fields: Mapping[str, Schema], known: Sequence[str], required: Sequence[str] = ()) -> Schema:
    assert set(fields) == set(known), "the schema and the parser know different fields"
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: fields[name] for name in known},
        **({"required": list(required)} if required else {}),
    }


def _said(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description}


def _pattern(grammar: re.Pattern[str]) -> Schema:
    """A text that matches as a whole; JSON Schema's regular expressions, JavaScript's, have no `\\Z`."""
    return {"type": "string", "pattern": f"^(?:{grammar.pattern.replace(chr(92) + 'Z', '$')})$"}


def _name(kind: type[Any], description: str = "") -> Schema:
    return _said(_pattern(kind.grammar), description or kind.rule)


def _one_of(values: Sequence[str], description: str) -> Schema:
    return {"enum": list(values), "description": description}


def _list(items: Schema, description: str) -> Schema:
    return {"type": "array", "minItems": 1, "items": items, "description": description}


def _any_required(*fields: str) -> Schema:
    return {"anyOf": [{"required": [field]} for field in fields]}


def _map(keys: Schema, values: Schema, description: str) -> Schema:
    names = {"pattern": keys["pattern"]}
    return {
        "type": "object",
        "propertyNames": names,
        "additionalProperties": values,
        "description": description,
    }


_ONE_PLACE: Final[Schema] = {"oneOf": [{"required": ["namespace"]}, {"required": ["namespaces"]}]}
_REMOVED: Final = _said(_pattern(Day.grammar), "The day on which it went: 2026-11-28.")
_LABEL_NAME: Final = _pattern(labels.NAME)
_LABELS: Final = _map(_LABEL_NAME, _pattern(labels.VALUE), "Labels of the Secret.")
_ANNOTATIONS: Final = _map(_LABEL_NAME, _TEXT, "Annotations of the Secret.")
_INTERVAL: Final[Schema] = {
    "type": "string",
    "pattern": f"^{GRAMMAR}$",
    "description": "How often ESO asks: 1h, 90m, 1d.",
}
_REFRESH: Final = {
    "refreshPolicy": _one_of(REFRESH_POLICIES, "When ESO asks again; Periodic is the default."),
    "refreshInterval": _INTERVAL,
}
_KEY: Final = {
    "key": _said(_TEXT, "A key of the realm, or of the store."),
    "as": _name(KeyName, "Its name in the Kubernetes Secret."),
    "property": _said(_TEXT, "A field inside the key's value; for other stores than Arcan's."),
    "version": _said(_TEXT, "A version of the key; for other stores than Arcan's."),
    "decode": _one_of(DECODINGS, "How the value is encoded in the store."),
}
_EXTRACT: Final = tuple(field for field in KEY_FIELDS if field != "as")
_REWRITE: Final[Schema] = {
    **_object(
        {
            "source": _said(_TEXT, "A regular expression of Go's over the keys."),
            "target": _said(_TEXT, "What takes its place; $1 is the first group."),
            "transform": _said(_TEXT, "A template over .value, the key."),
        },
        REWRITE_FIELDS,
    ),
    "oneOf": [
        {"required": ["source", "target"], "not": {"required": ["transform"]}},
        {"required": ["transform"], "not": _any_required("source", "target")},
    ],
}
_TEMPLATE: Final = _object(
    {
        "data": _map(_name(KeyName), _TEXT, "Key of the Secret -> Go template over the keys."),
        "mergePolicy": _one_of(MERGE_POLICIES, "Merge keeps the keys of the store beside those of 'data'."),
        "labels": _LABELS,
        "annotations": _ANNOTATIONS,
    },
    TEMPLATE_FIELDS,
)
_NOT_ALL: Final[Schema] = {"properties": {"all": {"const": False}}}
_SECRET: Final[Schema] = {
    **_object(
        {
            "name": _name(ObjectName, "The name of the Kubernetes Secret."),
            "keys": _list({"anyOf": [_TEXT, _object(_KEY, KEY_FIELDS, required=("key",))]}, "Single keys."),
            "all": _said({"type": "boolean"}, "All keys of the environment."),
            "extract": _list(
                {
                    "anyOf": [
                        _TEXT,
                        _object({name: _KEY[name] for name in _EXTRACT}, _EXTRACT, required=("key",)),
                    ]
                },
                "Keys of another store, each with all its fields.",
            ),
            "rewrite": _said(
                {"type": "array", "items": _REWRITE}, "Renames the keys of 'all' and 'extract'."
            ),
            "type": _one_of(tuple(REQUIRED), "The type of the Secret."),
            "registry": _said(_TEXT, f"With type {DOCKER}: made of the keys 'username' and 'password'."),
            "template": _TEMPLATE,
            "labels": _LABELS,
            "annotations": _ANNOTATIONS,
            **_REFRESH,
            "creationPolicy": _one_of(CREATION_POLICIES, "Who owns the Secret; Owner is the default."),
            "deletionPolicy": _one_of(
                DELETION_POLICIES, "What happens to it when its keys are gone; Retain is the default."
            ),
            "immutable": _said({"type": "boolean"}, "The Secret never changes again."),
            "externalSecret": _name(ObjectName, "The name of the ExternalSecret; default: the Secret's."),
            REMOVED: _REMOVED,
        },
        SECRET_FIELDS,
        required=("name",),
    ),
    "anyOf": [
        {"required": [REMOVED]},
        {
            "oneOf": [
                {"required": ["keys"], **_NOT_ALL, "not": _any_required("extract", "rewrite")},
                {"required": ["extract"], **_NOT_ALL},
                {
                    "required": ["all"],
                    "properties": {"all": {"const": True}},
                    "not": _any_required("keys", "extract"),
                },
            ],
        },
    ],
}
_NAMESPACE: Final[Schema] = {
    "anyOf": [_name(Namespace), _map(_name(OverlayName), _name(Namespace), "By overlay.")],
    "description": "Where the Kubernetes Secrets are.",
}
_NAMESPACES: Final[Schema] = {
    "anyOf": [
        _list(_name(Namespace), "By name."),
        _object(
            {"matchLabels": {**_LABELS, "minProperties": 1}}, ("matchLabels",), required=("matchLabels",)
        ),
    ],
    "description": "Many namespaces that all get the Secrets; needs cluster-wide stores.",
}
_OVERLAYS: Final = _list(_name(OverlayName), "Where the app goes; everywhere where it is left out.")
_APP: Final = {
    "name": _name(AppName, "The name of the file, without .yaml."),
    "realm": _name(RealmName, "The realm that the app reads."),
    "token": {
        "anyOf": [_name(TokenName), _map(_name(OverlayName), _name(TokenName), "By overlay.")],
        "description": "A token in the realm's tokens.yaml, by name.",
    },
    "store": _name(ObjectName, "A store of arcan.yaml, in place of realm and token."),
    "namespace": _NAMESPACE,
    "namespaces": _NAMESPACES,
    "overlays": _OVERLAYS,
    "consistency": _one_of(
        tuple(consistency.value for consistency in Consistency),
        "pinned: the state that the overlay was generated from, or none; latest: whatever is loaded.",
    ),
    **_REFRESH,
    "labels": _LABELS,
    "annotations": _ANNOTATIONS,
    "team": {
        **_object(
            {"groups": _said(_TEXTS, "RBAC groups."), "users": _said(_TEXTS, "RBAC users.")}, TEAM_FIELDS
        ),
        "description": "Who may make ExternalSecrets in the namespace: a Role and a RoleBinding.",
    },
    "secrets": _list(_SECRET, "Kubernetes Secrets."),
    "raw": _list(
        _object(
            {
                "name": _name(ObjectName, "The name of the ExternalSecret."),
                "spec": _said(
                    {"type": "object"}, "Its spec, as ESO has it; without secretStoreRef, the app's store."
                ),
                "labels": _LABELS,
                "annotations": _ANNOTATIONS,
                REMOVED: _REMOVED,
            },
            RAW_FIELDS,
            required=("name",),
        )
        | _any_required("spec", REMOVED),
        "ExternalSecrets as ESO has them, for what 'secrets' cannot say.",
    ),
    "left": _list(
        _object(
            {
                "namespace": _NAMESPACE,
                "namespaces": _NAMESPACES,
                "overlays": _OVERLAYS,
                REMOVED: _REMOVED,
            },
            DEPARTURE_FIELDS,
            required=(REMOVED,),
        )
        | _ONE_PLACE,
        "Where the app was, and is no more.",
    ),
    REMOVED: _said(_REMOVED, "The day on which the app went; its Secrets go with it."),
}
