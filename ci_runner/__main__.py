"""``python -m ci_runner`` and the ``pilotage`` command."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

TYPE_CHECKING = False  # importing typing for its own takes milliseconds, which an answer from memory would wait for
if TYPE_CHECKING:
    from typing import Any


def main() -> None:
    """Run the command line and leave with its exit code."""
    _open_streams()
    try:
        _main()
    except KeyboardInterrupt:  # while modules are still being imported: later on the command line says it itself
        os.write(2, b"error: interrupted\n")
        os._exit(130)


def _main() -> None:
    if sys.argv[1:] == ["--version"]:  # answered before anything heavy is imported
        from ci_runner import __version__

        print(f"pilotage {__version__}")  # noqa: T201
        return
    from ci_runner import again

    asked = again.question(sys.argv[1:], os.environ, terminal=sys.stdout.isatty())
    known = again.answer(asked) if asked else None
    if known:
        sys.stdout.buffer.write(known[0])
        sys.exit(known[1])
    import gc

    gc.set_threshold(
        500_000, 20, 20
    )  # a run makes many values and hardly a cycle: looking for those took a tenth of its time
    _import_msgspec()
    from ci_runner.cli import run

    _leave(run(sys.argv[1:]))


def _open_streams() -> None:
    """Give the streams that the caller closed (``>&-``) to nobody, so that no file opened later takes their number and their text."""
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  # open as long as the process
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def _import_msgspec() -> None:
    """Import msgspec without what it takes along in vain, a sixth of its time: for types no value here has, and JSON Schema of types.

    All it takes from typing_extensions the standard library has since Python 3.11.
    """
    unused: dict[str, Any] = {  # None: "there is none"
        "typing_extensions": None,
        "decimal": _Unused(Decimal=type("Decimal", (), {})),
        "uuid": _Unused(UUID=type("UUID", (), {}), SafeUUID=_Unused(unknown=None)),
        "msgspec.inspect": _Unused(),
        "msgspec._json_schema": _Unused(schema=None, schema_components=None),
    }
    absent = [name for name in unused if name not in sys.modules]
    sys.modules.update({name: unused[name] for name in absent})
    try:
        import msgspec  # noqa: F401
    finally:
        for name in absent:
            del sys.modules[name]


class _Unused:
    """Stands where a module is imported from which nothing is used but that there are such names."""

    def __init__(self, **names: Any) -> None:
        self.__dict__.update(names)


def _leave(code: int) -> None:
    """End the process as the interpreter would, but for taking every module and value apart first: that changes nothing any more."""
    import atexit

    threading = sys.modules.get("threading")
    if threading is None or threading.active_count() == 1:
        atexit._run_exitfuncs()
        os._exit(_flushed(code))
    sys.exit(code)


def _flushed(code: int) -> int:
    """``code``, but for a success whose last words nobody took: 141 where the reader went away, 5 where there is no room for them."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = code or 141
    except (OSError, ValueError):
        code = code or 5
    with suppress(OSError, ValueError):  # a word on stderr changes no outcome
        sys.stderr.flush()
    return code


if __name__ == "__main__":
    main()
