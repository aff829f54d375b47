"""What can go wrong with the embedded servers; each message says what is wrong with which thing and what would help.

EmbeddedError
    WheelsMissingError  the packages with the binaries are not installed
    ServerError         a server could not be started, reached or stopped
    NoAccessError       files or processes belong to another user
"""


class EmbeddedError(RuntimeError):
    """Base of the errors of this package."""


class WheelsMissingError(EmbeddedError):
    """The packages with the server binaries are not installed."""


class ServerError(EmbeddedError):
    """A server could not be started, reached or stopped."""


class NoAccessError(EmbeddedError):
    """Files or processes belong to another user."""
