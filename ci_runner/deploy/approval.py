"""The digest of a plan: equal exactly when what would be done, where and from which state is equal."""

from __future__ import annotations

import hashlib
import json

from ci_runner.errors import ConflictError
from ci_runner.model.deploy import Plan


def digest(plan: Plan) -> str:
    """Over source, pending files, transaction modes, order, database, last version and schema."""
    text = json.dumps(subject(plan), sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def subject(plan: Plan) -> dict[str, object]:
    """What a plan's digest stands for."""
    return {
        "v": 1,
        "dir": plan.dir,
        "source": plan.origin.digest,
        "files": [[each.version, each.name, each.file_hash, each.mode, each.done] for each in plan.steps],
        "baseline": [each.version for each in plan.baseline],
        "order": plan.order,
        "database": plan.facts.identity,
        "from": plan.current,
        "schema": plan.fingerprint,
    }


def approved(plan: Plan, wanted: str | None) -> None:
    """ConflictError when the plan is not the one that was approved; ``wanted`` None = nobody asked."""
    given = (wanted or "").removeprefix("sha256:")
    if wanted is None or given == plan.digest.removeprefix("sha256:"):
        return
    names = ", ".join(each.version for each in plan.steps) or "nothing"
    raise ConflictError(
        f"this is not the plan that was approved: its digest is {plan.digest}, not {wanted}. Source ({plan.origin.digest}), "
        f"files ({names}), database ({plan.facts.identity}), its version ({plan.current or 'none'}) or its schema changed "
        "since: run 'pilotage plan' again and have that approved"
    )
