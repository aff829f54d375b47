"""Which keys sign the mail of a From domain."""

from __future__ import annotations

from delivery.dkim import Signer, Signers
from delivery.models import DkimKey


def signer_for(from_domain: str) -> Signers | None:
    """Signs with every active key of the domain, or of the nearest domain above it that has one; None without.

    A signature of the domain above is aligned under DMARC's relaxed rule (RFC 7489 section 3.1.1). Raises
    contacts.encryption.WrongKey: mail that should be signed must not leave without.
    """
    labels = from_domain.lower().split(".")
    names = [".".join(labels[start:]) for start in range(max(len(labels) - 1, 1))]
    keys = list(DkimKey.objects.filter(domain__in=names, state=DkimKey.State.ACTIVE).order_by("-kind"))
    if not keys:
        return None
    nearest = max((key.domain for key in keys), key=len)
    return Signers(*(Signer(k.domain, k.selector, k.secrets["private_key"]) for k in keys if k.domain == nearest))
