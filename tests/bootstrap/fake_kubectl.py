"""A cluster in one file, for the commands of kubectl that the product prints; it notes what it is given.

Started as `fake_kubectl.py STATE LIBRARIES arguments...`, many times in a test: so it is an interpreter without
site-packages that imports next to nothing, the state is marshalled, and so is what `create` hands on to
`apply`. YAML is read with what is in LIBRARIES. `STATE` has "objects" ("kind/namespace/name" -> object),
"calls" (the arguments of each call), "fail_after": how many calls succeed, where the cluster is to go away, and
"refused": a place -> how many objects are not taken there, and whether empty ones count.
"""

from __future__ import annotations

import binascii
import fcntl
import marshal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KEYS = "go-template={{range $key, $value := .data}}{{$key}} {{end}}"
_MADE = "made "
_EMPTY = "go-template={{if not .data}}empty{{end}}"
_HELD = "go-template={{range $key, $value := .data}}{{if eq $key "


def main() -> int:
    state_file, arguments = sys.argv[1], sys.argv[3:]
    given = (
        _given() if "apply" in arguments else []
    )  # before the lock: what comes from the other end of a pipe
    with open(f"{state_file}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _run(state_file, arguments, given)


def _given() -> list[Any]:
    """The manifests of standard input."""
    text = sys.stdin.read()
    if text.startswith(_MADE):
        return [marshal.loads(binascii.unhexlify(text.removeprefix(_MADE)))]
    if not text:
        return []
    sys.path.append(sys.argv[2])
    import yaml

    return list(yaml.safe_load_all(text))


def _run(state_file: str, arguments: list[str], given: list[Any]) -> int:
    with open(state_file, "rb") as file:
        state = marshal.load(file)
    state["calls"].append(arguments)
    if state.get("fail_after") is not None and len(state["calls"]) > state["fail_after"]:
        _save(state_file, state)
        print("The connection to the server was refused", file=sys.stderr)
        return 1
    options = dict(_option(word) for word in arguments if word.startswith("--"))
    words = [word for word in arguments if not word.startswith("--")]
    given = [] if _refused(state, given) else given or arguments
    status = _VERBS[words[0]](state["objects"], words[1:], options, given) if given else 1
    _save(state_file, state)
    return status


def _refused(state: dict[str, Any], manifests: list[Any]) -> bool:
    """Whether one of the objects is not taken: the API server's answer is lost, or a policy says no."""
    for manifest in manifests:
        place = _place(manifest["kind"].lower(), manifest["metadata"]["name"], manifest["metadata"])
        times, also_empty = state.get("refused", {}).get(place, (0, False))
        if times > 0 and (manifest["data"] or also_empty):
            state["refused"][place] = (times - 1, also_empty)
            print("Error from server (InternalError): no leader", file=sys.stderr)
            return True
    return False


def _save(state_file: str, state: dict[str, Any]) -> None:
    with open(state_file, "wb") as file:
        marshal.dump(state, file)


def _option(word: str) -> tuple[str, str]:
    name, _, text = word.removeprefix("--").partition("=")
    return name, text


def _place(kind: str, name: str, options: dict[str, str]) -> str:
    namespace = "" if kind in ("namespace", "clusterexternalsecret") else options["namespace"]
    return f"{kind}/{namespace}/{name}"


def _get(objects: dict[str, Any], words: list[str], options: dict[str, str], _: list[str]) -> int:
    if "raw" in options:
        print(objects[f"raw//{words[0]}"]["data"]["answer"], end="")
        return 0
    kind, name = words
    found = objects.get(_place(kind, name, options))
    assert "ignore-not-found" in options
    if found is None:
        return 0
    output = options["output"]
    if output == "name":
        print(f"{kind}/{name}")
    elif output == _KEYS:
        print("".join(f"{key} " for key in found["data"]), end="")
    elif output == _EMPTY:
        print("" if found["data"] else "empty", end="")
    else:
        assert output.startswith(_HELD), output
        key = output.removeprefix(_HELD).split('"')[1]
        print(binascii.a2b_base64(found["data"].get(key, "")).decode(), end="")
    return 0


def _create(objects: dict[str, Any], words: list[str], options: dict[str, str], arguments: list[str]) -> int:
    if words[0] == "namespace":
        objects[_place("namespace", words[1], options)] = {"data": {}, "labels": {}}
        return 0
    kind = "secret" if words[0] == "secret" else "configmap"
    files = [_option(word)[1] for word in arguments if word.startswith("--from-file=")]
    data = {key: _read(path) for key, _, path in (file.partition("=") for file in files)}
    assert options["dry-run"] == "client"
    if kind == "secret":
        data = {key: binascii.b2a_base64(text.encode(), newline=False).decode() for key, text in data.items()}
    manifest = {
        "kind": {"secret": "Secret", "configmap": "ConfigMap"}[kind],
        "metadata": {"name": words[-1], "namespace": options["namespace"]},
        "data": data,
    }
    print(_MADE, binascii.hexlify(marshal.dumps(manifest)).decode(), sep="", end="")
    return 0


def _read(path: str) -> str:
    with open(path) as file:
        return file.read()


def _apply(objects: dict[str, Any], words: list[str], options: dict[str, str], manifests: list[Any]) -> int:
    assert {"server-side", "force-conflicts"} <= set(options)
    assert options["filename"] == "-"
    if not isinstance(manifests[0], dict):  # nothing came, and these are the arguments
        print("error: no objects passed to apply", file=sys.stderr)
        return 1
    for manifest in manifests:
        metadata = manifest["metadata"]
        namespaces = [place for place in objects if place == f"namespace//{metadata['namespace']}"]
        if not namespaces:
            print(f"namespaces {metadata['namespace']} not found", file=sys.stderr)
            return 1
        place = _place(manifest["kind"].lower(), metadata["name"], metadata)
        found = objects.setdefault(place, {"data": {}, "labels": {}})
        found["data"].update(manifest["data"])
        found["labels"].update(metadata.get("labels", {}))
    return 0


def _label(objects: dict[str, Any], words: list[str], options: dict[str, str], _: list[str]) -> int:
    kind, name, *labels = words
    assert "overwrite" in options
    objects[_place(kind, name, options)]["labels"].update(label.split("=") for label in labels)
    return 0


def _annotate(objects: dict[str, Any], words: list[str], options: dict[str, str], _: list[str]) -> int:
    if "selector" in options:  # of all of ours in a namespace, or cluster-wide
        kind, annotation = words[0].removesuffix("s"), words[1]
        start = f"{kind}/{options.get('namespace', '')}/"
        for place in [place for place in objects if place.startswith(start)]:
            objects[place]["annotation"] = annotation
        return 0
    kind, name, annotation = words
    place = _place(kind, name, options)
    if place not in objects:
        print(f'Error from server (NotFound): externalsecrets "{name}" not found', file=sys.stderr)
        return 1
    objects[place]["annotation"] = annotation
    return 0


_VERBS = {"get": _get, "create": _create, "apply": _apply, "label": _label, "annotate": _annotate}

if __name__ == "__main__":
    sys.exit(main())
