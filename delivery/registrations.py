"""What delivery offers to campaigns through campaigns' registry, wired at start-up."""


def register() -> None:
    """Fill campaigns' registry."""
