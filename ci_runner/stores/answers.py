"""What a cloud's answer means: the object was there, try again, a right is missing, or nobody knows."""

from __future__ import annotations

import re

from ci_runner.errors import PilotageError, SetupError, TemporaryError
from ci_runner.stores.store import AmbiguousError

_STATUS = re.compile(r"(?:status code: |\(code: )([0-9]{3})")
_CODE = re.compile(r"<Code>([A-Za-z][A-Za-z0-9]{2,60})</Code>")
_NO_BUCKET = {"NoSuchBucket", "ContainerNotFound", "ResourceNotFound", "AccountNotFound"}
_EXISTS = {"PreconditionFailed", "BlobAlreadyExists", "ConditionNotMet", "UnauthorizedBlobOverwrite", ""}
_REASONS = {
    "RequestTimeTooSkewed": "this machine's clock is wrong: set it",
    "AuthorizationHeaderMalformed": "it lies in another region: give it as ?region=…",
    "PermanentRedirect": "it lies in another region: give it as ?region=…",
    "ExpiredToken": "the credentials have expired: get new ones",
    "InvalidAccessKeyId": "the access key is unknown there",
    "SignatureDoesNotMatch": "the secret key does not fit the access key",
    "AuthenticationFailed": "the key or token does not fit the account",
}
"""What the codes people meet mean, by the clouds' own lists of error codes."""


def status(error: Exception) -> int:
    """The HTTP status an error of the client tells of, 0 when no answer came."""
    found = _STATUS.search(str(error)[:2000])
    if found:
        return int(found[1])
    return 301 if "incorrectly configured region" in str(error) else 0


def code(error: Exception) -> str:
    """The error code in the answer's body, "" when it has none."""
    found = _CODE.search(str(error)[:8000])
    return found[1] if found else ""


def is_taken(error: Exception) -> bool:
    """Whether a create was refused because the key is taken: 412 and 304 always, 409 only with a code that says so."""
    number = status(error)
    return number in {304, 412} or (number == 409 and code(error) in _EXISTS)


def is_absent(error: Exception) -> bool:
    """Whether the key, not the bucket, is missing."""
    return status(error) == 404 and code(error) not in _NO_BUCKET


def failure(key: str, address: str, error: Exception, *, writing: bool) -> PilotageError:
    """What an error of the client comes to; its own text, which may hold signed addresses, is left out."""
    number, name = status(error), code(error)
    said = " ".join(filter(None, (str(number) if number else "no complete answer", name)))
    where = f"{key} in {address.partition('?')[0]}"
    if name in _REASONS or number == 301:
        return SetupError(f"{where} cannot be used ({said}): {_REASONS.get(name, _REASONS['PermanentRedirect'])}")
    if number in {401, 403}:
        verb = "write" if writing else "read"
        return SetupError(
            f"no right to {verb} {where} ({said}): give these credentials the right; `pilotage registry policy` prints what each role needs"
        )
    if number == 404:
        return SetupError(f"{where} cannot be used ({said}): the bucket or container does not exist; check its name")
    if number and number < 500 and number not in {408, 409, 425, 429}:
        return SetupError(
            f"{where} was refused ({said}): check the address of the registry, its region and its endpoint"
        )
    if writing:
        return AmbiguousError(f"{where} may or may not have been written ({said}): run again")
    return TemporaryError(f"{where} could not be read ({said}): run again")
