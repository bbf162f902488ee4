"""Which of the histories in a database is that of a directory: the one with its name, or with its files; a name alone proves nothing."""

from __future__ import annotations

from collections import Counter

from msgspec.structs import replace

from ci_runner.databases import Target
from ci_runner.deploy import revisions
from ci_runner.deploy.keys import key
from ci_runner.deploy.options import Options
from ci_runner.deploy.planning import Source
from ci_runner.errors import ConflictError


def known(target: Target, source: Source, options: Options) -> tuple[Source, Options]:
    """Source and options under the name by which the database remembers these files; a folder may be renamed or copied.

    ConflictError for a database that was deployed to from other directories only, unless a flag says that this one is to be added.
    """
    names = revisions.directories(target)
    taking_over = options.adopt is not None and not options.adopt.auto
    if not names or options.dir in names or options.clean or taking_over:
        return source, options
    mine = {key(each): each.name for each in source.mdir.migrations}
    shared = Counter(directory for directory, version, name in revisions.names(target) if mine.get(version) == name)
    if not shared:
        if options.baseline is not None or options.adopt is not None:
            return source, options
        raise ConflictError(
            f"{target.facts.name} was deployed to from {', '.join(names[:5])} and knows nothing of {options.dir}: check the database's address. "
            "If both are to share it, give --allow-dirty once"
        )
    name = shared.most_common(1)[0][0]
    words = f"this database knows the files of {options.dir} as {name}, the name they were first deployed by, and goes on so"
    origin = replace(source.origin, warnings=(*source.origin.warnings, words))
    return source._replace(origin=origin), replace(options, dir=name)
