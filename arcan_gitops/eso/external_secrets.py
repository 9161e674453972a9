"""An ExternalSecret manifest, field by field, with ESO's admission rules.

Source: apis/externalsecrets/v1/externalsecret_types.go and externalsecret_validator.go;
measured with ESO itself
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from arcan_gitops.eso.fields import ObjectFields
from arcan_gitops.eso.objects import (
    DataEntry,
    DataFromEntry,
    ExternalSecret,
    MergeRewrite,
    RegexpRewrite,
    RemoteRef,
    Rewrite,
    StoreId,
    StoreKind,
    Target,
    TargetTemplate,
    TemplateSource,
    TransformRewrite,
)

_SECRET_KEY: Final = re.compile(r"[-._a-zA-Z0-9]{1,253}", re.ASCII)
_CREATION: Final = ("Owner", "Orphan", "Merge", "None", "CreateOrMerge")
_ACCOUNT_TOKEN: Final = "kubernetes.io/service-account-token"
_ACCOUNT_NAME: Final = "kubernetes.io/service-account.name"
_BOOTSTRAP_TOKEN: Final = "bootstrap.kubernetes.io/token"
_DECODINGS: Final = ("None", "Base64", "Base64URL", "Auto")
_DELETION: Final = ("Retain", "Delete", "Merge")


def read_external_secret(top: ObjectFields, name: str, namespace: str) -> ExternalSecret:
    """The ExternalSecret. Raises `ArcanError`, also for what ESO's admission webhook refuses."""
    metadata = top.required("metadata")
    spec = top.required("spec")
    store = _store_ref(spec.mapping("secretStoreRef"), namespace)
    entries = spec.mappings("data")
    sources = spec.mappings("dataFrom")
    target = _target(spec.mapping("target"), name)
    spec.ignore("refreshInterval", "refreshPolicy", "syncWindows")
    spec.done()
    if not entries and not sources:
        top.fail("spec", "is refused by ESO: either data or dataFrom should be specified")
    secret = ExternalSecret(
        namespace=namespace,
        name=name,
        target=target,
        data=tuple(_data_entry(entry, store, namespace) for entry in entries),
        data_from=tuple(_data_from_entry(source, store, namespace) for source in sources),
        labels=metadata.text_map("labels"),
        annotations=metadata.text_map("annotations"),
    )
    _admit(top, secret)
    return secret


def _admit(top: ObjectFields, secret: ExternalSecret) -> None:
    target = secret.target
    if target.deletion == "Delete" and target.creation in ("Merge", "None", "CreateOrMerge"):
        top.fail(
            "spec.target",
            "is refused by ESO: deletionPolicy=Delete must not be used when the controller doesn't own the "
            "secret. Please set creationPolicy=Owner",
        )
    if target.deletion == "Merge" and target.creation == "None":
        top.fail(
            "spec.target",
            "is refused by ESO: deletionPolicy=Merge must not be used with creationPolicy=None. "
            "There is no Secret to merge with",
        )
    if (template := target.template) is not None:
        _admit_template(top, target, template)
    keys = [entry.secret_key for entry in secret.data]
    if target.deletion == "Retain":
        for key in keys:
            if keys.count(key) > 1:
                top.fail("spec.data", f"is refused by ESO: duplicate secretKey found: {key}")


def _admit_template(top: ObjectFields, target: Target, template: TargetTemplate) -> None:
    """`validatePrivilegedTemplate` and `ValidateSecretTemplateFromTargets`, since 2.9."""
    where = "spec.target.template"
    if template.type == _BOOTSTRAP_TOKEN:
        top.fail(where, f'is refused by ESO since 2.9: template.type="{_BOOTSTRAP_TOKEN}" is not allowed')
    if template.type == _ACCOUNT_TOKEN:
        problem = f'is refused by ESO since 2.9: template.type="{_ACCOUNT_TOKEN}" with'
        if _ACCOUNT_NAME in template.annotations:
            top.fail(where, f'{problem} annotation "{_ACCOUNT_NAME}" is not allowed')
        if any(source.target.lower() == "annotations" for source in template.sources):
            top.fail(where, f'{problem} templateFrom target="Annotations" is not allowed')
    for source in template.sources:
        if not target.generic and source.target.lower() not in ("", "data", "annotations", "labels"):
            top.fail(
                f"{where}.templateFrom",
                f'is refused by ESO since 2.9: templateFrom target="{source.target}" is not allowed when '
                'targeting a Secret, must be one of "Data", "Annotations" or "Labels"',
            )


def _store_ref(fields: ObjectFields | None, namespace: str) -> StoreId:
    if fields is None:
        return StoreId(StoreKind.SECRET_STORE, namespace, "")
    kind = StoreKind(
        fields.choice("kind", tuple(kind.value for kind in StoreKind), StoreKind.SECRET_STORE.value)
    )
    name = fields.text("name", "")
    fields.done()
    return StoreId(kind, "" if kind is StoreKind.CLUSTER_SECRET_STORE else namespace, name)


def _source_ref(fields: ObjectFields, default: StoreId, namespace: str) -> StoreId | None:
    """The store of one entry, or None for a generator."""
    source = fields.mapping("sourceRef")
    if source is None:
        return default
    if "generatorRef" in source:
        return None
    if "storeRef" not in source:
        fields.fail("sourceRef", "is refused by ESO: generatorRef or storeRef must be set")
    store = _store_ref(source.mapping("storeRef"), namespace)
    source.done()
    return store


