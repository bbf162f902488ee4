"""Verify: recompute every hash of a registry and say which entry is not what it was."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ci_runner.errors import IntegrityError, RefusedError, UsageError
from ci_runner.model.registry import Damage, Entry, Latest, ManifestFile, Verified
from ci_runner.registry import canonical, chain, entries, keys, manifests, names, tables
from ci_runner.stores import Store

_ANCHOR = re.compile(r"([0-9]{1,10}):(?:sha256:)?([0-9a-f]{64})")


@dataclass(slots=True)
class _Check:
    """What one run of verify has seen so far: hashes of states and blobs to whether they are sound, names to their good heads."""

    store: Store
    damages: list[Damage] = field(default_factory=list)
    states: dict[str, bool] = field(default_factory=dict)
    blobs: dict[str, bool] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    entries: int = 0

    def add(self, seq: int | None, where: str, what: str) -> None:
        self.damages.append(Damage(seq, where, what))


def parse_anchor(text: str) -> tuple[int, str]:
    """``<seq>:<sha256>`` as push prints it in ``head``; UsageError for anything else."""
    match = _ANCHOR.fullmatch(text.strip())
    if not match or int(match[1]) < 1:
        raise UsageError(f"{text[:80]!r} is no anchor: it takes the head that a push printed, <seq>:<64 hex digits>")
    return int(match[1]), match[2]


def verify(store: Store, name: str | None = None, anchor: str | None = None) -> Verified:
    """Recompute the log of ``name``, or of every directory together with every blob, and compare with a remembered head.

    Given the last head every changed byte is found; without it every one but a change of the last entry that leaves it well-formed.
    Damage is returned, not raised. UsageError for a name that is not there, for no registry at all and for an anchor without a name.
    """
    known = None if anchor is None else parse_anchor(anchor)
    if name is None:
        if anchor is not None:
            raise UsageError("an anchor belongs to one directory: name it")
        parts = verify_each(store)
        heads = {each: part.head for each, part in parts.items() if each}
        head = next(iter(heads.values())) if len(heads) == 1 else ""
        damages = tuple(damage for part in parts.values() for damage in part.damages)
        return Verified(
            sum(part.entries for part in parts.values()),
            sum(part.blobs for part in parts.values()),
            head,
            damages,
            heads,
        )
    _there(store, name)
    check = _Check(store)
    _verify_format(check)
    _verify_log(check, name, known)
    return _result(check, name, 0)


def verify_each(store: Store) -> dict[str, Verified]:
    """Every directory by name, and under "" what belongs to none: the format, names that collide, blobs nobody needs.

    A blob that several directories need is counted, and named when damaged, with the first of them.
    """
    rest = _Check(store)
    listed = _names(rest)
    parts: dict[str, Verified] = {}
    for each in listed:
        check = _Check(store, states=rest.states, blobs=rest.blobs)
        before = sum(rest.blobs.values())
        _verify_log(check, each, None)
        parts[each] = _result(check, each, before)
    before = sum(rest.blobs.values())
    _verify_format(rest)
    _verify_rest(rest, listed)
    return parts | {"": Verified(0, sum(rest.blobs.values()) - before, "", tuple(rest.damages))}


def _result(check: _Check, name: str, before: int) -> Verified:
    head = check.heads[name]
    return Verified(check.entries, sum(check.blobs.values()) - before, head, tuple(check.damages), {name: head})


def _there(store: Store, name: str) -> None:
    """UsageError, saying what there is, unless the log of ``name`` holds something."""
    if next(store.list(keys.log(names.check_name(name))), None) is None:
        chain.existing(store, name)


def _names(check: _Check) -> tuple[str, ...]:
    listed = chain.list_names(check.store)
    if not listed and check.store.get(keys.FORMAT, keys.TEXT_LIMIT) is None:
        raise UsageError(
            f"there is no registry at {check.store.address}: check the address, or push a directory there first"
        )
    by_case: dict[str, str] = {}
    for each in listed:
        other = by_case.setdefault(each.lower(), each)
        if other != each:
            check.add(None, f"{keys.DIRS}{each}", f"differs only in upper and lower case from {other!r}")
    return listed


def _verify_format(check: _Check) -> None:
    try:
        if not chain.is_registry(check.store) and chain.list_names(check.store):
            check.add(None, keys.FORMAT, "missing")
    except IntegrityError as error:
        check.add(None, keys.FORMAT, str(error))


def _verify_log(check: _Check, name: str, anchor: tuple[int, str] | None) -> None:
    before = len(check.damages)
    raws = _slots(check, name)
    last = max(raws, default=0)
    if anchor and anchor[0] > last:
        check.add(
            anchor[0],
            keys.slot(name, anchor[0]),
            f"missing: the log ends at entry {last}, but the anchor has seen entry {anchor[0]}",
        )
    parsed = _parse(check, name, raws, anchor)
    bad = _verify_links(check, name, raws, parsed, anchor)
    _verify_pointers(check, name, parsed, bad)
    bad |= {seq for seq in sorted(parsed) if not _verify_state(check, seq, parsed[seq].manifest)}
    bad |= {damage.seq for damage in check.damages[before:] if damage.seq}
    good = min([*bad, last + 1]) - 1
    check.heads[name] = f"{good}:{parsed[good].hash}" if good else ""
    check.entries += len(raws)


def _slots(check: _Check, name: str) -> dict[int, bytes | str]:
    """The log's slots: bytes, or why they could not be read."""
    raws: dict[int, bytes | str] = {}
    for key in sorted(check.store.list(keys.log(name))):
        seq = keys.slot_seq(name, key)
        if seq is None:
            check.add(None, key, "is no log entry")
            continue
        try:
            raw: bytes | str | None = check.store.get(key, keys.TEXT_LIMIT)
        except (IntegrityError, RefusedError) as error:
            raw = str(error)
        if raw is not None:
            raws[seq] = raw
    return raws


