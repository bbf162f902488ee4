"""Sending is patient, bounded and honest, whatever the receiver does."""

from __future__ import annotations

import time

import pytest

from ci_runner import notify
from ci_runner.model.events import Delivery
from ci_runner.text import Redactor
from tests.fakes.receiver import Receiver, Say
from tests.notify.world import OLD, SECRET, World, event, hook, message


def sent(receiver: Receiver, world: World, **more: object) -> tuple[Delivery, list[Delivery]]:
    heard: list[Delivery] = []
    last = notify.deliver([message(receiver.url, **more)], world.outside(), heard.append)
    return last[0], heard


def test_a_message_arrives_signed_and_under_its_id() -> None:
    with Receiver() as receiver:
        last, heard = sent(receiver, World(), signing=(SECRET, OLD))
    (got,) = receiver.got
    notify.verify(got.headers, got.body, SECRET, time.time())
    notify.verify(got.headers, got.body, OLD, time.time())
    assert got.json["type"] == "deploy.failed"
    assert (last.state, last.status, last.attempt, last.answer, len(heard)) == ("delivered", 200, 1, "ok", 1)
    assert "secretpath" not in repr(last)


def test_what_is_down_for_a_while_is_tried_again_with_the_same_bytes_and_id() -> None:
    with Receiver(Say(500), Say(503), Say(200)) as receiver:
        last, heard = sent(receiver, world := World())
    assert [each.state for each in heard] == ["failed", "failed", "delivered"]
    assert [each.attempt for each in heard] == [1, 2, 3]
    assert world.slept == [1.0, 4.0]
    assert len({(got.body, got.headers["webhook-id"]) for got in receiver.got}) == 1
    assert last.state == "delivered"
    assert all(each.next_try for each in heard[:-1])


@pytest.mark.parametrize(
    ("status", "state", "tries"),
    [(200, "delivered", 1), (202, "delivered", 1), (204, "delivered", 1), (301, "refused", 1), (302, "refused", 1), (400, "refused", 1),
     (401, "refused", 1), (403, "refused", 1), (404, "refused", 1), (410, "gone", 1), (408, "failed", 4), (425, "failed", 4),
     (429, "failed", 4), (500, "failed", 4), (502, "failed", 4), (503, "failed", 4), (504, "failed", 4)],
)  # fmt: skip
def test_each_status_has_its_meaning(status: int, state: str, tries: int) -> None:
    with Receiver(Say(status, b"<html>no</html>", {"location": "http://127.0.0.1:1/else"})) as receiver:
        last, heard = sent(receiver, World())
    assert (last.state, last.status, len(receiver.got), len(heard)) == (state, status, tries, tries)


def test_a_receiver_that_names_a_pause_gets_it_and_one_that_asks_too_much_is_left() -> None:
    with Receiver(Say(429, headers={"retry-after": "7"}), Say(200)) as receiver:
        assert sent(receiver, world := World())[0].state == "delivered"
    assert world.slept == [7.0]
    with Receiver(Say(429, headers={"retry-after": "3600"})) as receiver:
        last, heard = sent(receiver, world := World())
    assert (last.state, len(heard), world.slept) == ("failed", 1, [])


@pytest.mark.parametrize("said", ["soon", "\u00b9", "-1", "9" * 400, "1e9"])
def test_a_pause_that_is_none_is_no_crash(said: str) -> None:
    with Receiver(Say(503, headers={"retry-after": said}), Say(200)) as receiver:
        last, heard = sent(receiver, World())
    assert (last.state, heard[0].status) == ("failed" if said.isdecimal() else "delivered", 503)


def test_a_connection_that_is_cut_is_tried_again() -> None:
    with Receiver(Say(cut=True), Say(200)) as receiver:
        last, heard = sent(receiver, World())
    assert (last.state, heard[0].state, heard[0].status) == ("delivered", "failed", 0)
    assert "may have got the message" in heard[0].answer


def test_nobody_there_is_a_failure_that_shows_no_secret() -> None:
    with Receiver() as receiver:
        pass
    last, heard = sent(receiver, World())
    assert (last.state, len(heard)) == ("failed", 4)
    assert "secretpath" not in last.answer
    assert "cannot be reached" in last.answer


@pytest.mark.parametrize(
    "say", [Say(after=60), Say(drip=0.2), Say(body=b"x" * 3_000_000)], ids=["never", "byte by byte", "too much"]
)
def test_an_answer_without_end_ends_with_the_budget(say: Say) -> None:
    begun = time.monotonic()
    with Receiver(say) as receiver:
        last = notify.deliver([message(receiver.url)], World().outside(), budget=1.0)[0]
    assert time.monotonic() - begun < 2.5
    assert last.state in {"failed", "delivered"} if say.drip else last.state == "failed"


def test_a_slow_hook_does_not_hold_up_another() -> None:
    with Receiver(Say(after=60)) as slow, Receiver() as quick:
        messages = [message(slow.url, name="slow"), message(quick.url, name="quick")]
        done = notify.deliver(messages, World().outside(), budget=1.0)
    assert [each.state for each in done] == ["failed", "delivered"]


def test_messages_to_one_slack_hook_keep_a_second_apart() -> None:
    with Receiver() as receiver:
        world = World()
        messages = [message(receiver.url, kind="slack", told=event(id=str(number) * 32)) for number in range(3)]
        assert [each.state for each in notify.deliver(messages, world.outside())] == ["delivered"] * 3
    assert world.slept == [1.0, 1.0]
    assert "webhook-signature" not in receiver.got[0].headers
    assert receiver.got[0].json["blocks"][0]["type"] == "header"


def test_an_inner_address_is_refused_without_a_connection() -> None:
    with Receiver() as receiver:
        last, heard = sent(receiver, World(), allow_private=False)
    assert (last.state, last.status, receiver.got, len(heard)) == ("refused", 0, [], 1)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A certificate for hooks.example, which vouches for itself."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hooks.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)
    return str(folder / "cert.pem"), str(folder / "key.pem")


def named(receiver: Receiver, host: str) -> str:
    return receiver.url.replace("127.0.0.1", host)


def test_the_name_is_looked_up_once_and_the_judged_address_is_called_under_that_name(
    certificate: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", certificate[0])
    with Receiver(certificate=certificate) as receiver:
        world = World(hooks_example="127.0.0.1")
        last = notify.deliver([message(named(receiver, "hooks.example"))], world.outside())[0]
    assert last.state == "delivered", last.answer
    assert world.looked_up == ["hooks.example"]
    assert receiver.names == ["hooks.example"]
    assert receiver.got[0].headers["host"] == f"hooks.example:{receiver.port}"


def test_a_certificate_for_another_name_is_refused(
    certificate: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", certificate[0])
    with Receiver(certificate=certificate) as receiver:
        world = World(other_example="127.0.0.1")
        last = notify.deliver([message(named(receiver, "other.example"))], world.outside())[0]
    assert (last.state, receiver.got) == ("failed", [])


def test_a_proxy_from_the_environment_is_not_used_unless_a_hook_names_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as receiver, Receiver() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        assert sent(receiver, World())[0].state == "delivered"
        assert (len(receiver.got), len(proxy.got)) == (1, 0)
        made = notify.compose(
            hook(), notify.Secrets(receiver.url, (), f"http://127.0.0.1:{proxy.port}"), event(), Redactor()
        )
        assert notify.deliver([made], World().outside())[0].state == "delivered"
        assert (len(receiver.got), len(proxy.got)) == (1, 1)
