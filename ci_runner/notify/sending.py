"""Sends messages: hooks side by side, each attempt bounded, retries with jitter, and an end for all of it together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from ci_runner.errors import PilotageError, RefusedError
from ci_runner.http import Answer, HttpError, Limits, Patience, retry_after, web
from ci_runner.model.events import Delivery
from ci_runner.notify import address
from ci_runner.notify.messages import Message, place
from ci_runner.notify.signing import sign
from ci_runner.text import Redactor, redactor

BUDGET = 60.0
"""Seconds for all hooks of a command together."""
ATTEMPT = 10.0
PAUSES = (1.0, 4.0, 15.0)
ANSWER = 512
BIGGEST = 1024 * 1024
SLACK_GAP = 1.0
"""Slack takes about one message a second and hook."""
_AGAIN = {408, 425, 429}

Report = Callable[[Delivery], None]


class Outside(Struct, frozen=True):
    """What sending needs of the world. ``now`` is aware, ``random`` gives 0 to 1, ``lookup`` the addresses of a host."""

    lookup: address.Lookup
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]


def deliver(
    messages: Sequence[Message],
    outside: Outside,
    report: Report | None = None,
    *,
    retries: int = len(PAUSES),
    budget: float = BUDGET,
) -> list[Delivery]:
    """Send every message; the last attempt of each, in the order given. ``report`` hears of every attempt as it ends.

    Hooks are served side by side, the messages of one in order. Nothing is raised, and after ``budget`` seconds no more is waited for:
    what has no answer by then failed.
    """
    end = outside.monotonic() + budget
    last: dict[int, Delivery] = {}
    lock = threading.Lock()

    def serve(indexes: Sequence[int]) -> None:
        for turn, index in enumerate(indexes):
            if turn and messages[index].hook.kind == "slack":
                outside.sleep(min(SLACK_GAP, max(0.0, end - outside.monotonic())))
            for attempt in _attempts(messages[index], outside, end, retries):
                with lock:
                    last[index] = attempt
                    if report:
                        report(attempt)

    by_hook: dict[str, list[int]] = {}
    for index, message in enumerate(messages):
        by_hook.setdefault(message.hook.name, []).append(index)
    # Daemons: a look-up or an answer that hangs must not keep the process from ending.
    threads = [threading.Thread(target=serve, args=(indexes,), daemon=True) for indexes in by_hook.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.05, end - outside.monotonic()))
    with lock:
        return [last.get(index) or _late(message, outside) for index, message in enumerate(messages)]


def _attempts(message: Message, outside: Outside, end: float, retries: int) -> Iterator[Delivery]:
    """The attempts at one message as they end."""
    for turn in range(retries + 1):
        delivery, answer = _attempt(message, turn, outside, end)
        pause = _pause(answer, turn, outside)
        if delivery.state != "failed" or turn == retries or outside.monotonic() + pause >= end:
            yield delivery
            return
        at = (outside.now() + timedelta(seconds=pause)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        yield replace(delivery, next_try=at)
        outside.sleep(pause)


def _pause(answer: Answer | None, turn: int, outside: Outside) -> float:
    """Full jitter, and never sooner than the receiver asked for."""
    asked = (
        retry_after("GET", answer, turn, outside.now().timestamp())
        if answer and "retry-after" in answer.headers
        else None
    )
    return max(asked or 0.0, PAUSES[min(turn, len(PAUSES) - 1)] * outside.random())


def _attempt(message: Message, turn: int, outside: Outside, end: float) -> tuple[Delivery, Answer | None]:
    begun = outside.monotonic()
    clean = redactor([message.secrets.url, *message.secrets.signing, message.secrets.proxy])
    answer: Answer | None = None
    try:
        answer = _post(message, turn, outside, min(ATTEMPT, max(0.5, end - begun)))
        state, said = _judge(answer), answer.body[:BIGGEST].decode("utf-8", "replace")
    except RefusedError as error:
        state, said = "refused", str(error)
    except (OSError, HttpError) as error:
        state, said = "failed", _no_answer(error, message)
    except PilotageError as error:
        state, said = "refused", str(error)
    elapsed = int((outside.monotonic() - begun) * 1000)
    return _delivery(
        message, turn, outside, state, answer.status if answer else 0, elapsed, _short(clean, said)
    ), answer


def _post(message: Message, turn: int, outside: Outside, seconds: float) -> Answer:
    hook, secrets = message.hook, message.secrets
    target = address.check(secrets.url, outside.lookup, allow_private=hook.allow_private, ports=hook.ports)
    headers = {"content-type": "application/json", "user-agent": "pilotage-hooks/1", "accept-encoding": "identity"}
    if hook.kind == "generic":
        headers |= {"webhook-id": message.id, "webhook-timestamp": str(int(outside.now().timestamp()))}
        if secrets.signing:
            headers |= sign(message.id, int(headers["webhook-timestamp"]), message.body, secrets.signing)
    limits = Limits(seconds / 2, seconds / 2, seconds, attempts=1, max_bytes=BIGGEST)
    with_proxy = secrets.proxy or None
    to = "" if with_proxy else target.addresses[turn % len(target.addresses)]
    sender = web(limits, Patience(0.0), with_proxy, direct=True)
    try:
        return sender.send("POST", secrets.url, headers, message.body, to=to)
    finally:
        sender.client.close()


def _judge(answer: Answer) -> str:
    if 200 <= answer.status < 300:
        return "delivered"
    if answer.status == 410:
        return "gone"
    return "failed" if answer.status in _AGAIN or answer.status >= 500 else "refused"


def _no_answer(error: Exception, message: Message) -> str:
    if isinstance(error, HttpError):
        words = {
            "unreachable": "cannot be reached",
            "doubt": "gave no whole answer in time: it may have got the message",
            "too_big": "answered with more than 1 MiB",
        }
        return f"{place(message.secrets.url)} {words.get(error.trouble, 'gave no usable answer')}"
    return f"{place(message.secrets.url)} was not found: {error}"


def _short(clean: Redactor, said: str) -> str:
    return clean(said[: ANSWER * 4]).encode()[:ANSWER].decode("utf-8", "ignore").strip()


def _late(message: Message, outside: Outside) -> Delivery:
    return _delivery(message, 0, outside, "failed", 0, 0, "no time was left for this hook")


def _delivery(
    message: Message, turn: int, outside: Outside, state: str, status: int, milliseconds: int, answer: str
) -> Delivery:
    return Delivery(
        id=message.id,
        event_id=message.event.id,
        type=message.event.type,
        hook=message.hook.name,
        place=place(message.secrets.url),
        attempt=message.attempt + turn,
        time=outside.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        state=state,  # type: ignore[arg-type]  # one of the four words above
        status=status,
        milliseconds=milliseconds,
        answer=answer,
        body_hash=message.body_hash,
        body=message.body.decode(),
        dir=message.event.dir,
        env=message.event.env,
        outcome=message.event.outcome,
    )
