"""What a process gives up before it runs a stranger's statements: root, the network, other programs, and every folder but its own.

Linux only, by what needs no privilege there: Landlock for files (https://docs.kernel.org/userspace-api/landlock.html), seccomp for
system calls (seccomp(2)). This file is run beside the engine in a process of its own and imports nothing of this package.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

FILE_LIMIT = 1 << 30
MEMORY_LIMIT = 4 << 30
NOBODY = 65534
# asm/unistd.h: seccomp itself, then socket, execve, execveat, ptrace, io_uring_setup, mount, unshare; before them AUDIT_ARCH of linux/audit.h
NUMBERS = {
    "x86_64": (0xC000003E, 317, (41, 59, 322, 101, 425, 165, 272)),
    "aarch64": (0xC00000B7, 277, (198, 221, 281, 117, 425, 40, 97)),
}
_NO_NEW_PRIVS, _DEATH_SIGNAL = 38, 1  # linux/prctl.h
_FILTER, _ALL_THREADS = 1, 1
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF, _PATH_BENEATH = 444, 445, 446, 1
_READ = 0b1101  # execute, read files, read folders
_WRITE = {
    1: (1 << 13) - 1,
    2: (1 << 14) - 1,
}  # all rights on files by version of Landlock; later ones know at least the next
_WRITE_SINCE_3 = (1 << 15) - 1


def close_files(folder: str, readable: Iterable[str]) -> list[str]:
    """Before any thread is started: only ``folder`` can be written, only it and ``readable`` can be read. What is not possible, in words."""
    if sys.platform == "linux":
        system = _system()
        version = system.syscall(_CREATE_RULESET, None, 0, 1)
        rights = _WRITE.get(version, _WRITE_SINCE_3)
        wanted = ctypes.create_string_buffer(struct.pack("=Q", rights), 8)
        ruleset = system.syscall(_CREATE_RULESET, wanted, 8, 0) if version > 0 else -1
        if ruleset >= 0:
            rules = {folder: rights} | {path: _READ for path in readable if Path(path).is_dir()}
            done = all(_allow(system, ruleset, path, right) for path, right in rules.items())
            done = done and not system.syscall(_RESTRICT_SELF, ruleset, 0)
            os.close(ruleset)
            return [] if done else ["this kernel did not close other folders to the engine"]
    return ["this system cannot close other folders to the engine (that takes Linux with Landlock)"]


def give_up() -> list[str]:
    """Behind the loading of the engine: no root, no network, no other programs, limits. What is not possible here, in words."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT))
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_LIMIT, MEMORY_LIMIT))
        system = _system()
        system.prctl(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)  # after the change of user, which forgets it
        if _filter(system):
            return []
    return ["this system cannot close the network to the engine (that takes Linux with seccomp)"]


def _system() -> ctypes.CDLL:
    system = ctypes.CDLL(None, use_errno=True)
    system.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    return system


def _allow(system: ctypes.CDLL, ruleset: int, path: str, rights: int) -> bool:
    place = os.open(path, getattr(os, "O_PATH", os.O_RDONLY))
    try:
        beneath = ctypes.create_string_buffer(struct.pack("=Qi", rights, place), 12)
        return not system.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, beneath, 0)
    finally:
        os.close(place)


def _filter(system: ctypes.CDLL) -> bool:
    """A program in the kernel's classic BPF, for all threads: the listed calls answer EPERM, those of another architecture end the process."""
    known = NUMBERS.get(platform.machine())
    if known is None:
        return False
    audit, own_number, numbers = known
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06
    allow, refuse, kill = 0x7FFF0000, 0x00050001, 0x80000000
    tests = len(numbers)
    program = [(load, 0, 0, 4), (equal, 1, 0, audit), (give, 0, 0, kill)]
    program += [(load, 0, 0, 0), (at_least, tests + 1, 0, 1 << 30)]
    program += [(equal, tests - index, 0, number) for index, number in enumerate(numbers)]
    program += [(give, 0, 0, allow), (give, 0, 0, refuse)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in program))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(code)))
    return not system.syscall(own_number, _FILTER, _ALL_THREADS, header)