def _parse(check: _Check, name: str, raws: dict[int, bytes | str], anchor: tuple[int, str] | None) -> dict[int, Entry]:
    """The entries that can be read. RefusedError for one of a newer format, unless its hash shows that it was changed to claim so."""
    parsed: dict[int, Entry] = {}
    newer: dict[int, tuple[str, RefusedError]] = {}
    before = 0
    for seq, raw in sorted(raws.items()):
        if seq != before + 1:
            upto = "" if seq == before + 2 else f", as all up to entry {seq - 1}"
            check.add(before + 1, keys.slot(name, before + 1), f"missing{upto}")
        before = seq
        if not isinstance(raw, bytes):
            check.add(seq, keys.slot(name, seq), raw)
            continue
        try:
            parsed[seq] = entries.decode(raw, seq, name)
        except IntegrityError as error:
            check.add(seq, keys.slot(name, seq), str(error))
        except RefusedError as error:
            newer[seq] = canonical.sha256(raw), error
    for seq, (hashed, refusal) in newer.items():
        after = parsed.get(seq + 1)
        witness = anchor[1] if anchor and anchor[0] == seq else after.prev if after else hashed
        if witness == hashed:
            raise refusal
        check.add(
            seq, keys.slot(name, seq), f"changed: it claims a newer format, and its hash is {hashed}, not {witness}"
        )
    return parsed


def _verify_links(
    check: _Check, name: str, raws: dict[int, bytes | str], parsed: dict[int, Entry], anchor: tuple[int, str] | None
) -> set[int]:
    """Walk from the end: an entry is what it was when the entry after it, itself sound, says so; the anchor says so for its own.

    Returns the entries that do not fit, also those about which an unsound successor is the only witness.
    """
    doubtful: set[int] = set()
    sound = True
    for seq in sorted(parsed, reverse=True):
        hashed, after = parsed[seq].hash, parsed.get(seq + 1)
        fits = after is None or hashed == after.prev
        sound = sound and (after is not None or seq + 1 not in raws)
        if anchor and anchor[0] == seq:
            fits, sound = hashed == anchor[1], True
            what = f"changed: its hash is {hashed}, the anchor remembers {anchor[1]}"
        else:
            what = f"changed: its hash is {hashed}, not the one that entry {seq + 1} was chained to (or that one was changed)"
        if not fits:
            doubtful.add(seq)
            if sound:
                check.add(seq, keys.slot(name, seq), what)
        sound = fits
    if 1 in parsed and parsed[1].prev != keys.NO_ENTRY:
        check.add(1, keys.slot(name, 1), "changed: the first entry must follow none")
    return doubtful


