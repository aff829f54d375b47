"""Which column holds what: the header words of shop and newsletter exports, in English and Chinese. Pure.

Seen in customer exports of Shopify and WooCommerce and in audience exports of Mailchimp and Klaviyo, 2019 to 2026.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from contacts.addresses import Address, normalise_address

# Field name to header words, the best first: a file may have both "Country Code" and "Country".
ALIASES: dict[str, tuple[str, ...]] = {
    "email": (
        "email",
        "email address",
        "e mail",
        "e mail address",
        "mail",
        "customer email",
        "billing email",
        "user email",
        "subscriber email",
        "contact email",
        "邮箱",
        "电子邮件",
        "电子邮箱",
        "邮箱地址",
        "电邮",
        "邮件地址",
    ),
    "first_name": (
        "first name",
        "firstname",
        "fname",
        "given name",
        "forename",
        "billing first name",
        "vorname",
        "prénom",
        "prenom",
        "nombre",
        "名",
        "名字",
    ),
    "last_name": (
        "last name",
        "lastname",
        "lname",
        "surname",
        "family name",
        "billing last name",
        "nachname",
        "nom",
        "apellido",
        "apellidos",
        "姓",
        "姓氏",
    ),
    "full_name": ("full name", "name", "customer name", "contact name", "display name", "姓名", "客户姓名", "昵称"),
    "phone": (
        "phone",
        "phone number",
        "mobile",
        "mobile phone",
        "telephone",
        "tel",
        "billing phone",
        "default address phone",
        "手机",
        "手机号",
        "手机号码",
        "电话",
        "联系电话",
    ),
    "country": (
        "default address country code",
        "country code",
        "billing country",
        "country",
        "country region",
        "cc",
        "land",
        "国家",
        "国家地区",
        "国家代码",
    ),
    "city": ("default address city", "city", "town", "billing city", "stadt", "ort", "ville", "城市"),
    "locale": ("locale", "language", "customer locale", "preferred language", "语言"),
    "timezone": ("timezone", "time zone", "时区"),
    "consent": (
        "accepts email marketing",
        "email marketing consent",
        "accepts marketing",
        "email marketing status",
        "email opt in",
        "marketing consent",
        "marketing opt in",
        "newsletter",
        "opt in",
        "optin",
        "subscribed",
        "subscription status",
        "status",
        "consent",
        "是否订阅",
        "订阅状态",
        "订阅",
        "接受营销",
        "接受邮件营销",
    ),
    "consent_at": (
        "email marketing consent timestamp",
        "confirm time",
        "optin time",
        "opt in time",
        "consent at",
        "consent timestamp",
        "subscribed at",
        "unsub time",
        "订阅时间",
    ),
}
_FIELD_OF = {word: (name, rank) for name, words in ALIASES.items() for rank, word in enumerate(words)}
_SEPARATORS = re.compile(r"[\s_/.:()\-]+")


def plain_words(header: str) -> str:
    """A header without case and separators: `E-Mail_Address ` is `e mail address`."""
    return _SEPARATORS.sub(" ", header.strip("\ufeff \t\"'*").casefold()).strip()


def guess_mapping(
    headers: Sequence[str], samples: Iterable[Sequence[str]], custom: Mapping[str, str]
) -> dict[int, str]:
    """Column number to field name, each field once; custom fields (key to label) come as `field:<key>`."""
    best: dict[str, tuple[int, int]] = {}
    known = _FIELD_OF | _custom_words(custom)
    for column, header in enumerate(headers):
        name, rank = known.get(plain_words(header), ("", 0))
        if name and (name not in best or rank < best[name][0]):
            best[name] = (rank, column)
    mapping = {column: name for name, (_, column) in best.items()}
    if "email" not in best:
        mapping |= _column_of_addresses(samples)
    if "first_name" in best or "last_name" in best:
        mapping = {column: name for column, name in mapping.items() if name != "full_name"}
    return mapping


def _custom_words(custom: Mapping[str, str]) -> dict[str, tuple[str, int]]:
    words = {plain_words(label): (f"field:{key}", 0) for key, label in custom.items()}
    return words | {plain_words(key): (f"field:{key}", 0) for key in custom}


def _column_of_addresses(samples: Iterable[Sequence[str]]) -> dict[int, str]:
    counts: dict[int, int] = {}
    for cells in samples:
        for column, cell in enumerate(cells):
            counts[column] = counts.get(column, 0) + isinstance(normalise_address(cell[:400]), Address)
    column, n_addresses = max(counts.items(), key=lambda item: item[1], default=(0, 0))
    return {column: "email"} if n_addresses else {}


def looks_like_header(cells: Sequence[str]) -> bool:
    """Whether a first row names columns; a row that holds an address is somebody already."""
    return not any(isinstance(normalise_address(cell[:400]), Address) for cell in cells)
