"""The fixtures of the content pipeline and a reader for them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from campaigns.content.compiler import compile_content
from campaigns.content.source import Content, Source

FIXTURES = Path(__file__).parent / "fixtures"
NOW = dt.datetime(2026, 10, 5, 9, 30, tzinfo=dt.UTC)


def newsletter() -> Source:
    """40 KB of hand-written HTML with everything in it that e-mail has."""
    body = (FIXTURES / "newsletter.html").read_text()
    return Source("html", body, "October, {{ contact.first_name }}", "Six things for {{ contact.first_name }}")


def mjml_newsletter(preheader: str = "") -> Source:
    """The same in MJML."""
    return Source("mjml", (FIXTURES / "newsletter.mjml").read_text(), "October", preheader)


def html(body: str, **fields: str) -> Content:
    """Compiles a body of HTML."""
    return compile_content(Source("html", body, fields.pop("subject", "A subject"), **fields))


def reader(**fields: Any) -> dict[str, Any]:
    """A merge context for one reader, brand and addresses included."""
    products = [
        {
            "name": f"Cup & no. {n}",
            "price": 10 + n / 2,
            "url": f"https://shop.example.com/p/{n}?a=1",
            "was": n % 2 and 20,
        }
        for n in range(8)
    ]
    contact = {"first_name": "Zoë", "email": "zoe@example.com", "points": 700, "vip": True, "city": "Zürich"}
    return {
        "contact": {**contact, "products": products, "tags": ["new", "<old>"], "locale": "de", "guests": 4, **fields},
        "brand": {"name": "Kiln & Co", "postal_address": "Mill Lane 3\n8000 Zürich", "website": "https://kiln.example"},
        "campaign": {"name": "October", "subject": "October"},
        "unsubscribe_url": "https://go.example.com/u/T",
        "preferences_url": "https://go.example.com/p/T",
        "now": NOW,
    }
