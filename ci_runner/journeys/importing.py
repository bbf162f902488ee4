"""Import: a directory that was exported elsewhere, as a folder or a tar file, becomes a version in the registry."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from ci_runner import registry, sources
from ci_runner.errors import RefusedError, TemporaryError, UsageError
from ci_runner.journeys.ground import Ground
from ci_runner.journeys.push import commit
from ci_runner.journeys.reading import read
from ci_runner.journeys.soundness import sound
from ci_runner.model.directory import Tree
from ci_runner.model.registry import Pushed

EXTRA_BYTES = 64 * 1024
_EXTRA = {tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE}
FILES, FILE_BYTES, ALL_BYTES = 10_000, 64 * 1024 * 1024, 512 * 1024 * 1024


def bring(ground: Ground, reference: str, path: Path, *, allow_rewrite: bool, move_tag: bool) -> tuple[str, Pushed]:
    """Push the directory in ``path`` (a folder or a tar file) as NAME[:TAG]; its ``atlas.sum`` must hold and is kept as it is."""
    asked = registry.parse_reference(reference)
    if path.is_dir():
        tree = sources.folder(path)
    elif path.is_file():
        tree = Tree(path.name, unpacked(path))
    else:
        raise UsageError(f"there is no folder or tar file {path}")
    directory = read(tree, ground.config.directories[0])
    sound(directory, with_sum=True)
    tags = (asked.selector.value,) if asked.selector.kind == "tag" else ()
    return asked.name, commit(ground, asked.name, directory, tags, allow_rewrite=allow_rewrite, move_tag=move_tag)


class _Member(tarfile.TarInfo):
    """An entry whose extra header (a long name, attributes) is refused before it is read into memory, whatever size it claims."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _EXTRA and self.size > EXTRA_BYTES:
            raise RefusedError(
                f"the tar file has a header of {self.size} bytes, more than the {EXTRA_BYTES} a name can need"
            )
        return super()._proc_member(archive)  # type: ignore[misc, no-any-return]  # the hook tarfile keeps for subclasses


def unpacked(path: Path) -> dict[str, bytes]:
    """The regular files of a tar file (plain, gzip, bzip2, xz) by name, held in memory; nothing is written to the disk.

    A single folder that holds everything is left out of the names. RefusedError for links, devices, names that lead outside, names given
    twice, and more than 10,000 files, 64 MiB a file or 512 MiB in all.
    """
    files: dict[str, bytes] = {}
    total = 0
    try:
        with tarfile.open(path, "r|*", tarinfo=_Member) as archive:
            for count, member in enumerate(archive):
                if count >= 2 * FILES or len(files) >= FILES:
                    raise RefusedError(f"{path.name} holds more than {FILES} files")
                if member.isdir():
                    continue
                name = member.name.removeprefix("./")
                if not member.isreg():
                    raise RefusedError(
                        f"{path.name} holds {name[:80]!r}, which is no regular file: export without links"
                    )
                if name in files:
                    raise RefusedError(f"{path.name} holds {name[:80]!r} twice")
                total += member.size
                if member.size > FILE_BYTES or total > ALL_BYTES:
                    raise RefusedError(f"{path.name} is too large: at most 64 MiB a file and 512 MiB in all")
                files[name] = (archive.extractfile(member) or io.BytesIO()).read()
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise RefusedError(f"{path.name} is no tar file that can be read: {str(error)[:100]}") from None
    except OSError as error:
        raise TemporaryError(f"{path} could not be read: {error.strerror or error}") from None
    fault = registry.file_names_fault(files)
    if fault:
        raise RefusedError(f"{path.name} is refused: {fault}")
    return _without_folder(files)


def _without_folder(files: dict[str, bytes]) -> dict[str, bytes]:
    tops = {name.partition("/")[0] for name in files}
    if len(tops) != 1 or any("/" not in name for name in files):
        return files
    return {name.partition("/")[2]: content for name, content in files.items()}
