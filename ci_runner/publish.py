"""Puts one run where people look: annotations, summary, outputs, one comment kept up to date, notes on lines, commit status."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

from msgspec.structs import replace

from ci_runner.http import Patience
from ci_runner.model.ci import Comment, Note, Posted, Publication, Scan
from ci_runner.platforms import Platform
from ci_runner.scm import Scanner, Scm, ScmError

NOTES = 50
TRIES = 3
RETIRED = "This was resolved: the finding is gone."

_NOTE = re.compile(r"<!-- pilotage:v1 note=(\S+) key=(\S+) -->\s*\Z")


@dataclass(frozen=True, slots=True)
class Target:
    """Where to post: ``scm`` None means there is no token and ``needs`` says which, ``pull_request`` None that none is known."""

    scm: Scm | None
    pull_request: int | None = None
    head_sha: str | None = None
    is_fork: bool | None = False
    needs: str = "one that has pull-requests: write and statuses: write"


def room(scm: Scm, key: str) -> int:
    """The characters a comment's text may have beside its marker line."""
    return scm.comment_limit - len(_marker(key)) - 1


def publish(publication: Publication, platform: Platform, target: Target, patience: Patience | None = None) -> Posted:
    """Post everything that can be posted; nothing that fails here raises or changes a verdict.

    What needs no token comes first. All that an SCM refuses becomes one warning that says what is missing there and why.
    ``patience`` bounds the waiting before a repeated write.
    """
    warnings = [
        *platform.annotate(publication.annotations, publication.status),
        *(platform.summarise(publication.summary) if publication.summary else ()),
        *(platform.output(publication.outputs) if publication.outputs else ()),
    ]
    done: list[str] = []
    failed: list[tuple[str, ScmError | None]] = []
    steps = _steps(publication, target, patience or Patience())
    for name, step in steps.items():
        last = failed[-1][1] if failed else None
        if target.scm is None or (last and last.final):
            failed.append((name, last))
            continue
        try:
            done.append(step(target.scm))
        except ScmError as error:
            failed.append((name, error))
    if failed:
        warnings.append(_warning(failed, target))
    return Posted(tuple(each for each in done if each), tuple(warnings))


Step = Callable[[Scm], str]


def _steps(publication: Publication, target: Target, patience: Patience) -> Mapping[str, Step]:
    """What the SCM is to be asked for, by the name people know it by."""
    steps: dict[str, Step] = {}
    number, sha = target.pull_request, target.head_sha
    if number is not None and publication.comment:
        steps["comment"] = partial(_comment, publication, number, patience)
        if sha is not None:
            steps["line notes"] = partial(_notes, publication, number, sha, patience)
    if publication.status is not None and sha is not None:
        steps["commit status"] = partial(_status, publication, sha, patience)
    if publication.scan is not None and sha is not None and (target.scm is None or isinstance(target.scm, Scanner)):
        steps["code scanning"] = partial(_scan, publication.scan, sha)
    return steps


def _scan(scan: Scan, sha: str, scm: Scm) -> str:
    if isinstance(scm, Scanner):
        scm.upload_scan(sha, scan)
    return "code scanning told"


def _warning(failed: list[tuple[str, ScmError | None]], target: Target) -> str:
    names = [name for name, _ in failed]
    what = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    reasons = dict.fromkeys(str(error) for _, error in failed if error)
    why = "; ".join(reasons) or f"there is no token; pass {target.needs}"
    refused = target.scm is None or any(error and error.kind == "forbidden" for _, error in failed)
    fork = (
        "; a pull request from a fork gets no write token, its report is in the job summary"
        if target.is_fork and refused
        else ""
    )
    return f"{what} not posted: {why}{fork}"


# --- the one comment ---------------------------------------------------------------------------------------------------


def _marker(key: str) -> str:
    return f"<!-- pilotage:v1 key={quote(key, safe='')} -->"


def _comment(publication: Publication, number: int, patience: Patience, scm: Scm) -> str:
    """Make the comment say what this run found; listed anew before a write is repeated, so that it never stands twice."""
    marker = _marker(publication.key)
    bodies = [f"{marker}\n{text.strip()}" for text in (publication.comment or "", publication.brief) if text]
    if len(bodies) > 1 and len(bodies[0]) > scm.comment_limit:
        del bodies[0]
    for last in _turns(patience):
        own = _own(scm, (each for each in scm.comments(number) if _first_line(each.body) == marker))
        try:
            return _write_fitting(scm, number, own, bodies, publication)
        except ScmError as error:
            if last or not (error.kind in {"doubt", "stale"} or (error.kind == "missing" and own)):
                raise
    return ""


