"""What Go's libraries do with a text, where Kubernetes, ESO or SOPS rely on them.

One module for each library; the source of its rules stands at its top. `template` and `jsonpath` read the
languages that manifests are written in, `regexp` is RE2 behind one wrapper, `yaml` resolves scalars as
go-yaml does. All of them take text and give values or a `GoError`; none reads a file.
"""
