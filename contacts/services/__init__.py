"""What can be done in the audience, one function per thing a person could ask for."""

from .api_keys import create_api_key, note_api_key_use, revoke_api_key
from .consent import ConsentOffer, record_consents, subscribe_contact, unsubscribe_contact
from .people import change_address, erase_contact, save_contact
from .policies import policy_of, suppress_role_accounts
from .statistics import renew_statistics
from .suppressions import lift_suppression, suppress_address, suppress_addresses

__all__ = [
    "ConsentOffer",
    "change_address",
    "create_api_key",
    "erase_contact",
    "lift_suppression",
    "note_api_key_use",
    "policy_of",
    "record_consents",
    "renew_statistics",
    "revoke_api_key",
    "save_contact",
    "subscribe_contact",
    "suppress_address",
    "suppress_addresses",
    "suppress_role_accounts",
    "unsubscribe_contact",
]
