"""What can go wrong in the audience.

ContactsError
├── WrongState      the thing is no longer in the state that the action needs
├── ContactErased   the person asked to be erased; only a person may lift that
├── NotWanted       a value is refused, with the reason
├── AddressTaken    another contact has that address
├── KeyReused       an Idempotency-Key came with another body
└── StillRunning    the first request with an Idempotency-Key has no answer yet
"""


class ContactsError(Exception):
    """Any refusal of the audience's services; the message is for people."""


class WrongState(ContactsError):
    """The thing acted on is not, or no longer, in the state that the action needs."""


class ContactErased(ContactsError):
    """The address belongs to a person who asked to be erased."""


class NotWanted(ContactsError):
    """A value is refused; the message says which and why."""


class AddressTaken(ContactsError):
    """Another contact has that address."""


class KeyReused(ContactsError):
    """An Idempotency-Key came with another body."""


class StillRunning(ContactsError):
    """The first request with an Idempotency-Key has no answer yet."""
