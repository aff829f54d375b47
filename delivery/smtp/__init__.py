"""A pipelining SMTP client on plain asyncio: no Django, one callback per envelope, every envelope settled once."""

from delivery.smtp.config import Auth, Chunking, SmtpConfig, Timeouts, Tls
from delivery.smtp.envelope import Envelope, dot_stuffed
from delivery.smtp.errors import Trouble, TroubleKind
from delivery.smtp.features import Features
from delivery.smtp.pool import Pool
from delivery.smtp.probe import ProbeReport, probe, send_one

__all__ = [
    "Auth",
    "Chunking",
    "Envelope",
    "Features",
    "Pool",
    "ProbeReport",
    "SmtpConfig",
    "Timeouts",
    "Tls",
    "Trouble",
    "TroubleKind",
    "dot_stuffed",
    "probe",
    "send_one",
]
