"""Packs an orb's source folder as CircleCI's own program does, and expands a job of it into a configuration without orbs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

KINDS = ("commands", "executors", "jobs", "examples")


def pack(source: Path) -> dict[str, Any]:
    """One orb: each file's name is its key, scripts stand where they are included."""

    def included(text: str) -> Any:
        data = yaml.safe_load(text)
        return _replace(data, r"<<include\(([\w./-]+)\)>>", lambda found: (source / found[1]).read_text())

    orb: dict[str, Any] = included((source / "@orb.yml").read_text())
    for kind in KINDS:
        files = sorted((source / kind).glob("*.yml"))
        if files:
            orb[kind] = {path.stem: included(path.read_text()) for path in files}
    return orb


def expand(orb: dict[str, Any], job: str, given: dict[str, str]) -> dict[str, Any]:
    """A configuration with one job, its executor and commands filled in."""
    body = _filled(orb["jobs"][job], given)
    executor = body.pop("executor")
    steps: list[Any] = []
    for step in body["steps"]:
        name = next(iter(step)) if isinstance(step, dict) else None
        steps += _filled(orb["commands"][name], step[name])["steps"] if name in orb["commands"] else [step]
    made = {**_filled(orb["executors"][executor.pop("name")], executor), **body, "steps": steps}
    made.pop("description", None)
    return {"version": 2.1, "jobs": {job: made}, "workflows": {"main": {"jobs": [job]}}}


def _filled(part: dict[str, Any], given: dict[str, str]) -> dict[str, Any]:
    unknown = set(given) - set(part["parameters"])
    assert not unknown, f"no such parameters: {unknown}"
    values = {name: given.get(name, each["default"]) for name, each in part["parameters"].items()}
    rest = {name: value for name, value in part.items() if name != "parameters"}
    filled: dict[str, Any] = _replace(rest, r"<<\s*parameters\.(\w+)\s*>>", lambda found: values[found[1]])
    return filled


def _replace(data: Any, pattern: str, by: Any) -> Any:
    if isinstance(data, dict):
        return {name: _replace(value, pattern, by) for name, value in data.items()}
    if isinstance(data, list):
        return [_replace(value, pattern, by) for value in data]
    return re.sub(pattern, by, data) if isinstance(data, str) else data
