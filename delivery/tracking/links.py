"""Click addresses: by index for links every reader has, with the target inside for links made of merge fields.

A target inside the address is bound by a MAC to its campaign and link, so the redirect is no open one; it is not bound
to the reader, so one MAC serves all readers with the same target.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from hashlib import blake2s

MAC_LENGTH = 11
"""8 bytes as unpadded base64url (RFC 4648 section 5)."""


def dynamic_link_mac(secret: bytes, campaign_id: int, index: int, url: str) -> str:
    """The MAC of a target: 64 bits of BLAKE2s keyed with `secret` (at most 32 bytes)."""
    message = f"{campaign_id}|{index}|{url}".encode()
    digest = blake2s(message, key=secret, digest_size=8).digest()
    return base64.urlsafe_b64encode(digest)[:MAC_LENGTH].decode()


def dynamic_link_path(secret: bytes, campaign_id: int, index: int, url: str) -> str:
    """`{index}/{mac}/{base64url of the target}`: what follows the token in a dynamic link, the same for all readers."""
    encoded = base64.urlsafe_b64encode(url.encode()).rstrip(b"=").decode()
    return f"{index}/{dynamic_link_mac(secret, campaign_id, index, url)}/{encoded}"


def click_url(origin: str, token: str, path: str) -> str:
    """The address of a dynamic link for one reader; `path` is from `dynamic_link_path`."""
    return f"{origin}/d/{token}/{path}"


def verify_dynamic(secret: bytes, campaign_id: int, index: int, mac: str, encoded: str) -> str | None:
    """The target inside a dynamic link, or None when it was not made with this key for this campaign and link."""
    try:
        url = base64.b64decode(encoded.encode() + b"=" * (-len(encoded) % 4), altchars=b"-_", validate=True).decode()
    except (ValueError, binascii.Error):
        return None
    # The whole path is compared, so that only the canonical base64 of the target is accepted.
    expected = dynamic_link_path(secret, campaign_id, index, url)
    return url if hmac.compare_digest(expected.encode(), f"{index}/{mac}/{encoded}".encode()) else None
