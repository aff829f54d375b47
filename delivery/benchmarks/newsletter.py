"""The newsletter that benchmarks send: tables, media queries, Outlook comments, per-reader products and fields.

Its Liquid keeps to what Django's template language also reads, so that the same text can be rendered by both.
"""

from __future__ import annotations

from typing import Any

from campaigns.content.source import Source

N_PRODUCTS = 6
N_CATALOGUE = 60

_STYLE = """
body { margin: 0; padding: 0; background: #f4f1ec; }
.page { width: 600px; background: #ffffff; font-family: Arial, Helvetica, sans-serif; color: #222222; }
.lead { font-size: 18px; line-height: 28px; padding: 24px 32px; }
.story { font-size: 15px; line-height: 24px; padding: 12px 32px; color: #444444; }
.story a { color: #8a2b0e; text-decoration: underline; }
.button { display: inline-block; padding: 12px 24px; background: #8a2b0e; color: #ffffff; text-decoration: none; }
.product td { padding: 8px 12px; border-bottom: 1px solid #e4ded4; font-size: 14px; }
.small { font-size: 12px; line-height: 18px; color: #666666; padding: 24px 32px; }
a:hover { color: #5d1c08; }
@media only screen and (max-width: 620px) { .page { width: 100% !important; } .story { padding: 8px 16px !important; } }
@media (prefers-color-scheme: dark) { .page { background: #1d1b18 !important; color: #eeeeee !important; } }
"""

_TOP = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>The season's letter</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{style}</style>
<!--[if mso]><style>.page {{ font-family: Arial, sans-serif !important; }}</style><![endif]-->
</head><body>
<!--[if mso]><table role="presentation" width="600" align="center"><tr><td><![endif]-->
<table role="presentation" class="page" align="center" cellpadding="0" cellspacing="0">
"""

_LEAD = """<tr><td class="lead">Hello {{ contact.first_name | default: "there" }} {{ contact.last_name }},
here is the letter of {{ brand.name }} for {{ contact.city | default: "your city" }}.<br>
Your tier is {{ contact.tier }} with {{ contact.points }} points and {{ contact.credit }} of credit;
your last order was {{ contact.last_order }}, in {{ contact.colour }}, size {{ contact.size }}.</td></tr>
{% if contact.vip %}<tr><td class="story">As a member you may come an hour earlier to our shop
at {{ contact.store }} on the evening of the sale.</td></tr>
{% else %}<tr><td class="story">Become a member and come an hour earlier to our shop.</td></tr>{% endif %}
<tr><td class="story">Your code is <b>{{ contact.coupon }}</b> until {{ contact.coupon_expires }}.</td></tr>
"""

_PRODUCTS = """<tr><td class="story"><table role="presentation" class="product" width="100%">
{% for product in contact.products %}<tr>
<td><a href="{{ product.url }}">{{ product.name }}</a></td>
<td>{{ product.colour }}</td><td align="right">{{ product.price }}</td></tr>
{% endfor %}</table></td></tr>
{% if contact.points > 500 %}<tr><td class="story">With {{ contact.points }} points the parcel is free.</td></tr>
{% endif %}"""

# What templates may do beyond fields, loops and conditions: filters, captures, nested loops.
_RICH_LEAD = """{% capture reader %}{{ contact.first_name | strip | default: "there" }} {{ contact.last_name | upcase }}
{% endcapture %}<tr><td class="lead">Hello {{ reader | strip }}, here is the letter of {{ brand.name | append: "!" }}
for {{ contact.city | default: "your city" }}.<br>Your tier is {{ contact.tier | downcase }} with
{{ contact.points | plus: 10 | divided_by: 3 }} points and {{ contact.credit | replace: "€", "EUR " }} of credit;
your last order was {{ contact.last_order | date: "%d %B %Y" }}, in {{ contact.colour | capitalize }}, size
{{ contact.size }}.</td></tr>
{% if contact.vip %}<tr><td class="story">As a member you may come an hour earlier to our shop
at {{ contact.store | truncate: 30 }} on the evening of the sale.</td></tr>
{% else %}<tr><td class="story">Become a member and come an hour earlier to our shop.</td></tr>{% endif %}
<tr><td class="story">Your code is <b>{{ contact.coupon }}</b> until {{ contact.coupon_expires }}.</td></tr>
"""

_RICH_PRODUCTS = """<tr><td class="story"><table role="presentation" class="product" width="100%">
{% for product in contact.products %}{% assign words = product.name | split: " " %}<tr>
<td><a href="{{ product.url }}">{% for word in words limit: 3 %}{{ word | capitalize }} {% endfor %}</a></td>
<td>{{ product.colour | upcase }}</td><td align="right">{{ product.price | replace: ".", "," }}</td></tr>
{% endfor %}</table></td></tr>
{% if contact.points > 500 %}<tr><td class="story">With {{ contact.points }} points the parcel is free.</td></tr>
{% endif %}"""

# `tablerow` is rendered by python-liquid, and all that stands around it by compiled functions.
_FALLBACK_PRODUCTS = (
    _RICH_PRODUCTS
    + """<tr><td class="story"><table role="presentation">
{% tablerow product in contact.products cols: 3 %}{{ product.name | escape }}{% endtablerow %}
</table></td></tr>
"""
)

_STORY = """<tr><td class="story"><a
  href="https://shop.bench.example/journal/{number}?utm_source=letter&amp;utm_medium=email&amp;item={number}">The {word}
