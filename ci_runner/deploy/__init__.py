"""Deployments: what is pending, carried out exactly once under a lock, with a record in the database itself.

Everything is imported when first used: who only asks where a database stands does without what changes one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_runner import lazily

if TYPE_CHECKING:
    from ci_runner.deploy.options import Adopt, Options
    from ci_runner.deploy.planning import Source
    from ci_runner.deploy.revisions import Memory, directories, read
    from ci_runner.deploy.settling import Answer, settle
    from ci_runner.deploy.standings import Known, asked, standing
    from ci_runner.deploy.stop import Stop, Tools
    from ci_runner.deploy.working import decide, deploy, sizes

__getattr__ = lazily(__name__, {
    "Adopt": "options", "Answer": "settling", "Known": "standings", "Memory": "revisions", "Options": "options", "Source": "planning",
    "Stop": "stop", "Tools": "stop", "decide": "working", "deploy": "working", "directories": "revisions", "asked": "standings",
    "read": "revisions", "settle": "settling", "sizes": "working", "standing": "standings",
})  # fmt: skip

__all__ = [
    "Adopt", "Answer", "Known", "Memory", "Options", "Source", "Stop", "Tools", "asked", "decide", "deploy", "directories", "read",
    "settle", "sizes", "standing",
]  # fmt: skip
