"""The sender identity that is frozen at launch, so that later changes of the brand change no mail on its way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from campaigns.models import Campaign, Variant
from contacts.models import Brand, MailingList

# The last part of Feedback-ID: 5 to 15 characters, the same in all mail (support.google.com/mail/answer/6254652).
SENDER_ID = "fanfare"


class Identity(TypedDict):
    """What FrozenContent.identity holds; plain strings, ready for headers and for the merge context."""

    from_name: str
    from_email: str
    reply_to: str
    sending_domain: str
    bounce_domain: str
    list_id: str
    list_name: str
    feedback_id: str
    tracking_origin: str
    brand: dict[str, str]
    campaign: dict[str, str]


def freeze_identity(
    campaign: Campaign, variant: Variant, *, lists: Sequence[MailingList], default_origin: str
) -> Identity:
    """Return who sends this variant. `default_origin` serves brands without a tracking address of their own."""
    brand = campaign.brand
    from_email = variant.from_email or brand.from_email
    list_id, list_name = list_identity(brand, lists)
    return Identity(
        from_name=variant.from_name or brand.from_name,
        from_email=from_email,
        reply_to=variant.reply_to or brand.reply_to,
        sending_domain=from_email.rpartition("@")[2].lower(),
        bounce_domain=brand.bounce_domain,
        list_id=list_id,
        list_name=list_name,
        feedback_id=f"{campaign.pk}:{brand.slug}:campaign:{SENDER_ID}",
        tracking_origin=(brand.tracking_origin or default_origin).rstrip("/"),
        brand={"name": brand.name, "postal_address": brand.postal_address, "website": brand.website},
        campaign={"name": campaign.name, "subject": variant.subject},
    )


def list_identity(brand: Brand, lists: Sequence[MailingList]) -> tuple[str, str]:
    """Return List-ID and its name (RFC 2919): one list's own, stable for ever; for several lists, the brand's."""
    if len(lists) == 1:
        return f"list-{lists[0].pk}.{brand.slug}.{brand.sending_domain}", lists[0].name
    return f"{brand.slug}.{brand.sending_domain}", brand.name
