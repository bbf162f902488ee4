"""Bitbucket Data Center's answers and requests as JSON schemas, after its REST reference.

Sources: developer.atlassian.com/server/bitbucket/rest/ (Pull Requests, Repository, Builds and Deployments) and the guide to Code Insights.
"""

from __future__ import annotations

from typing import Any

from tests.fakes.gitlab_schema import FLAG, NUMBER, TEXT, object_of

NAME = {**TEXT, "minLength": 1}
USER = object_of(
    {"name": NAME, "id": NUMBER, "slug": NAME, "type": {"enum": ["NORMAL", "SERVICE"]}, "displayName": TEXT}
)
VERSION = {**NUMBER, "minimum": 0}
ANCHOR = object_of(
    {
        "path": NAME,
        "line": {**NUMBER, "minimum": 1},
        "lineType": {"enum": ["ADDED", "REMOVED", "CONTEXT"]},
        "fileType": {"enum": ["FROM", "TO"]},
        "diffType": {"enum": ["EFFECTIVE", "COMMIT", "RANGE"]},
    },
    {"orphaned": FLAG, "srcPath": TEXT, "fromHash": TEXT, "toHash": TEXT},
    closed=True,
)
COMMENT: dict[str, Any] = object_of(
    {
        "id": NUMBER,
        "version": VERSION,
        "text": TEXT,
        "author": USER,
        "createdDate": NUMBER,
        "updatedDate": NUMBER,
        "comments": {"type": "array", "items": {"type": "object", "required": ["id", "version", "text"]}},
        "severity": {"enum": ["NORMAL", "BLOCKER"]},
        "state": {"enum": ["OPEN", "PENDING", "RESOLVED"]},
        "threadResolved": FLAG,
    }
)
ACTIVITY = object_of(
    {
        "id": NUMBER,
        "createdDate": NUMBER,
        "user": USER,
        "action": {"enum": ["COMMENTED", "OPENED", "RESCOPED", "APPROVED"]},
    },
    {"commentAction": {"enum": ["ADDED", "DELETED", "EDITED", "REPLIED"]}, "comment": COMMENT, "commentAnchor": ANCHOR},
)
REPOSITORY = object_of({"slug": NAME, "id": NUMBER, "name": TEXT, "project": object_of({"key": NAME})})
REF = object_of({"id": TEXT, "displayId": TEXT, "latestCommit": TEXT, "repository": REPOSITORY})
PULL = object_of(
    {
        "id": NUMBER,
        "version": VERSION,
        "title": TEXT,
        "state": {"enum": ["OPEN", "MERGED", "DECLINED"]},
        "open": FLAG,
        "closed": FLAG,
        "fromRef": REF,
        "toRef": REF,
    }
)
PATH = object_of({"components": {"type": "array", "items": TEXT}, "parent": TEXT, "name": TEXT, "toString": TEXT})
CHANGE = object_of(
    {"path": PATH, "type": {"enum": ["ADD", "COPY", "DELETE", "MODIFY", "MOVE"]}, "nodeType": {"enum": ["FILE"]}}
)
LINE = object_of({"source": NUMBER, "destination": NUMBER, "line": TEXT, "truncated": FLAG})
SEGMENT = object_of(
    {"type": {"enum": ["ADDED", "CONTEXT", "REMOVED"]}, "lines": {"type": "array", "items": LINE}, "truncated": FLAG}
)
HUNK = object_of(
    {
        **dict.fromkeys(("sourceLine", "sourceSpan", "destinationLine", "destinationSpan"), NUMBER),
        "segments": {"type": "array", "items": SEGMENT},
        "truncated": FLAG,
    }
)
DIFF = object_of({"hunks": {"type": "array", "items": HUNK}, "truncated": FLAG})
DIFFS = object_of({"fromHash": TEXT, "toHash": TEXT, "contextLines": NUMBER, "diffs": {"type": "array", "items": DIFF}})
STATES = {"enum": ["SUCCESSFUL", "FAILED", "INPROGRESS", "CANCELLED", "UNKNOWN"]}
SHORT = {**TEXT, "minLength": 1, "maxLength": 255}
BUILD = {"key": SHORT, "state": STATES, "url": {**TEXT, "format": "uri", "minLength": 1, "maxLength": 450}}
WORDS = {"name": SHORT, "description": SHORT}
FIELD = object_of(
    {"title": NAME, "value": {}},
    {"type": {"enum": ["BOOLEAN", "DATE", "DURATION", "LINK", "NUMBER", "PERCENTAGE", "TEXT"]}},
    closed=True,
)
REPORT = object_of(
    {"title": {**NAME, "maxLength": 450}},
    {
        "details": {**TEXT, "maxLength": 2000},
        "result": {"enum": ["PASS", "FAIL"]},
        "data": {"type": "array", "items": FIELD, "maxItems": 6},
        "reporter": {**TEXT, "maxLength": 450},
        "link": {**TEXT, "format": "uri"},
        "logoUrl": TEXT,
    },
    closed=True,
)
ANNOTATION = object_of(
    {"message": {**NAME, "maxLength": 2000}, "severity": {"enum": ["LOW", "MEDIUM", "HIGH"]}},
    {
        "path": TEXT,
        "line": {**NUMBER, "minimum": 0},
        "link": TEXT,
        "type": {"enum": ["VULNERABILITY", "CODE_SMELL", "BUG"]},
        "externalId": {**TEXT, "maxLength": 450},
    },
    closed=True,
)


