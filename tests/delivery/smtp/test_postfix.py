"""The client against Debian's Postfix: smtp-sink with its faults, and a real Postfix that delivers to a Maildir.

Where Postfix is missing these tests fail in CI and are expected failures elsewhere, so that none passes unseen.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from delivery.outcomes import Result
from delivery.smtp import Chunking, SmtpConfig, Tls, probe
from tests.delivery.smtp.engine import BODY, Engine, Run, config, envelope, send

MAIN_CF = """
compatibility_level = 3.6
queue_directory = {home}/spool
data_directory = {home}/data
daemon_directory = /usr/lib/postfix/sbin
maillog_file = {home}/log
maillog_file_prefixes = {home}
myhostname = mx.there.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = check_recipient_access inline:{{
    {{nobody@there.example = 550 5.1.1 no such user}},
    {{later@there.example = 450 4.2.1 try again in 300 seconds}} }}
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000
local_header_rewrite_clients =
smtpd_tls_security_level = may
smtpd_tls_chain_files = {home}/server.pem
virtual_mailbox_domains = there.example
virtual_mailbox_base = {home}
virtual_mailbox_maps = static:inbox/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
"""

MASTER_CF = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""


def need(is_there: bool, what: str) -> None:
    """End the test when a part of the machine is missing: as failed in CI, as an expected failure elsewhere."""
    if is_there:
        return
    if os.environ.get("CI"):
        pytest.fail(f"{what}: CI must have it (apt-get install postfix, run as root)")
    pytest.xfail(f"NOT TESTED: {what} (apt-get install postfix, run as root)")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probing:
        probing.bind(("127.0.0.1", 0))
        return int(probing.getsockname()[1])


def wait_until(reached: Callable[[], bool]) -> None:
    """Wait up to ten seconds for another process."""
    patience = time.monotonic() + 10
    while not reached():
        assert time.monotonic() < patience, "the other process does not get there"
        time.sleep(0.01)


def is_listening(port: int) -> bool:
    """Whether somebody takes connections."""
    with socket.socket() as probing:
        return probing.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def smtp_sink(*options: str) -> Iterator[SmtpConfig]:
    """Postfix's own test server; gives the configuration for it."""
    need(Path("/usr/sbin/smtp-sink").exists(), "no smtp-sink")
    port = free_port()
    user = ("-u", "nobody") if os.geteuid() == 0 else ()
    process = subprocess.Popen(["/usr/sbin/smtp-sink", *user, *options, f"127.0.0.1:{port}", "100"])
    try:
        wait_until(lambda: process.poll() is not None or is_listening(port))
        assert process.poll() is None
        yield config(port)
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter, which pytest's own is not; Postfix also wants paths to be short."""
    folder = Path(tempfile.mkdtemp(prefix="postfix-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def postfix(certificate: Path) -> Iterator[Path]:
    """A running Postfix of our own; gives its home, where `port` has its port and `inbox` its mail."""
    need(Path("/usr/sbin/postfix").exists() and os.geteuid() == 0, "no Postfix, or not root")
    home = Path(tempfile.mkdtemp(prefix="postfix-"))
    home.chmod(0o755)
    port = free_port()
    nobody = pwd.getpwnam("nobody")
    for name in ("etc", "spool", "data", "inbox"):
        (home / name).mkdir()
    shutil.chown(home / "data", "postfix")
    shutil.chown(home / "inbox", "nobody")
    shutil.copy(certificate, home / "server.pem")
    (home / "port").write_text(str(port))
    (home / "etc/main.cf").write_text(MAIN_CF.format(home=home, uid=nobody.pw_uid, gid=nobody.pw_gid))
    (home / "etc/master.cf").write_text(MASTER_CF.format(port=port))
    subprocess.run(["/usr/sbin/postfix", "-c", home / "etc", "start"], check=True, capture_output=True)
    wait_until(lambda: is_listening(port))
    yield home
    subprocess.run(["/usr/sbin/postfix", "-c", home / "etc", "stop"], check=True, capture_output=True)
    shutil.rmtree(home)


@pytest.fixture
def inbox(postfix: Path) -> Path:
    """The Maildir folder where new mail appears, empty at first."""
    folder = postfix / "inbox/new"
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def account(home: Path) -> SmtpConfig:
    """The configuration for our Postfix."""
    return config(int((home / "port").read_text()), ca_file=str(home / "server.pem"))


def delivered(inbox: Path, n: int) -> list[tuple[str, bytes]]:
    """Recipient and content (as sent) of each of n delivered messages, sorted."""
    wait_until(lambda: inbox.exists() and len(list(inbox.iterdir())) >= n)
    found = []
    for path in inbox.iterdir():
        raw = path.read_bytes()
        recipient = raw.partition(b"X-Original-To: ")[2].partition(b"\n")[0].decode()
        found.append((recipient, raw[raw.index(b"Subject: ") :].replace(b"\n", b"\r\n")))
    return sorted(found)


# smtp-sink


@pytest.mark.parametrize("options", [(), ("-p",)])
def test_smtp_sink_gets_every_message_whole(run: Run, open_folder: Path, options: tuple[str, ...]) -> None:
    with smtp_sink(*options, "-d", f"{open_folder}/%M%S.") as settings:
        engine = run(send(settings, *(envelope(n) for n in range(100)), n_connections=5))
    assert {engine.result(n) for n in range(100)} == {Result.ACCEPTED}
    dumps = [path.read_bytes() for path in open_folder.iterdir()]
    assert len(dumps) == 100
    assert sorted({dump.partition(b"X-Rcpt-Args: <")[2].partition(b">")[0] for dump in dumps}) == sorted(
        b"%d@there.example" % n for n in range(100)
    )
    assert all(b"\n.a line that began with a dot\n" in dump for dump in dumps)


@pytest.mark.parametrize(
    ("options", "result", "code"),
    [
        (("-f", "rcpt"), Result.REFUSED, 500),
        (("-r", "rcpt"), Result.DEFERRED, 450),
        (("-f", "mail"), Result.REFUSED, 500),
        (("-r", "data"), Result.DEFERRED, 450),
        (("-f", "."), Result.REFUSED, 500),
        (("-r", "."), Result.DEFERRED, 450),
        (("-q", "."), Result.UNCERTAIN, 0),
        (("-Q", "."), Result.DEFERRED, 421),
        (("-q", "rcpt"), Result.DEFERRED, 0),
        (("-Q", "data"), Result.DEFERRED, 0),
    ],
)
def test_each_fault_of_smtp_sink_has_its_outcome(run: Run, options: tuple[str, str], result: Result, code: int) -> None:
    with smtp_sink(*options) as settings:
        engine = run(send(settings, envelope(1), envelope(2)))
    assert [(engine.result(n), engine.outcome(n).code) for n in (1, 2)] == [(result, code)] * 2


# A real Postfix


@pytest.mark.parametrize("chunking", [Chunking.NEVER, Chunking.ALWAYS])
@pytest.mark.parametrize("pipelining", [True, False])
def test_postfix_delivers_every_message_once_and_as_it_was(
    run: Run, postfix: Path, inbox: Path, chunking: Chunking, pipelining: bool
) -> None:
    settings = replace(account(postfix), chunking=chunking, pipelining=pipelining)
    engine = run(send(settings, *(envelope(n) for n in range(40)), n_connections=4))
    assert {engine.result(n) for n in range(40)} == {Result.ACCEPTED}
    assert all(engine.outcome(n).provider_id for n in range(40))
    content = BODY.replace(b"\r\n..", b"\r\n.")
    assert delivered(inbox, 40) == sorted((f"{n}@there.example", content) for n in range(40))


@pytest.mark.parametrize("chunking", [Chunking.NEVER, Chunking.ALWAYS])
@pytest.mark.parametrize("pipelining", [True, False])
def test_postfix_refuses_some_recipients_in_mid_pipeline(
    run: Run, postfix: Path, inbox: Path, chunking: Chunking, pipelining: bool
) -> None:
    names = ["1", "nobody", "2", "later", "nobody", "3"]
    messages = [envelope(name)._replace(key=at) for at, name in enumerate(names)]
    settings = replace(account(postfix), chunking=chunking, pipelining=pipelining)
    engine = run(send(settings, *messages))
    assert [engine.result(at) for at in range(6)] == [
        Result.ACCEPTED,
        Result.REFUSED,
        Result.ACCEPTED,
        Result.DEFERRED,
        Result.REFUSED,
        Result.ACCEPTED,
    ]
    assert (engine.outcome(1).enhanced, engine.outcome(3).retry_after) == ("5.1.1", 300)
    assert [recipient for recipient, _ in delivered(inbox, 3)] == [
        "1@there.example",
        "2@there.example",
        "3@there.example",
    ]
    assert engine.troubles == []


def test_postfix_takes_utf8_and_tls(run: Run, postfix: Path, inbox: Path) -> None:
    content = "Subject: Grüße\r\n\r\nÄpfel\r\n".encode()
    message = envelope(1, content, smtputf8=True, eightbit=True)._replace(recipient="jörg@there.example".encode())
    settings = replace(account(postfix), tls=Tls.STARTTLS)
    engine = run(send(settings, message))
    assert engine.result(1) is Result.ACCEPTED
    assert [data for _, data in delivered(inbox, 1)] == [content]
    report = run(probe(settings))
    assert report.features.name == "mx.there.example"
    assert report.features.chunking
    assert report.tls.startswith("TLS")


def test_postfix_that_stops_takes_nothing_twice(run: Run, postfix: Path, inbox: Path) -> None:
    async def main() -> Engine:
        engine = Engine(*(envelope(n) for n in range(400)))
        pool = engine.pool(account(postfix))
        pool.open(4)
        await engine.until(lambda: len(engine.outcomes) >= 40)
        subprocess.run(["/usr/sbin/postfix", "-c", postfix / "etc", "stop"], check=True, capture_output=True)
        subprocess.run(["/usr/sbin/postfix", "-c", postfix / "etc", "start"], check=True, capture_output=True)
        await engine.until(lambda: len(engine.outcomes) == 400)
        await pool.close()
        return engine

    engine = run(main())
    accepted = {n for n in range(400) if engine.result(n) is Result.ACCEPTED}
    uncertain = {n for n in range(400) if engine.result(n) is Result.UNCERTAIN}
    assert {engine.result(n) for n in range(400)} <= {Result.ACCEPTED, Result.UNCERTAIN, Result.DEFERRED}
    assert len(uncertain) <= 4
    recipients = [recipient for recipient, _ in delivered(inbox, len(accepted))]
    assert len(recipients) == len(set(recipients))
    assert {f"{n}@there.example" for n in accepted} <= set(recipients)
    assert set(recipients) <= {f"{n}@there.example" for n in accepted | uncertain}
