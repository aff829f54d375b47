"""Finding reply codes, enhanced codes and the refused command in the words of mail servers."""

from __future__ import annotations

import pytest

from delivery.inbound.codes import best_enhanced, remote_lines, reply_code, stage_before, stage_in
from delivery.inbound.report import Stage


@pytest.mark.parametrize(
    ("words", "enhanced", "code"),
    [
        ("550 5.1.1 <a@b.example>... User unknown", "5.1.1", 550),
        ("550-5.7.26 Unauthenticated email 550 5.7.26 see", "5.7.26", 550),
        ("Sorry, no mailbox here by that name. (#5.1.1)", "5.1.1", 0),
        ("550: 5.2.2 <a@b.example>... Mailbox Full", "5.2.2", 550),
        ("ERROR_CODE :550, ERROR_CODE :5.1.1 <a@b.example>", "5.1.1", 550),
        ("554 4.4.7 Message expired.<421 4.4.2 Connection timed out>", "4.4.2", 421),
        ("by mx (mxl_mta-5.5.0-3) from 192.0.2.55 with Exim 4.80", "", 0),
        ("554 5.0.0 Service unavailable", "5.0.0", 554),
        ("554 5.0.0 first, then 5.3.0 unknown mailer error", "5.3.0", 554),
        ("call (480) 624-2500", "", 0),
        ("Status: Error, ResponseCode 421, Host not reachable", "", 421),
    ],
)
def test_codes_are_told_from_other_numbers(words: str, enhanced: str, code: int) -> None:
    assert (best_enhanced(words), reply_code(words)) == (enhanced, code)


@pytest.mark.parametrize(
    ("words", "stage"),
    [
        ("host mx said: 550 unknown (in reply to\n    RCPT TO command)", Stage.RCPT),
        ("550 no (in reply to end of DATA command)", Stage.DATA),
        ("SMTP error from remote mail server after MAIL FROM:<a@b.example> SIZE=1543:", Stage.MAIL),
        ("SMTP error from remote mail server after initial connection:", Stage.CONNECT),
        ("SMTP error from remote server for TEXT command", Stage.DATA),
        ("192.0.2.1 does not like recipient.\nRemote host said: 550", Stage.RCPT),
        ("192.0.2.1 failed after I sent the message.", Stage.DATA),
        ("SMTP:RCPT host 192.0.2.233: 553 5.3.0", Stage.RCPT),
        ("Remote host said: 501 5.1.8 Sender address rejected  [MAIL_FROM]", Stage.MAIL),
        ("mx.example [192.0.2.25] did not like our RCPT TO:", Stage.RCPT),
        ("550 550 Address unknown (state 14)", Stage.RCPT),
        ("This is the qmail-send program at mail.example.org.", Stage.UNKNOWN),
        ("550 <a@b.example>: User unknown in local recipient table", Stage.UNKNOWN),
    ],
)
def test_the_refused_command_is_read_from_the_wording(words: str, stage: Stage) -> None:
    assert stage_in(words) == stage


TRANSCRIPT = """\
... while talking to mx.gone.example.:
>>> RCPT To:<erin@gone.example>
<<< 550 5.7.1 IP address blacklisted
550 5.1.1 <erin@gone.example>... User unknown
>>> DATA
<<< 503 5.0.0 Need RCPT (recipient)
"""


def test_a_transcript_tells_which_command_drew_an_answer() -> None:
    assert stage_before(TRANSCRIPT, "550 5.7.1 IP address blacklisted") == Stage.RCPT
    assert stage_before(TRANSCRIPT, "503 5.0.0 Need RCPT") == Stage.DATA
    assert stage_before(TRANSCRIPT, "552 other") == Stage.UNKNOWN


def test_the_remote_lines_of_a_transcript_leave_out_the_gloss_of_the_sending_system() -> None:
    assert remote_lines(TRANSCRIPT) == "550 5.7.1 IP address blacklisted\n503 5.0.0 Need RCPT (recipient)"
    assert remote_lines("no transcript") == "no transcript"
