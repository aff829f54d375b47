"""The audience's tables, one module per topic."""

from .access import ApiKey, IdempotentRequest
from .brand import Brand
from .consent import ConsentEvent, Suppression
from .imports import ImportedAddress, ImportJob, ImportRejectedRow
from .people import Contact, ContactField, ContactIdentity, MailingList, Subscription
from .policies import SuppressionPolicy

__all__ = [
    "ApiKey",
    "Brand",
    "ConsentEvent",
    "Contact",
    "ContactField",
    "ContactIdentity",
    "IdempotentRequest",
    "ImportJob",
    "ImportRejectedRow",
    "ImportedAddress",
    "MailingList",
    "Subscription",
    "Suppression",
    "SuppressionPolicy",
]
