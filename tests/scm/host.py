"""What the contract suite must know of each SCM to talk to its fake behind the SCM's back."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from msgspec.structs import replace

from ci_runner.http import Limits, Patience
from ci_runner.model.ci import Trigger
from ci_runner.scm import Scm
from tests.fakes import azure, bitbucket, datacenter, gitlab
from tests.fakes.azure import Azure
from tests.fakes.bitbucket import Bitbucket
from tests.fakes.datacenter import DataCenter
from tests.fakes.github import BOT_TOKEN, OWNER_TOKEN, READ_TOKEN, GitHub
from tests.fakes.gitlab import GitLab

HEAD = "a" * 40
BASE = "b" * 40
ADDED = "migrations/3_add.sql"
EDITED = "migrations/1_old.sql"


_BUILD_STATES = {"FAILED": "failure", "SUCCESSFUL": "success", "INPROGRESS": "pending"}


@dataclass
class Waits:
    """Stands in for the clock: remembers how long it was asked to sleep."""

    slept: list[float] = field(default_factory=list)

    def patience(self, left: float = 120.0) -> Patience:
        return Patience(left, self.slept.append)


def _shown(body: str) -> str:
    """A body of Bitbucket's with its marker as it is written on the other hosts."""
    return re.sub(r"\A\[//\]: # \((.*)\)\n\n", r"<!-- \1 -->\n", body)


def _add_comment(fake: Any, login: str, body: str) -> None:
    fake.state["comments"].append({"id": fake.number(), "pull": "7", "login": login, "body": body})


def _answer_note(fake: Any) -> None:
    first = fake.state["notes"][0]
    fake.state["notes"].append(
        {**first, "id": fake.number(), "login": "mira", "body": "why?", "in_reply_to_id": first["id"]}
    )


def _comments(fake: Any) -> list[tuple[str, str]]:
    return [(each["login"], _shown(each["body"])) for each in fake.state["comments"]]


def _notes(fake: Any) -> list[tuple[str, int, str]]:
    return [(each["path"], each["line"], _shown(each["body"])) for each in fake.state["notes"]]


def _writes(fake: Any) -> int:
    return sum(1 for each in fake.requests if each.method != "GET" and not each.path.endswith("/graphql"))


def _builds(fake: Any) -> list[tuple[str, str, str]]:
    return [(each["name"], _BUILD_STATES[each["state"]], each["description"]) for each in fake.state["statuses"]]


@dataclass(frozen=True)
class Host:
    """One SCM under contract: ``make`` starts its fake, the rest reads and writes the fake's state.

    ``suggestion``: the word it has for one. ``knows_lines``: its API says which lines a change shows. ``ranges``: a note
    keeps its first line. ``pages``: requests for 500 comments. ``sha``: characters a pull request's commits are named by.
    """

    name: str
    make: Callable[[], Any]
    scm: Callable[..., Scm]
    tokens: dict[str, str]
    logins: dict[str, str]
    statuses: Callable[[Any], list[tuple[str, str, str]]]
    places: dict[str, str]
    permissions: dict[str, str]
    suggestion: str
    add_comment: Callable[[Any, str, str], None] = _add_comment
    comments: Callable[[Any], list[tuple[str, str]]] = _comments
    notes: Callable[[Any], list[tuple[str, int, str]]] = _notes
    answer_note: Callable[[Any], None] = _answer_note
    writes: Callable[[Any], int] = _writes
    status_limit: int = 255
    nobody: str = ""
    one_notice: bool = False
    knows_lines: bool = True
    ranges: bool = False
    pages: int = 5
    sha: int = 40

    def where(self, template: str) -> str:
        """A fault's place with this host's paths: ``POST {comments}``, ``POST {notes}``, ``POST {statuses}``."""
        return template.format(**self.places)


def _github(fake: GitHub, token: str, patience: Patience, limits: Limits | None = None) -> Scm:
    from ci_runner.scm.github import open as opened

    trigger = Trigger("github", "github", "pull_request", "acme/shop", 7, api_url=fake.url)
    return opened(trigger, token, patience, limits or Limits(read=30), 0)


def _opened(module: str, where: Trigger, *, slash: str = "") -> Callable[..., Scm]:
    """The SCM of that module at a fake's address, which may end in a slash."""

    def opened(fake: Any, token: str, patience: Patience, limits: Limits | None = None) -> Scm:
        trigger = replace(where, api_url=fake.url + slash)
        scm: Scm = import_module(f"ci_runner.scm.{module}").open(trigger, token, patience, limits or Limits(read=30))
        return scm

    return opened


_AZURE_STATES = {"failed": "failure", "succeeded": "success", "pending": "pending"}
_STATES = {"failed": "failure", "success": "success", "pending": "pending"}


