"""Tells those who want to know: an event becomes a message for each hook that wants it, sent with patience that has an end.

Nothing here decides anything: what is told has happened and is recorded, and a message that cannot be sent changes no exit code.
"""

from ci_runner.notify.address import Target, check
from ci_runner.notify.choice import wants
from ci_runner.notify.messages import Message, Secrets, compose, document, place, sample
from ci_runner.notify.sending import BUDGET, Outside, deliver
from ci_runner.notify.signing import new_secret, sign, verify

__all__ = [
    "BUDGET",
    "Message",
    "Outside",
    "Secrets",
    "Target",
    "check",
    "compose",
    "deliver",
    "document",
    "new_secret",
    "place",
    "sample",
    "sign",
    "verify",
    "wants",
]
