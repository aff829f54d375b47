"""The `money` filter: an amount as a shop prints it."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

# Symbols that read unambiguously in front of an amount; other codes are printed after it.
_SYMBOLS = {
    "EUR": "€",
    "USD": "$",
    "GBP": "£",
    "JPY": "¥",
    "CNY": "¥",
    "INR": "₹",
    "KRW": "₩",
    "BRL": "R$",
    "AUD": "A$",
    "CAD": "C$",
    "HKD": "HK$",
    "TWD": "NT$",
}
# ISO 4217 currencies without a minor unit that shops meet.
_WHOLE = frozenset({"JPY", "KRW", "VND", "CLP", "ISK", "TWD"})
_MAX_AMOUNT = Decimal(10) ** 15


def money(amount: object, currency: object = "") -> str:
    """`{{ 1234.5 | money: "EUR" }}` is €1,234.50; the currency is an ISO 4217 code, a symbol, or left out.

    Raises ValueError for what is no amount, or one of 10^15 and more. `None` and missing values print as nothing.
    """
    if amount is None or str(amount) == "":
        return ""
    try:
        value = Decimal(str(amount))
    except InvalidOperation:
        raise ValueError(f"{amount} is not an amount of money") from None
    if not value.is_finite() or abs(value) >= _MAX_AMOUNT:
        raise ValueError(f"{amount} is not an amount of money")
    code = str(currency)
    digits = f"{abs(value):,.0f}" if code in _WHOLE else f"{abs(value):,.2f}"
    sign = "-" if value < 0 else ""
    if len(code) == 3 and code.isalpha() and code not in _SYMBOLS:
        return f"{sign}{digits} {code}"
    return f"{sign}{_SYMBOLS.get(code, code)}{digits}"