HOSTS = [
    Host(
        name="github",
        make=GitHub,
        scm=_github,
        tokens={"owner": OWNER_TOKEN, "bot": BOT_TOKEN, "read": READ_TOKEN, "wrong": "ghp_nobody"},
        logins={"owner": "mira", "bot": "github-actions[bot]"},
        statuses=lambda fake: [
            (each["context"], each["state"], each["description"]) for each in fake.state["statuses"]
        ],
        places={"comments": r".*/issues/\d+/comments", "notes": r".*/pulls/\d+/reviews", "statuses": ".*/statuses/"},
        permissions={"read": "pull-requests: read", "write": "pull-requests: write", "status": "statuses: write"},
        status_limit=140,
        one_notice=True,
        suggestion="suggestion",
        ranges=True,
    ),
    Host(
        name="gitlab",
        make=GitLab,
        scm=_opened("gitlab", Trigger("gitlab", "gitlab", "pull_request", "acme/db/shop", 7)),
        tokens={
            "owner": gitlab.OWNER_TOKEN,
            "bot": gitlab.BOT_TOKEN,
            "read": gitlab.READ_TOKEN,
            "wrong": "glpat-nobody",
        },
        logins={"owner": "mira", "bot": "project_1_bot_c0ffee"},
        statuses=lambda fake: [
            (each["context"], _STATES[each["state"]], each["description"]) for each in fake.state["statuses"]
        ],
        places={"comments": r".*/\d+/notes", "notes": r".*/\d+/discussions", "statuses": ".*/statuses/"},
        permissions=dict.fromkeys(("read", "write", "status"), "scope api and role Developer"),
        nobody="ghost",
        suggestion="suggestion:-1+0",
    ),
    Host(
        name="bitbucket",
        make=Bitbucket,
        scm=_opened("bitbucket", Trigger("bitbucket", "bitbucket", "pull_request", "acme/shop", 7)),
        tokens={
            "owner": bitbucket.OWNER_TOKEN,
            "bot": bitbucket.BOT_TOKEN,
            "read": bitbucket.READ_TOKEN,
            "wrong": "ATCTTnobody",
        },
        logins={"owner": "{mira}", "bot": bitbucket.BOT},
        statuses=_builds,
        places={
            "comments": r".*/\d+/comments\Z",
            "notes": r".*/\d+/comments \(inline\)",
            "statuses": ".*/statuses/build",
        },
        permissions={
            "read": "scope pullrequest",
            "write": "scope pullrequest:write",
            "status": "scope repository:write",
        },
        suggestion="sql",
        knows_lines=False,
        sha=12,
    ),
    Host(
        name="azure",
        make=Azure,
        scm=_opened("azure", Trigger("azure", "azure", "pull_request", "Web Shop/shop", 7), slash="/"),
        tokens={
            "owner": azure.OWNER_TOKEN,
            "bot": azure.BOT_TOKEN,
            "read": azure.READ_TOKEN,
            "wrong": "nobody",
        },
        logins={"owner": "11111111-0000-4000-8000-00000000cafe", "bot": "22222222-0000-4000-8000-00000000cafe"},
        statuses=lambda fake: [
            (row["context"]["name"], _AZURE_STATES[row["state"]], row["description"])
            for row in (each["row"] for each in fake.state["statuses"])
        ],
        places={
            "comments": r".*/\d+/threads\Z",
            "notes": r".*/\d+/threads \(inline\)",
            "statuses": ".*/statuses",
        },
        permissions={
            "read": "Read on the repository",
            "write": "Contribute to pull requests",
            "status": "Contribute to pull requests",
        },
        suggestion="suggestion",
        knows_lines=False,
        ranges=True,
        pages=1,
    ),
    Host(
        name="datacenter",
        make=DataCenter,
        scm=_opened("datacenter", Trigger("local", "bitbucket", "pull_request", "ACME/shop", 7)),
        tokens={
            "owner": datacenter.OWNER_TOKEN,
            "bot": datacenter.BOT_TOKEN,
            "read": datacenter.READ_TOKEN,
            "wrong": "BBDC-nobody",
        },
        logins={"owner": "mira", "bot": datacenter.BOT},
        statuses=_builds,
        places={
            "comments": r".*/\d+/(?:comments|activities)\Z",
            "notes": r".*/\d+/comments \(inline\)",
            "statuses": ".*/builds",
        },
        permissions={
            "read": "Repository read",
            "write": "Repository read, of an account that may comment",
            "status": "Repository read",
        },
        nobody="gone",
        suggestion="sql",
        pages=6,
    ),
]
BY_NAME = {host.name: host for host in HOSTS}
