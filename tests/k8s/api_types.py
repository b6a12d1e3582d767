"""The types of Kubernetes' API as JSON schemas, from the npm package kubernetes-types (generated from Kubernetes'
OpenAPI definitions). Stricter than an API server, which drops a field that it does not know: here it is an error."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import jsonschema

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / ".local/kubernetes/npm/node_modules/kubernetes-types"

Schema = dict[str, Any]

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_IMPORT = re.compile(r'import \{ ([\w, ]+) \} from "([\w./]+)";\n')
_TYPE = re.compile(r"export type (\w+) = ([^;]+);\n")
_INTERFACE = re.compile(r"export interface (\w+) \{\n(.*?)^\}\n", re.DOTALL | re.MULTILINE)
_FIELD = re.compile(r' {4}(?:readonly )?"?([\w$-]+)"?(\??): (\{.*?\}|[^;{]+);\n', re.DOTALL)
_MAP = re.compile(r"\{\s*\[name: string\]: (.+);\s*\}", re.DOTALL)
# The API has hardly any number that is not whole, and none in what we use.
_PLAIN: dict[str, Schema] = {
    "string": {"type": "string"},
    "number": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "any": {},
}


def definition(module: str, kind: str) -> str:
    """`apps.v1.Deployment`: the folder's name, which is not always the group's."""
    return f"{module.replace('/', '.')}.{kind}"


class Module:
    """One file of the package: a group and version of the API."""

    def __init__(self, name: str) -> None:
        self.name = name
        text = _COMMENT.sub("", (PACKAGE / f"{name}.d.ts").read_text())
        text = re.sub(r"^\s*\n", "", text, flags=re.MULTILINE)
        self.homes = self._imports(text)
        text = _IMPORT.sub("", text)
        self.definitions: dict[str, Schema] = {}
        for kind, value in _TYPE.findall(text):
            self.definitions[kind] = self._schema(value)
        for kind, fields in _INTERFACE.findall(text):
            self.definitions[kind] = self._interface(fields)
        rest = _INTERFACE.sub("", _TYPE.sub("", text)).strip()
        if rest:
            raise ValueError(f"{name} has what is not understood: {rest[:80]}")

    def _imports(self, text: str) -> dict[str, str]:
        folder = (PACKAGE / self.name).parent
        return {
            kind: str((folder / origin).resolve().relative_to(PACKAGE.resolve()))
            for kinds, origin in _IMPORT.findall(text)
            for kind in kinds.split(", ")
        }

    def _interface(self, text: str) -> Schema:
        fields = _FIELD.findall(text)
        if rest := _FIELD.sub("", text).strip():
            raise ValueError(f"{self.name} has what is not understood: {rest[:80]}")
        return {
            "type": "object",
            "properties": {name: self._schema(kind) for name, _, kind in fields},
            "required": [name for name, optional, _ in fields if not optional],
            "additionalProperties": False,
        }

    def _schema(self, kind: str) -> Schema:
        if " | " in kind:
            return {"anyOf": [self._schema(one) for one in kind.split(" | ")]}
        if kind in _PLAIN:
            return _PLAIN[kind]
        if kind.startswith('"'):
            return {"const": kind.strip('"')}
        if found := re.fullmatch(r"Array<(.+)>|(\w+)\[\]", kind):
            return {"type": "array", "items": self._schema(found[1] or found[2])}
        if found := _MAP.fullmatch(kind):
            return {"type": "object", "additionalProperties": self._schema(found[1])}
        return {"$ref": f"#/definitions/{definition(self.homes.get(kind, self.name), kind)}"}


@functools.cache
def definitions() -> dict[str, Schema]:
    """All of them, by definition()."""
    if not PACKAGE.is_dir():
        raise FileNotFoundError(f"{PACKAGE} is missing: ./dev install")
    found: dict[str, Schema] = {}
    for path in sorted(PACKAGE.rglob("*.d.ts")):
        name = str(path.relative_to(PACKAGE)).removesuffix(".d.ts")
        for kind, schema in Module(name).definitions.items():
            found[definition(name, kind)] = schema
    return found


@functools.cache
def _kinds() -> dict[tuple[str, str], str]:
    """By apiVersion and kind, which are constants in the types."""
    found = {}
    for name, schema in definitions().items():
        fields = schema.get("properties", {})
        version, kind = (fields.get(key, {}).get("const") for key in ("apiVersion", "kind"))
        if version and kind:
            found[version, kind] = name
    return found


@functools.cache
def _validator(name: str) -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(
        {"$ref": f"#/definitions/{name}", "definitions": definitions()}
    )


def complaints(resource: dict[str, Any]) -> list[str]:
    """What is wrong with a resource, with the path to it."""
    version, kind = resource.get("apiVersion"), resource.get("kind")
    name = _kinds().get((str(version), str(kind)))
    if name is None:
        return [f"Kubernetes has no {version} {kind}"]
    where = f"{kind} {resource.get('metadata', {}).get('name')}"
    return [
        f"{where}: {'.'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in _validator(name).iter_errors(resource)
    ]
