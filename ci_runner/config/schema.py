"""The JSON schema of pilotage.yml, for editors to complete and check it."""

from __future__ import annotations

from ci_runner.config import environments
from ci_runner.config.hooks import KEYS, KINDS, PATTERNS
from ci_runner.config.names import DOCS
from ci_runner.config.options import NAMED, OPTIONS, SEVERITIES, Option
from ci_runner.config.pattern import LONGEST

Schema = dict[str, object]


def schema() -> Schema:
    """JSON Schema (draft 2020-12) of the configuration file, made from the manifest."""
    common = {o.name: _property(o) for o in OPTIONS if o.file and o.scope == "directory"}
    entry = {"name": {"type": "string", "description": "Name in the registry and in reports"}, **common}
    run = {o.name: _property(o) for o in OPTIONS if o.file and o.scope == "run"}
    run["registry"] = {"description": run["registry"]["description"], "oneOf": [{"type": "string"}, _registry()]}
    directories = {
        "description": "Several migration directories in one repository; options beside it hold for all of them",
        "type": "array",
        "minItems": 1,
        "items": {"type": "object", "properties": entry, "required": ["dir"], "additionalProperties": False},
    }
    hooks = {"description": "Who is told of which events (docs/webhooks.md)", "type": "array", "items": _hook()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{DOCS}/pilotage.schema.json",
        "title": "Pilotage configuration (pilotage.yml)",
        "type": "object",
        "properties": {**common, **run, "directories": directories, "hooks": hooks, "environments": _environments()},
        "additionalProperties": False,
    }


def _registry() -> Schema:
    backups = {
        "type": "array",
        "items": {"type": "string"},
        "description": "Read and written in this order when the first is down",
    }
    publish = {
        "type": "array",
        "items": {"type": "string", "pattern": "^oci://"},
        "description": "OCI registries that get a copy of each version after it is committed",
    }
    return {
        "type": "object",
        "properties": {"url": {"type": "string"}, "backups": backups, "publish": publish},
        "required": ["url"],
        "additionalProperties": False,
    }


def _environments() -> Schema:
    name = "^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$"
    address: Schema = {"type": "string", "description": "${NAME}: the variable that holds the address"}
    time: Schema = {"type": ["string", "number"], "description": "30s, 10m …"}
    several: Schema = {
        "type": "object",
        "patternProperties": {name: address},
        "minProperties": 1,
        "additionalProperties": False,
    }
    shapes: dict[str, Schema] = {
        "url": address,
        "databases": {"oneOf": [{"type": "string", "pattern": "^\\$\\{\\w+\\}$"}, several]},
        "parallel": {"type": "integer", "minimum": 1, "maximum": 100, "default": 4},
        "on_failure": {"enum": ["stop", "continue"], "default": "stop"},
        "order": {"enum": list(environments.ORDERS)},
        "drift": {"enum": [*environments.DRIFTS, False]},
        "adopt": {"enum": ["auto", "off", False]},
        **{key: {"type": "boolean", "default": False} for key in ("require_approval", "require_primary")},
        **dict.fromkeys(("lock_wait", "lock_timeout", "timeout"), time),
    }
    one: Schema = {
        "type": "object",
        "properties": {key: shapes[key] for key in environments.KEYS},
        "oneOf": [{"required": ["url"]}, {"required": ["databases"]}],
        "additionalProperties": False,
    }
    return {
        "description": "Databases to deploy to (docs/environments.md)",
        "type": "object",
        "patternProperties": {name: one},
        "additionalProperties": False,
    }


def _hook() -> Schema:
    named = {"type": "string", "minLength": 1}
    place: Schema = {
        "oneOf": [
            {"type": "object", "properties": {kind: named}, "required": [kind], "additionalProperties": False}
            for kind in ("env", "file")
        ]
    }
    events, words = {"enum": list(PATTERNS)}, {"type": "string"}
    shapes: dict[str, Schema] = {
        "name": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$"},
        "kind": {"enum": list(KINDS)},
        "events": {"oneOf": [events, {"type": "array", "items": events}]},
        **{name: {"oneOf": [words, {"type": "array", "items": words}]} for name in ("dirs", "envs")},
        **{name: {"type": "boolean"} for name in ("only_on_change", "include_sql", "allow_private")},
        "ports": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 65535}},
        **dict.fromkeys(("url", "secret", "old_secret", "proxy"), place),
    }
    return {
        "type": "object",
        "properties": {name: shapes[name] for name in KEYS},
        "required": ["name", "kind", "url"],
        "additionalProperties": False,
    }


def _property(option: Option) -> Schema:
    return {"description": option.help, **_shape(option)}


def _shape(option: Option) -> Schema:
    # "off" without quotes is a boolean in YAML 1.1: editors must accept both spellings
    severities: list[object] = [*SEVERITIES, False]
    shapes: dict[str, Schema] = {
        "choice": {"enum": [*option.choices, "tsql"] if option.name == "dialect" else list(option.choices)},
        "integer": {"type": "integer", "minimum": 1},
        "switch": {"type": "boolean"},
        "list": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        "rules": {"type": "object", "additionalProperties": {"enum": severities}},
        "naming": {
            "type": "object",
            "properties": {name: {"type": "string", "maxLength": LONGEST} for name in NAMED},
            "additionalProperties": False,
        },
        "text": {"type": "string"},
        "version": {"type": ["string", "number"]},
    }
    return {**shapes[option.kind], **({"default": option.default} if option.default is not None else {})}
