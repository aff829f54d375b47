"""Finds reply codes, enhanced status codes and the refused SMTP command in the words of mail servers."""

from __future__ import annotations

import re

from .report import Stage

# A code stands after white space, an opening sign, "#" or "550-"; "mta_5.5.0" and 192.0.2.5 are not codes.
_ENHANCED = re.compile(r"(?:^|(?<=[\s#(<:;\[,>=])|(?<=[245]\d\d-))([45]\.[0-7]\.\d{1,3})(?![\w]|[.\-]\d)")
_QUOTED_REPLY = re.compile(r"<([45][0-5]\d) ([45]\.[0-7]\.\d{1,3}) [^<>]{1,300}>")
_REPLY = re.compile(r"(?:^|(?<=[\s:;<(,'\"\[]))([45][0-5]\d)(?=[\s\-:,.)>]|$)(?!\.\d)")
_REPLY_BEFORE_ENHANCED = re.compile(r"\b([245][0-5]\d)[ \-,:#(]{1,20}[245]\.[0-7]\.\d{1,3}\b")
_LABELLED_REPLY = re.compile(r"(?:error|response|reply|return|status)[ _-]?code[ :=#]{0,4}([245]\d\d)\b", re.IGNORECASE)

# Wordings of Postfix, Exim, Courier, Yahoo, DragonFly, 1&1, PowerMTA, Outlook and their kin. Commands are written in
# capitals or as phrases: "program at mail.example.org" names no command.
_STAGE = re.compile(
    r"(?:\b(?i:after|for|in reply to|in response to|our|during|at|to|command|stage|smtp):?|>>>|\[)\s{0,3}"
    r"(?:(?i:the|sending|receiving|pipelined|issuing|remote|a)\s+){0,3}['\"<]?"
    r"((?i:initial connection|banner|starttls|mail[ _]from|rcpt[ _]to|rcpt|final dot|end[ -]of[ -](?:data|message))"
    r"|HELO|EHLO|LHLO|MAIL|DATA|TEXT|BODY|CONNECT|(?i:mail|data|text|connect|helo|ehlo)(?= command))\b"
)
_SAID_STAGES = (
    (re.compile(r"does not like recipient|did not like recipient", re.IGNORECASE), Stage.RCPT),
    (re.compile(r"failed (?:on|after I sent the) (?:DATA|message)", re.IGNORECASE), Stage.DATA),
    (re.compile(r"but (?:the )?sender was rejected|does not like sender", re.IGNORECASE), Stage.MAIL),
    (re.compile(r"refused to talk to me", re.IGNORECASE), Stage.CONNECT),
    (re.compile(r"but (?:my name|greeting failed|connection died)", re.IGNORECASE), Stage.CONNECT),
    (re.compile(r"wasn.t able to establish an SMTP connection|couldn.t find any host", re.IGNORECASE), Stage.CONNECT),
    # Gmail until 2014 numbered its states: 14 RCPT, 17 and 18 the message.
    (re.compile(r"\(state 14\)"), Stage.RCPT),
    (re.compile(r"\(state 1[78]\)"), Stage.DATA),
)
_FIRST_WORDS = {
    "initial": Stage.CONNECT,
    "connect": Stage.CONNECT,
    "banner": Stage.CONNECT,
    "helo": Stage.HELO,
    "ehlo": Stage.HELO,
    "lhlo": Stage.HELO,
    "starttls": Stage.HELO,
    "mail": Stage.MAIL,
    "rcpt": Stage.RCPT,
}


def is_vague(enhanced: str) -> bool:
    """True for "" and for x.0.0, which RFC 3463 section 3.1 gives to "other undefined status"."""
    return enhanced == "" or enhanced[1:] == ".0.0"


def best_enhanced(*texts: str) -> str:
    """The most telling code in these texts, earlier texts first; x.0.0 only when there is nothing better.

    A reply quoted in angle brackets inside another (`554 4.4.7 expired <421 4.4.2 timed out>`, Amazon SES) is the
    remote server's own and wins.
    """
    vague = ""
    for text in texts:
        quoted = _QUOTED_REPLY.search(text)
        if quoted:
            return quoted.group(2)
        for code in _ENHANCED.findall(text):
            if not is_vague(code):
                return str(code)
            vague = vague or str(code)
    return vague


def remote_lines(text: str) -> str:
    """The `<<<` lines of a transcript without their mark; the text itself when it has none.

    Beside them sendmail writes its own gloss (`550 5.1.1 <...>... User unknown` below `<<< 550 5.7.1 blocked`).
    """
    quoted = [line.strip()[3:].strip() for line in text.split("\n") if line.strip().startswith("<<<")]
    return "\n".join(line for line in quoted if line) or text


def reply_code(text: str) -> int:
    """The SMTP reply code in a server's words, or 0."""
    quoted = _QUOTED_REPLY.search(text)
    if quoted:
        return int(quoted.group(1))
    for pattern in (_REPLY_BEFORE_ENHANCED, _LABELLED_REPLY, _REPLY):
        found = pattern.search(text)
        if found:
            return int(found.group(1))
    return 0


def stage_in(text: str) -> Stage:
    """The SMTP command that these words say was refused; the last one named counts."""
    for pattern, stage in _SAID_STAGES:
        if pattern.search(text):
            return stage
    named = _STAGE.findall(" ".join(text.split()))
    if not named:
        return Stage.UNKNOWN
    return _FIRST_WORDS.get(re.split(r"[ _]", str(named[-1]).lower())[0], Stage.DATA)


def stage_before(transcript: str, words: str) -> Stage:
    """The command of a transcript (`>>> RCPT To:<...>`, `<<< 550 ...`) that drew these words."""
    stage = Stage.UNKNOWN
    needle = " ".join(words.split())[:60].lower()
    for line in transcript.split("\n"):
        text = line.strip()
        if text.startswith(">>>"):
            stage = _FIRST_WORDS.get(text[3:].strip().lower().partition(" ")[0], Stage.DATA)
        elif text.startswith("<<<") and needle and needle in " ".join(text[3:].split()).lower():
            return stage
    return Stage.UNKNOWN