def _write_fitting(scm: Scm, number: int, own: list[Comment], bodies: list[str], wanted: Publication) -> str:
    """The first of the bodies that the host does not find too long."""
    body, *shorter = bodies
    try:
        return _write(scm, number, own, body, wanted)
    except ScmError as error:
        if error.kind != "too_long" or not shorter:
            raise
    return _write_fitting(scm, number, own, shorter, wanted)


def _write(scm: Scm, number: int, own: list[Comment], body: str, wanted: Publication) -> str:
    done = wanted.status is None or wanted.status.state == "success"
    if not own:
        if not wanted.create:
            return ""
        scm.create_comment(number, body, done=done)
        return "comment written"
    first, *rest = own
    for each in rest:
        scm.delete_comment(number, each)
    if _same(first.body, body):
        return "comment unchanged"
    scm.update_comment(number, first, body, done=done)
    return "comment updated"


def _own(scm: Scm, candidates: Iterator[Comment]) -> list[Comment]:
    """Those that our own account wrote: a marker alone can be copied by anybody."""
    found = list(candidates)
    if not found:
        return []
    me = scm.author().lower()
    return [each for each in found if each.author.lower() == me]


def _first_line(body: str) -> str:
    return body.split("\n", 1)[0].strip()


def _same(one: str, other: str) -> bool:
    """Hosts change line ends and blanks at the end; neither is a change to a reader."""
    return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()


# --- notes on lines ----------------------------------------------------------------------------------------------------


def _notes(publication: Publication, number: int, sha: str, patience: Patience, scm: Scm) -> str:
    """Add what is new, change what changed, take back what is gone; a note that stands already is not posted again."""
    wanted = {each.fingerprint: _marked(publication.key, each) for each in reversed(publication.notes[:NOTES])}
    wanted = dict(reversed(wanted.items()))
    added = 0
    for last in _turns(patience):
        there, extra = _standing(scm, number, publication.key)
        new = [note for fingerprint, note in wanted.items() if fingerprint not in there]
        try:
            added += len(scm.create_notes(number, sha, new)) if new else 0
            break
        except ScmError as error:
            if error.kind != "doubt" or last:
                raise
    vanished = (comment for fingerprint, comment in there.items() if fingerprint not in wanted)
    gone = [each for each in (*extra, *vanished) if not _same(each.body, _retired(each))]
    for fingerprint, comment in there.items():
        if fingerprint in wanted:
            _unless_gone(partial(scm.update_note, number, comment, wanted[fingerprint]))
    for comment in gone:
        _unless_gone(partial(scm.retire_note, number, comment, _retired(comment)))
    parts = [f"{added} new" if added else "", f"{len(gone)} resolved" if gone else ""]
    return f"line notes: {', '.join(part for part in parts if part)}" if added or gone else ""


def _marked(key: str, note: Note) -> Note:
    marker = f"<!-- pilotage:v1 note={quote(note.fingerprint, safe='')} key={quote(key, safe='')} -->"
    return replace(note, body=f"{marker}\n{note.body.strip()}")


def _retired(note: Comment) -> str:
    """What a note says whose finding is gone; the marker stays, for the finding may come back."""
    return f"{_first_line(note.body)}\n{RETIRED}"


def _standing(scm: Scm, number: int, key: str) -> tuple[dict[str, Comment], list[Comment]]:
    """Our own notes of this key by fingerprint, and second ones of the same."""
    from urllib.parse import unquote

    found = [(each, match) for each in scm.notes(number) if (match := _NOTE.match(_first_line(each.body)))]
    of_key = {each.id: unquote(match[1]) for each, match in found if unquote(match[2]) == key}
    own = _own(scm, (each for each, _ in found if each.id in of_key))
    there: dict[str, Comment] = {}
    extra = [each for each in own if there.setdefault(of_key[each.id], each) is not each]
    return there, extra


def _unless_gone(change: Callable[[], None]) -> None:
    """Somebody may have deleted the note since it was listed."""
    try:
        change()
    except ScmError as error:
        if error.kind != "missing":
            raise


# --- commit status -----------------------------------------------------------------------------------------------------


def _status(publication: Publication, sha: str, patience: Patience, scm: Scm) -> str:
    """Set the status; the SCM looks first, so a repeat after doubt sets nothing twice."""
    for last in _turns(patience):
        try:
            if publication.status is not None:
                scm.set_status(sha, publication.status)
            break
        except ScmError as error:
            if error.kind != "doubt" or last:
                raise
    return "commit status set"


def _turns(patience: Patience) -> Iterator[bool]:
    """Up to TRIES turns with growing pauses between them; True says that no other will follow."""
    for turn in range(TRIES):
        if turn:
            patience.wait(float(turn))
        last = turn == TRIES - 1 or patience.left < turn + 1
        yield last
        if last:
            return
