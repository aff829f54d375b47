"""One profile of a request to a checked row, or why not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from contacts.addresses import Address, AddressProblem, normalise_address
from contacts.fields import STANDARD, FieldError, convert_custom
from contacts.patches import FieldProblem, convert_standard
from contacts.policy import Consent
from contacts.services.profiles import SOURCE, ProfileRow, RowError

from .schemas import ConsentIn, ProfileIn

_decode = msgspec.json.Decoder(ProfileIn).decode
_PATH = re.compile(r" - at `\$\.?([^`]*)`$")
STATES: dict[str, Any] = {
    "subscribed": "confirmed",
    "unsubscribed": "unsubscribed",
    "unconfirmed": "unconfirmed",
}
MAX_EXTERNAL_ID = 200


class _Refused(Exception):
    """A row cannot be taken in because of one field."""

    def __init__(self, field: str, error: str) -> None:
        super().__init__(error)
        self.field = field


@dataclass(frozen=True)
class RowChecker:
    """Checks the rows of one request: knows the brand's lists, the custom fields and the key."""

    lists: dict[str | int, int]
    kinds: dict[str, str]
    prefix: str

    def check(self, index: int, raw: bytes | msgspec.Raw) -> ProfileRow | RowError:
        """The row, or why it cannot be taken in."""
        try:
            return self._check(index, _decoded(bytes(raw)))
        except _Refused as error:
            return RowError(index, error.field, str(error))

    def _check(self, index: int, profile: ProfileIn) -> ProfileRow:
        external_id = "" if profile.external_id is None else str(profile.external_id).strip()
        if len(external_id) > MAX_EXTERNAL_ID:
            raise _Refused("external_id", f"It is longer than {MAX_EXTERNAL_ID} characters.")
        consent = self._consent(profile)
        return ProfileRow(
            index=index,
            address=_address(profile, external_id),
            external_id=external_id,
            values=_values(profile),
            fields=self._fields(profile.fields),
            list_ids=self._list_ids(profile.lists),
            consent=consent,
            evidence={"key": self.prefix, "said": profile.consent.source} if profile.consent else {},
            updated_at=profile.updated_at,
        )

    def _fields(self, fields: dict[str, Any]) -> dict[str, Any]:
        kept = {}
        for key, value in fields.items():
            if key not in self.kinds:
                raise _Refused(f"fields.{key}", "There is no custom field of that key; it is made in the admin.")
            try:
                kept[key] = convert_custom(self.kinds[key], value)
            except FieldError as error:
                raise _Refused(f"fields.{key}", str(error)) from None
        return kept

    def _list_ids(self, references: list[str | int] | None) -> list[int] | None:
        if references is None:
            return None
        missing = [reference for reference in references if reference not in self.lists]
        if missing:
            raise _Refused("lists", f"The key's brand has no list {missing[0]!r}.")
        return [self.lists[reference] for reference in references]

    def _consent(self, profile: ProfileIn) -> Consent | None:
        said = profile.consent
        if said is None:
            if profile.lists:
                raise _Refused("consent", "To put people on lists, say what they agreed to and when.")
            return None
        if said.state != "unsubscribed" and not profile.lists:
            raise _Refused("lists", "Name the lists that the consent is for.")
        return _consent(said)


def _consent(said: ConsentIn) -> Consent:
    return Consent(STATES[said.state], said.occurred_at, SOURCE)


def _decoded(raw: bytes) -> ProfileIn:
    if b"\\u0000" in raw:
        raise _Refused("", "The row holds a NUL character.")
    try:
        return _decode(raw)
    except msgspec.ValidationError as error:
        where = _PATH.search(str(error))
        raise _Refused(where[1] if where else "", _PATH.sub("", str(error)) + ".") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _Refused("", "The row is not JSON text.") from None


def _address(profile: ProfileIn, external_id: str) -> Address | None:
    if not profile.email:
        if external_id:
            return None
        raise _Refused("email", "Give an email or an external_id.")
    address = normalise_address(profile.email[:1000])
    if isinstance(address, AddressProblem):
        raise _Refused("email", address.reason)
    return address


def _values(profile: ProfileIn) -> dict[str, str]:
    given = {name: value for name in STANDARD if (value := getattr(profile, name)) is not msgspec.UNSET}
    values = convert_standard(given)
    if isinstance(values, FieldProblem):
        raise _Refused(values.field, values.reason)
    return values