of the {word}, part {number}</a> = {text}</td></tr>
"""

# Most bytes of a newsletter are layout: nested tables with styled cells around a few words.
_FILLER = """<tr><td align="center" valign="top" style="padding:0 32px;border-collapse:collapse;mso-table-lspace:0pt">
  <table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="border-collapse:collapse">
    <tr><td width="180" valign="top" style="padding:8px 12px 8px 0;font-size:0;line-height:0;background-color:#f4f1ec">
      <div style="width:168px;height:112px;background-color:{colour};border-radius:4px" aria-hidden="true">&nbsp;</div>
    </td><td valign="top" style="padding:8px 0;font-family:Arial,Helvetica,sans-serif;font-size:14px;line-height:22px">
      <b style="font-size:16px;color:#222222">{title}</b><br><span style="color:#666666">{text}</span>
    </td></tr></table>
</td></tr>
"""

_BOTTOM = """<tr><td class="small">You, {{ contact.email }}, get this letter because you shop with us. Friends use your
referral {{ contact.referral_code }}.<br>{{ brand.postal_address }}<br>
<a href="{{ unsubscribe_url }}">Unsubscribe</a></td></tr>
</table>
<!--[if mso]></td></tr></table><![endif]-->
</body></html>
"""

_WORDS = ("weaver", "lantern", "harbour", "orchard", "kettle", "meadow", "violin", "atlas", "copper", "linen")
_SENTENCE = "The {0} stood beside the {1} of the {2} before the rain came; the café of the {3} kept it."


_PARTS = {
    "plain": (_LEAD, _PRODUCTS),
    "rich": (_RICH_LEAD, _RICH_PRODUCTS),
    "fallback": (_RICH_LEAD, _FALLBACK_PRODUCTS),
}
TEMPLATES = tuple(_PARTS)


def newsletter_source(size_kb: int, links: int, template: str = "plain") -> Source:
    """HTML of about `size_kb` KB once rendered, with `links` tracked links: six in a loop over each reader's products,
    the others in stories. 15 merge fields outside the loop, two conditions.

    `template` "rich" has filters, captures and nested loops as well, "fallback" a tag that cannot be compiled besides.
    """
    lead, products = _PARTS[template]
    stories = "".join(_story(number) for number in range(max(0, links - N_PRODUCTS)))
    fixed = _TOP.format(style=_STYLE) + lead + stories
    rest = products + _BOTTOM
    # Inlining adds about 120 bytes to each row, six product rows come out for one.
    missing = size_kb * 1000 - len(fixed) - len(rest) - 3_000 - 110 * links
    filler = ""
    number = 0
    while len(filler) < missing:
        filler += _filler(number)
        number += 1
    return Source(
        markup="html",
        body=fixed + filler + rest,
        subject="{{ contact.first_name }}, the season's letter is here",
        preheader="Six things picked for {{ contact.first_name }}",
    )


def contact_fields(number: int) -> dict[str, Any]:
    """Custom fields of the reader `number`: six products of a catalogue of 60, and short values."""
    return {
        "tier": ("Bronze", "Silver", "Gold")[number % 3],
        "points": number * 37 % 1000,
        "credit": f"€{number * 13 % 90}.{number % 100:02d}",
        "vip": number % 4 == 0,
        "last_order": f"2026-{number % 12 + 1:02d}-{number % 28 + 1:02d}",
        "colour": _WORDS[number % 10],
        "size": "SML"[number % 3],
        "store": f"{_WORDS[number % 10].capitalize()} Street {number % 80 + 1}",
        "coupon": f"SAVE{number * 7919 % 1_000_000:06d}",
        "coupon_expires": f"2026-12-{number % 28 + 1:02d}",
        "referral_code": f"FRIEND-{number:07d}",
        "products": [_product((number * 31 + turn * 17) % N_CATALOGUE) for turn in range(N_PRODUCTS)],
    }


def _product(number: int) -> dict[str, str]:
    return {
        "name": f"{_WORDS[number % 10].capitalize()} & {_WORDS[number // 6]} no. {number}",
        "colour": _WORDS[number // 7],
        "price": f"€{number * 3 + 9}.{number:02d}",
        "url": f"https://shop.bench.example/products/{number}?ref=letter&colour={_WORDS[number // 7]}",
    }


def _filler(number: int) -> str:
    title = f"The {_WORDS[number % 10]}, no. {number}"
    return _FILLER.format(colour=f"#{number * 4099 % 0xFFFFFF:06x}", title=title, text=_text(number)[:50])


def _text(number: int) -> str:
    return _SENTENCE.format(*(_WORDS[(number * 7 + place) % 10] for place in range(4)))


def _story(number: int) -> str:
    return _STORY.format(number=number, word=_WORDS[number % 10], text=_text(number))
