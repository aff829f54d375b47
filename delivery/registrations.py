"""What delivery offers to campaigns through campaigns' registry, wired at start-up."""

from campaigns.registry import register_delivery
from delivery.port import Port


def register() -> None:
    """Campaigns can ask delivery from now on."""
    register_delivery(Port())
