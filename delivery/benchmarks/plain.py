"""The reference: a Django project without an engine. Template, EmailMultiAlternatives, smtplib, one INSERT each."""

from __future__ import annotations

import re
import smtplib
import time
import uuid

from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.template import Context, Engine

from delivery.benchmarks.fixture import Shape
from delivery.benchmarks.newsletter import contact_fields, newsletter_source

TABLE = "CREATE TEMP TABLE IF NOT EXISTS bench_plain (id bigserial PRIMARY KEY, email text, sent_at timestamptz)"


def plain_rate(shape: Shape, host: str, port: int, n: int) -> float:
    """Messages per second of the plain path over one kept connection."""
    source = newsletter_source(shape.size_kb, shape.links)
    template = Engine(autoescape=True).from_string(as_django(source.body))
    with connection.cursor() as cursor:
        cursor.execute(TABLE)
    smtp = smtplib.SMTP(host, port)
    start = time.perf_counter()
    for number in range(n):
        address = f"reader{number}@example.org"
        contact = contact_fields(number) | {"email": address, "first_name": f"Ada {number}", "last_name": "Lovelace"}
        context = {
            "contact": contact,
            "brand": {"name": "Bench"},
            "unsubscribe_url": f"https://x.example/u/{uuid.uuid4()}",
        }
        html = _tracked(template.render(Context(context)), number)
        message = EmailMultiAlternatives(
            source.subject, re.sub(r"<[^>]+>", " ", html), "news@news.bench.example", [address]
        )
        message.attach_alternative(html, "text/html")
        smtp.sendmail("bounce@bench.example", [address], message.message().as_bytes())
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO bench_plain (email, sent_at) VALUES (%s, now())", [address])
    rate = n / (time.perf_counter() - start)
    smtp.quit()
    return rate


def as_django(liquid: str) -> str:
    """The newsletter in Django's template language: `default: "x"` becomes `default:"x"`, loops and conditions stay."""
    text = re.sub(r'\|\s*(\w+):\s*"', r'|\1:"', liquid)
    text = re.sub(r"\{%-?\s*(endif|endfor|else)\s*-?%\}", r"{% \1 %}", text)
    return re.sub(r"\|\s*(upcase|downcase)", lambda m: "|upper" if m[1] == "upcase" else "|lower", text)


def _tracked(html: str, number: int) -> str:
    return re.sub(
        r'href="(https?://[^"]+)"', lambda m: f'href="https://t.example/c/{number}/{hash(m[1]) & 0xFFFFFF:x}"', html
    )
