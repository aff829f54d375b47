"""The reference: a Django project without an engine. Templates, EmailMultiAlternatives, smtplib, one INSERT each.

It gets what favours it: templates parsed once, readers' data at hand, one kept connection to the server and one to the
database. It sends the same HTML and text as the engine, with as many tracked links, signed by Django's own signer.
"""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend
from django.core.signing import Signer
from django.db import connection
from django.template import Context, Engine, Template

from campaigns.content.compiler import compile_content
from campaigns.content.source import Content
from delivery.benchmarks.fixture import Shape
from delivery.benchmarks.newsletter import contact_fields, newsletter_source

TABLE = """
CREATE TABLE IF NOT EXISTS bench_plain (id bigserial PRIMARY KEY, email text NOT NULL, sent_at timestamptz NOT NULL)
"""
TRACKING = "https://go.bench.example"
BRAND = {"name": "Bench", "postal_address": "1 Measure Street, London"}

_signer = Signer(salt="bench")
_CLICK = re.compile(r"\{% click (\d+) %\}")
_CLICK_TO = re.compile(r"\{% (?:clickto \d+|endclickto) %\}")
_HREF = re.compile(r'href="(https?://(?!go\.bench)[^"]+)"')
_URL = re.compile(r"(?<=\()https?://(?!go\.bench)[^)\s]+")


@dataclass(frozen=True)
class Plain:
    """The newsletter in Django's template language."""

    subject: Template
    text: Template
    html: Template


def plain_rate(shape: Shape, host: str, port: int, n: int) -> float:
    """Messages per second of the plain path over one kept connection."""
    newsletter = plain_newsletter(shape)
    with connection.cursor() as cursor:
        cursor.execute(TABLE)
    try:
        return _rate(newsletter, host, port, n)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE bench_plain")


def _rate(newsletter: Plain, host: str, port: int, n: int) -> float:
    with EmailBackend(host=host, port=port, username="", password="", use_tls=False, use_ssl=False) as server:
        start = time.perf_counter()
        for number in range(n):
            address = f"reader{number}@example.org"
            server.send_messages([plain_message(newsletter, number, address)])
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO bench_plain (email, sent_at) VALUES (%s, now())", [address])
        return n / (time.perf_counter() - start)


def plain_newsletter(shape: Shape) -> Plain:
    """Parsed once."""
    content = compile_content(newsletter_source(shape.size_kb, shape.links, shape.template), None)
    engine = Engine(autoescape=True)
    parse = engine.from_string
    return Plain(
        parse(as_django(content.subject, content)),
        parse("{% autoescape off %}" + as_django(content.text, content) + "{% endautoescape %}"),
        parse(as_django(content.html, content, escape=html.escape)),
    )


def plain_message(newsletter: Plain, number: int, address: str) -> EmailMultiAlternatives:
    """One reader's message."""
    unsubscribe = f"{TRACKING}/u/{_signed(str(number))}"
    context = Context(_context(number, address) | {"unsubscribe_url": unsubscribe, "token": _signed(f"open {number}")})
    message = EmailMultiAlternatives(
        newsletter.subject.render(context),
        _URL.sub(lambda m: _tracked(m[0], number), newsletter.text.render(context)),
        "Bench <news@news.bench.example>",
        [f"Ada {number} Lovelace <{address}>"],
        headers={"List-Unsubscribe": f"<{unsubscribe}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    )
    page = _HREF.sub(lambda m: f'href="{_tracked(html.unescape(m[1]), number)}"', newsletter.html.render(context))
    message.attach_alternative(page, "text/html")
    return message


def as_django(liquid: str, content: Content, *, escape: Callable[[str], str] = str) -> str:
    """Compiled content in Django's template language: links by address, the pixel, `default:"x"`."""
    text = _CLICK.sub(lambda m: escape(content.links[int(m[1])].url), liquid)
    text = _CLICK_TO.sub("", text)
    text = text.replace("{% openpixel %}", f'<img src="{TRACKING}/o/{{{{ token }}}}.gif" width="1" height="1" alt="">')
    text = re.sub(r'\|\s*(\w+):\s*"', r'|\1:"', text)
    return re.sub(r"\{%-?\s*(endif|endfor|else)\s*-?%\}", r"{% \1 %}", text)


def _context(number: int, address: str) -> dict[str, Any]:
    own = {"email": address, "first_name": f"Ada {number}", "last_name": "Lovelace", "city": "London"}
    return {"contact": contact_fields(number) | own, "brand": BRAND}


def _tracked(url: str, number: int) -> str:
    return f"{TRACKING}/c/{_signed(f'{number} {url}')}"


def _signed(text: str) -> str:
    return _signer.signature(text)
