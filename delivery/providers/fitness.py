"""Whether a provider can carry what a campaign uses: the words in which a launch is refused."""

from __future__ import annotations

from dataclasses import dataclass

from .contract import Capabilities, Content


@dataclass(frozen=True, slots=True)
class Uses:
    """What a campaign asks of its route."""

    own_html: bool = True
    one_click_unsubscribe: bool = True
    chosen_from: bool = True


def problems(label: str, can: Capabilities, uses: Uses) -> list[str]:
    """One sentence for each thing that the campaign uses and the provider lacks; empty when it may go out.

    One-click unsubscribe needs List-Unsubscribe and List-Unsubscribe-Post with a URL of the recipient's own
    (RFC 8058 section 3.1), so a provider that sets no header per recipient is never fit for a campaign.
    """
    found = []
    if uses.one_click_unsubscribe and not can.per_recipient_headers:
        found.append(
            f"{label} cannot carry a List-Unsubscribe header per recipient, "
            "which Gmail and Yahoo require of bulk mail. Add a provider with its SMTP relay, or choose another route."
        )
    if uses.own_html and can.content is Content.TEMPLATE_ONLY:
        found.append(
            f"{label} sends only templates approved in its console, "
            "not a campaign's own design. Choose a route that takes HTML."
        )
    if uses.chosen_from and not can.from_selectable:
        found.append(f"{label} binds the From address to the account; the campaign's own sender would be ignored.")
    return found