def _remote_ref(fields: ObjectFields) -> RemoteRef:
    fields.ignore("metadataPolicy")  # the webhook provider has no metadata
    ref = RemoteRef(
        key=fields.text("key"),
        version=fields.text("version", ""),
        property=fields.text("property", ""),
        conversion=fields.choice("conversionStrategy", ("Default", "Unicode"), "Default"),
        decoding=fields.choice("decodingStrategy", _DECODINGS, "None"),
        refuse_null_bytes=fields.choice("nullBytePolicy", ("Ignore", "Fail"), "Ignore") == "Fail",
    )
    fields.done()
    return ref


def _data_entry(fields: ObjectFields, store: StoreId, namespace: str) -> DataEntry:
    secret_key = fields.text("secretKey")
    if _SECRET_KEY.fullmatch(secret_key) is None:
        fields.fail("secretKey", "must be 1 to 253 of letters, digits, '-', '.' and '_'")
    entry = DataEntry(
        secret_key, _remote_ref(fields.required("remoteRef")), _source_ref(fields, store, namespace)
    )
    fields.done()
    return entry


def _data_from_entry(fields: ObjectFields, store: StoreId, namespace: str) -> DataFromEntry:
    extract, find = fields.mapping("extract"), fields.mapping("find")
    source = _source_ref(fields, store, namespace)
    if extract is not None and find is not None:
        fields.fail("", "is refused by ESO: extract, find, or generatorRef cannot be set at the same time")
    if extract is None and find is None and source is not None:
        fields.fail("", "is refused by ESO: either extract, find, or sourceRef must be set to dataFrom")
    entry = DataFromEntry(
        source,
        None if extract is None else _remote_ref(extract),
        tuple(_rewrite(item) for item in fields.mappings("rewrite")),
    )
    fields.done()
    return entry


def _rewrite(fields: ObjectFields) -> Rewrite:
    if len(fields.names()) != 1:
        fields.fail("", "must have exactly one of regexp, transform and merge")
    rewrite: Rewrite
    if (regexp := fields.mapping("regexp")) is not None:
        rewrite = RegexpRewrite(regexp.text("source"), regexp.text("target"))
        regexp.done()
    elif (transform := fields.mapping("transform")) is not None:
        rewrite = TransformRewrite(transform.text("template"))
        transform.done()
    else:
        merge = fields.required("merge")
        rewrite = MergeRewrite(
            into=merge.text("into", ""),
            strategy=merge.choice("strategy", ("Extract", "JSON"), "Extract"),
            ignores_conflicts=merge.choice("conflictPolicy", ("Ignore", "Error"), "Error") == "Ignore",
            priority=merge.texts("priority"),
            ignores_missing=merge.choice("priorityPolicy", ("IgnoreNotFound", "Strict"), "Strict")
            != "Strict",
        )
        merge.done()
    fields.done()
    return rewrite


def _target(fields: ObjectFields | None, name: str) -> Target:
    if fields is None:
        return Target(name)
    template = fields.mapping("template")
    target = Target(
        name=fields.text("name", "") or name,
        creation=fields.choice("creationPolicy", _CREATION, "Owner"),
        deletion=fields.choice("deletionPolicy", _DELETION, "Retain"),
        immutable=fields.flag("immutable"),
        generic=fields.mapping("manifest") is not None,
        template=None if template is None else _template(template),
    )
    fields.done()
    return target


def _template(fields: ObjectFields) -> TargetTemplate:
    fields.choice("engineVersion", ("v2",), "v2")
    metadata = fields.mapping("metadata")
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    if metadata is not None:
        labels, annotations = metadata.text_map("labels"), metadata.text_map("annotations")
        metadata.ignore("finalizers")
        metadata.done()
    template = TargetTemplate(
        type=fields.text("type", ""),
        merge=fields.choice("mergePolicy", ("Replace", "Merge"), "Replace") == "Merge",
        labels=labels,
        annotations=annotations,
        data=fields.text_map("data"),
        sources=tuple(
            source for item in fields.mappings("templateFrom") for source in _template_sources(item)
        ),
    )
    fields.done()
    return template


def _template_sources(fields: ObjectFields) -> Iterator[TemplateSource]:
    """What one entry of `templateFrom` takes in: a ConfigMap, a Secret, a literal, in this order."""
    target = fields.text("target", "Data") or "Data"
    decoding = fields.choice("valuesDecodingStrategy", _DECODINGS, "None")
    for kind, field in (("ConfigMap", "configMap"), ("Secret", "secret")):
        if (ref := fields.mapping(field)) is not None:
            items = tuple(_template_item(item) for item in ref.mappings("items"))
            yield TemplateSource(kind, ref.text("name"), items, None, target, decoding)
            ref.done()
    literal = fields.optional_text("literal")
    if literal is not None:
        yield TemplateSource(literal=literal, target=target, decoding=decoding)
    fields.done()


def _template_item(fields: ObjectFields) -> tuple[str, bool]:
    """A key, and whether its text makes keys and values."""
    scope = fields.choice("templateAs", ("Values", "KeysAndValues"), "Values")
    item = fields.text("key"), scope == "KeysAndValues"
    fields.done()
    return item
