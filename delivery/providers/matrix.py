"""docs/providers.md, generated from what the providers declare; `python -m delivery.providers.matrix` prints it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .catalog import PROVIDERS
from .contract import Capabilities, Content, ProviderKind, Quota
from .presets import SMTP_PRESETS, SmtpPreset

HEAD = """# Providers

This page is generated from the declarations in `delivery/providers/` by `python -m delivery.providers.matrix`; a test
compares the two. Facts about providers change: the page named in each module is the authority.

A campaign may go out only by a route that carries a `List-Unsubscribe` header per recipient (RFC 8058; Gmail and Yahoo
require it of bulk mail). The launch check says so in words.
"""

HOOKS = """### Setting up webhooks

Each account has an address of its own, `https://…/hooks/KIND/TOKEN/`, on its page under Providers, with the words below
and the field or button for its secret. Opens and clicks may stay off: Fanfare counts its own.
"""

RELAYS = """\
What comes back from an SMTP relay comes by mail: refusals at once as SMTP replies, later bounces and complaints as
mails to the return path (`manage.py intake`). A relay account has no webhook address, also where the same company's
API above has one. Relays that keep bounces to themselves and replace the return path (SendGrid, Mailgun, Brevo and
Postmark do so unless a return path of your own is set up there) then tell Fanfare nothing: addresses that died stay
on your lists until the provider drops mail to them by itself. Where its API is offered above, use that one.
"""

ADDING = """## Adding a provider

1. `delivery/providers/NAME.py` with a `KIND` (or `delivery/providers/esps/NAME.py` with a `Dialect`, for an ESP that
   django-anymail knows), listed in `delivery/providers/catalog.py`. Its table from the provider's words to ours stands
   at the top, with the link above it; what is not in it becomes `UNCERTAIN` or `unknown`.
2. A fake in `delivery/providers/fakes/` that speaks the documented protocol, errors included, listed in `FAKES`.
3. `tests/delivery/providers/conformance.py` passes for it, and a sample of each webhook event stands in
   `tests/delivery/providers/receipt_samples.py`.
4. `python -m delivery.providers.matrix > docs/providers.md`.

An API that takes one message per HTTP call needs no code: "Any HTTP API" in the admin describes it by a form.
"""


def document() -> str:
    """The whole page."""
    kinds = sorted(PROVIDERS.values(), key=lambda kind: kind.label.lower())
    parts = [HEAD, "## Provider APIs\n", *_sending(kinds), "\n### Receipts\n", *_receipts(kinds), "\n" + HOOKS]
    parts += [line for kind in kinds for line in _setup(kind)]
    parts += ["\n### Notes\n"]
    parts += [line for kind in kinds for line in _notes(kind)]
    parts += [
        "\n## SMTP relays\n",
        RELAYS,
        *_presets(sorted(SMTP_PRESETS.values(), key=lambda p: p.label.lower())),
        "\n" + ADDING,
    ]
    return "\n".join(parts)


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def _sending(kinds: Sequence[ProviderKind]) -> list[str]:
    """What each provider takes."""
    columns = (
        "Provider",
        "Content",
        "Headers per recipient",
        "Messages per call",
        "Idempotency key",
        "Result per recipient",
        "From is free",
        "Published limits",
    )
    return _table(columns, [_sending_row(kind) for kind in kinds])


def _sending_row(kind: ProviderKind) -> list[str]:
    can = kind.capabilities
    return [
        f"[{kind.label}]({kind.docs_url})" if kind.docs_url else kind.label,
        "own HTML" if can.content is Content.FREE_HTML else "approved templates",
        _yes(can.per_recipient_headers),
        str(can.batch_max),
        _idempotency(can),
        _yes(can.per_recipient_results or can.batch_max == 1),
        _yes(can.from_selectable),
        "; ".join(map(_quota, can.quotas)) or "–",
    ]


def _receipts(kinds: Sequence[ProviderKind]) -> list[str]:
    """What each provider reports, and how its calls are proved."""
    rows = []
    for kind in kinds:
        hooks = kind.capabilities.webhooks
        ours = _yes(kind.capabilities.own_message_id)
        events = ", ".join(hooks.events) if hooks else "–"
        rows.append([kind.label, hooks.scheme if hooks else "none", ours, events, hooks.secret_help if hooks else "–"])
    return _table(("Provider", "Proof of a webhook call", "Our id comes back", "Events", "Secret to store"), rows)


def _setup(kind: ProviderKind) -> list[str]:
    """What to switch on at a provider."""
    webhooks = kind.capabilities.webhooks
    return [f"- **{kind.label}.** {webhooks.setup}"] if webhooks else []


def _notes(kind: ProviderKind) -> list[str]:
    """What else there is to know about a provider."""
    notes = [*kind.capabilities.notes, *([kind.dns_notes] if kind.dns_notes else [])]
    if kind.spf_include:
        notes.insert(0, f"SPF: `include:{kind.spf_include}`.")
    return [f"- **{kind.label}.** {' '.join(notes)}"] if notes else []


def _presets(presets: Sequence[SmtpPreset]) -> list[str]:
    """The SMTP relays that the admin offers."""
    rows = [
        [
            f"[{preset.label}]({preset.docs_url})",
            f"`{preset.host_in()}`",
            ", ".join(map(str, (preset.port, *preset.other_ports))),
            "TLS" if preset.tls == "implicit" else "STARTTLS",
            str(preset.max_connections),
            str(preset.messages_per_connection),
            "; ".join(map(_quota, preset.quotas)) or "–",
            preset.notes or "–",
        ]
        for preset in presets
    ]
    columns = (
        "Relay",
        "Host",
        "Ports",
        "Protection",
        "Connections",
        "Messages per connection",
        "Published limits",
        "Note",
    )
    return _table(columns, rows)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _idempotency(can: Capabilities) -> str:
    if can.idempotency is None:
        return "no"
    return f"{_span(can.idempotency.lifetime)}{'' if can.idempotency.batches else ', single messages'}"


def _quota(quota: Quota) -> str:
    per = "" if quota.per == "account" else f" per {quota.per}"
    return f"{quota.n:,} {quota.unit} / {_span(quota.seconds)}{per}"


def _span(seconds: int) -> str:
    """A number of seconds in the largest unit that divides it."""
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds // size} {name}"
    return f"{seconds} s"


if __name__ == "__main__":
    sys.stdout.write(document())