def _verify_pointers(check: _Check, name: str, parsed: dict[int, Entry], doubtful: set[int]) -> None:
    """What entries say of those before them; of tags only up to the first entry that is ``doubtful``, so that no later one is blamed for it."""
    latest: Latest | None = None
    tagged = yanked = rewritten = 0
    table, trusted = tables.Table(), min(doubtful, default=keys.LAST_SEQ + 1)
    for seq in sorted(parsed):
        entry, where = parsed[seq], keys.slot(name, seq)
        if entry.kind in entries.STATES:
            latest = Latest(seq, entry.manifest, entry.git)
        elif entry.latest and entry.latest != latest:
            check.add(seq, where, "points to a latest state that was not the latest")
        if entry.tagged is not None and entry.tagged < tagged:
            check.add(seq, where, f"leaves out the tags of entry {tagged}")
        if entry.yanked is not None and entry.yanked < yanked:
            check.add(seq, where, f"leaves out entry {yanked}, which is a yank")
        if entry.rewritten is not None and entry.rewritten < rewritten:
            check.add(seq, where, f"leaves out entry {rewritten}, which is a rewrite")
        fault = table.follow(entry) if seq < trusted else ""
        if fault:
            check.add(seq, where, fault)
        tagged = seq if entry.tags else tagged
        yanked = seq if entry.kind == "yank" else yanked
        rewritten = seq if entry.kind == "rewrite" else rewritten


def _verify_state(check: _Check, seq: int, digest: str) -> bool:
    """Whether the manifest and the files of an entry are sound; each is read once, and damage is laid to the first entry that needs it."""
    if digest in check.states:
        return check.states[digest]
    check.states[digest] = False
    raw = _blob(check, seq, digest, keys.TEXT_LIMIT, "manifest")
    if raw is None:
        return False
    try:
        manifest = manifests.parse(raw, digest)
    except IntegrityError as error:
        check.add(seq, keys.blob(digest), str(error))
        return False
    sound = [_verify_file(check, seq, file) for file in manifest.files]
    check.states[digest] = all(sound)
    return all(sound)


def _verify_file(check: _Check, seq: int, file: ManifestFile) -> bool:
    if file.sha256 not in check.blobs:
        raw = _blob(check, seq, file.sha256, keys.FILE_LIMIT, f"file {file.name!r}")
        if raw is not None and len(raw) != file.size:
            check.add(
                seq, keys.blob(file.sha256), f"file {file.name!r} has {len(raw)} bytes, its manifest says {file.size}"
            )
            check.blobs[file.sha256] = False
    return check.blobs[file.sha256]


def _blob(check: _Check, seq: int | None, sha256: str, limit: int, what: str) -> bytes | None:
    key = keys.blob(sha256)
    check.blobs[sha256] = False
    try:
        raw = check.store.get(key, limit)
    except (IntegrityError, RefusedError) as error:
        check.add(seq, key, f"{what}: {error}")
        return None
    if raw is None or canonical.sha256(raw) != sha256:
        check.add(
            seq,
            key,
            f"{what} is missing"
            if raw is None
            else f"{what} is damaged: its bytes have the hash {canonical.sha256(raw)}",
        )
        return None
    check.blobs[sha256] = True
    return raw


def _verify_rest(check: _Check, listed: tuple[str, ...]) -> None:
    """Blobs that no entry needs (an interrupted push leaves some), and directories whose names nobody could have pushed."""
    for key in sorted(check.store.list("blobs/")):
        sha256 = key.rpartition("/")[2]
        if not canonical.is_sha256(sha256) or key != keys.blob(sha256):
            check.add(None, key, "is no blob")
        elif sha256 not in check.blobs:
            _blob(check, None, sha256, keys.FILE_LIMIT, "a blob that no entry needs")
    for folder in sorted(set(check.store.folders(keys.DIRS)) - set(listed)):
        check.add(None, f"{keys.DIRS}{folder[:80]}", "is no directory's name")