def page(item: dict[str, Any]) -> dict[str, Any]:
    """A page of a list; where it is not the last, it says where the next one starts."""
    required = {
        "values": {"type": "array", "items": item},
        "size": NUMBER,
        "limit": NUMBER,
        "start": NUMBER,
        "isLastPage": FLAG,
    }
    return object_of(required, {"nextPageStart": {"type": ["integer", "null"]}})


PR, COMMIT = r"/pull-requests/\d+", r"/commits/\w+"
# (method, path below the repository) → schema of the request's body, schema of the answer
OPERATIONS: dict[tuple[str, str], tuple[dict[str, Any] | None, dict[str, Any] | None]] = {
    ("GET", r""): (None, REPOSITORY),
    ("GET", r"/default-branch"): (
        None,
        object_of({"id": TEXT, "displayId": TEXT, "type": {"enum": ["BRANCH", "TAG"]}}),
    ),
    ("GET", COMMIT + r"/merge-base"): (None, {"anyOf": [object_of({"id": TEXT, "displayId": TEXT}), {"type": "null"}]}),
    ("GET", r"/pull-requests"): (None, page(PULL)),
    ("GET", PR): (None, PULL),
    ("GET", PR + r"/changes"): (None, page(CHANGE)),
    ("GET", PR + r"/diff/.+"): (None, DIFFS),
    ("GET", PR + r"/activities"): (None, page(ACTIVITY)),
    ("POST", PR + r"/comments"): (
        object_of({"text": NAME}, {"anchor": ANCHOR, "severity": TEXT, "state": TEXT}, closed=True),
        COMMENT,
    ),
    ("GET", PR + r"/comments/\d+"): (None, COMMENT),
    ("PUT", PR + r"/comments/\d+"): (
        object_of(
            {"version": VERSION}, {"text": NAME, "threadResolved": FLAG, "severity": TEXT, "state": TEXT}, closed=True
        ),
        COMMENT,
    ),
    ("DELETE", PR + r"/comments/\d+"): (None, None),
    ("GET", COMMIT + r"/builds"): (None, object_of(BUILD, WORDS)),
    ("POST", COMMIT + r"/builds"): (object_of(BUILD, WORDS, closed=True), None),
    ("PUT", COMMIT + r"/reports/[\w.-]+"): (REPORT, {"type": "object"}),
    ("DELETE", COMMIT + r"/reports/[\w.-]+"): (None, None),
    ("POST", COMMIT + r"/reports/[\w.-]+/annotations"): (
        object_of({"annotations": {"type": "array", "items": ANNOTATION, "maxItems": 1000}}, closed=True),
        None,
    ),
}
