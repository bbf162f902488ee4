"""GitLab's answers and requests as JSON schemas, after the attribute tables of its REST reference.

Sources: docs.gitlab.com/api/ notes, discussions, merge_requests, commits, projects, users. GitLab publishes no description that could be taken whole.
"""

from __future__ import annotations

from typing import Any

from jsonschema import Draft202012Validator

TEXT = {"type": "string"}
NUMBER = {"type": "integer"}
FLAG = {"type": "boolean"}
MAYBE_TEXT = {"type": ["string", "null"]}


def object_of(
    required: dict[str, Any], optional: dict[str, Any] | None = None, *, closed: bool = False
) -> dict[str, Any]:
    properties = {**required, **(optional or {})}
    return {"type": "object", "required": list(required), "properties": properties, "additionalProperties": not closed}


USER = object_of(
    {"id": NUMBER, "username": TEXT, "name": TEXT, "state": TEXT, "web_url": TEXT}, {"avatar_url": MAYBE_TEXT}
)
POSITION = object_of(
    {
        "base_sha": TEXT,
        "start_sha": TEXT,
        "head_sha": TEXT,
        "position_type": {"enum": ["text", "image", "file"]},
        "old_path": TEXT,
        "new_path": TEXT,
    },
    {"old_line": {"type": ["integer", "null"]}, "new_line": {"type": ["integer", "null"]}},
)
NOTE = object_of(
    {
        "id": NUMBER,
        "type": {"enum": [None, "DiscussionNote", "DiffNote"]},
        "body": TEXT,
        "author": USER,
        "created_at": TEXT,
        "updated_at": TEXT,
        "system": FLAG,
        "noteable_id": NUMBER,
        "noteable_type": {"const": "MergeRequest"},
        "noteable_iid": NUMBER,
        "resolvable": FLAG,
    },
    {"position": POSITION, "resolved": FLAG},
)
DISCUSSION = object_of({"id": TEXT, "individual_note": FLAG, "notes": {"type": "array", "items": NOTE, "minItems": 1}})
REFS = object_of({"base_sha": TEXT, "head_sha": TEXT, "start_sha": TEXT})
MERGE_REQUEST = object_of(
    {
        "id": NUMBER,
        "iid": NUMBER,
        "project_id": NUMBER,
        "title": TEXT,
        "state": {"enum": ["opened", "closed", "merged", "locked"]},
        "source_branch": TEXT,
        "target_branch": TEXT,
        "source_project_id": {"type": ["integer", "null"]},
        "target_project_id": NUMBER,
        "sha": TEXT,
        "author": USER,
    },
    {"diff_refs": REFS},
)
DIFF = object_of(
    {
        "old_path": TEXT,
        "new_path": TEXT,
        "a_mode": TEXT,
        "b_mode": TEXT,
        "diff": TEXT,
        "new_file": FLAG,
        "renamed_file": FLAG,
        "deleted_file": FLAG,
    }
)
STATUS = object_of(
    {
        "id": NUMBER,
        "sha": TEXT,
        "ref": TEXT,
        "status": TEXT,
        "name": TEXT,
        "description": MAYBE_TEXT,
        "target_url": MAYBE_TEXT,
        "author": USER,
    }
)
COMMIT = object_of({"id": TEXT, "short_id": TEXT, "title": TEXT, "parent_ids": {"type": "array", "items": TEXT}})
PROJECT = object_of({"id": NUMBER, "path_with_namespace": TEXT, "default_branch": MAYBE_TEXT})

BODY = object_of({"body": {**TEXT, "minLength": 1}}, closed=True)
# (method, path below the project) → schema of the request's body, schema of the answer
OPERATIONS: dict[tuple[str, str], tuple[dict[str, Any] | None, dict[str, Any] | None]] = {
    ("GET", r""): (None, PROJECT),
    ("GET", r"/repository/merge_base"): (None, COMMIT),
    ("GET", r"/repository/commits/\w+/merge_requests"): (None, {"type": "array", "items": MERGE_REQUEST}),
    ("GET", r"/repository/commits/\w+/statuses"): (None, {"type": "array", "items": STATUS}),
    ("GET", r"/merge_requests"): (None, {"type": "array", "items": MERGE_REQUEST}),
    ("GET", r"/merge_requests/\d+"): (None, {"allOf": [MERGE_REQUEST, {"required": ["diff_refs"]}]}),
    ("GET", r"/merge_requests/\d+/diffs"): (None, {"type": "array", "items": DIFF}),
    ("GET", r"/merge_requests/\d+/notes"): (None, {"type": "array", "items": NOTE}),
    ("POST", r"/merge_requests/\d+/notes"): (BODY, NOTE),
    ("PUT", r"/merge_requests/\d+/notes/\d+"): (BODY, NOTE),
    ("DELETE", r"/merge_requests/\d+/notes/\d+"): (None, None),
    ("GET", r"/merge_requests/\d+/discussions"): (None, {"type": "array", "items": DISCUSSION}),
    ("POST", r"/merge_requests/\d+/discussions"): (
        object_of({"body": TEXT, "position": POSITION}, closed=True),
        DISCUSSION,
    ),
    ("PUT", r"/merge_requests/\d+/discussions/\w+"): (object_of({"resolved": FLAG}, closed=True), DISCUSSION),
    ("PUT", r"/merge_requests/\d+/discussions/\w+/notes/\d+"): (BODY, NOTE),
    ("POST", r"/statuses/\w+"): (
        object_of(
            {"state": {"enum": ["pending", "running", "success", "failed", "canceled", "skipped"]}},
            {"name": TEXT, "description": {**TEXT, "maxLength": 255}, "target_url": TEXT, "ref": TEXT},
            closed=True,
        ),
        STATUS,
    ),
}


def problem(schema: dict[str, Any] | None, value: Any) -> str | None:
    """What is wrong with a value, or None."""
    if schema is None:
        return None if value is None else "a body where there is none"
    error = next(iter(Draft202012Validator(schema).iter_errors(value)), None)
    return f"{error.json_path}: {error.message[-200:]}" if error else None
