"""RFC 5965 abuse reports (complaints), and the two habits around them: several recipients, or none at all."""

from __future__ import annotations

from .addresses import addresses_in, recipient_field
from .mime import Headers, Mail, read_headers
from .notice import returned_headers
from .report import Report, ReportKind

_MAX_RECIPIENTS = 100
# Where feedback loops that redact the recipient may still leave it (Microsoft JMRP, AOL, Comcast).
_RECIPIENT_FIELDS = ("original-rcpt-to", "removal-recipient", "redacted-address")
# The opposite of a complaint: a person moved the mail out of the junk folder (RFC 6430).
_NOT_SPAM = "not-spam"


def read_arf(mail: Mail) -> list[Report]:
    """A report per complaining recipient; [] when the mail is no feedback report."""
    part = mail.first("message/feedback-report")
    if part is None:
        return _bare_complaint(mail)
    fields = read_headers(part.content().replace(b"\n\n", b"\n"))
    kind = fields.get("feedback-type").strip().lower()[:40]
    recipients = _recipients(fields, returned_headers(mail)) or [""]
    return [
        Report(
            kind=ReportKind.UNKNOWN if kind == _NOT_SPAM else ReportKind.COMPLAINT,
            detector="arf",
            recipient=recipient,
            feedback_type=kind or "abuse",
            original_envelope_id=fields.get("original-envelope-id")[:200],
            reporting_mta=fields.get("reporting-mta").rpartition(";")[2].strip().lower()[:255],
            notice=fields.get("user-agent")[:200],
        )
        for recipient in recipients[:_MAX_RECIPIENTS]
    ]


def _recipients(fields: Headers, returned: Headers) -> list[str]:
    for name in _RECIPIENT_FIELDS:
        found = [recipient_field(value) for value in fields.every(name)]
        if any(found):
            return list(dict.fromkeys(address for address in found if address))
    return [address for value in returned.every("to") for address in addresses_in(value)]


def _bare_complaint(mail: Mail) -> list[Report]:
    """Microsoft JMRP: a forward of the mail, with its recipient in a header of one or the other."""
    returned = returned_headers(mail)
    recipient = mail.headers.get("x-hmxmroriginalrecipient") or returned.get("x-hmxmroriginalrecipient")
    about = mail.headers.words("subject").strip().lower()
    if not recipient and not about.startswith("complaint about message from"):
        return []
    address = recipient_field(recipient or returned.get("to"))
    return [Report(kind=ReportKind.COMPLAINT, detector="jmrp", recipient=address, feedback_type="abuse")]
