"""The shapes of requests and answers: msgspec where a thousand rows are read, pydantic where OpenAPI describes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from pydantic import AwareDatetime, BaseModel, Field

Moment = Annotated[datetime, Meta(tz=True)]
Text = str | None | UnsetType
EXAMPLE: dict[str, Any] = {
    "profiles": [
        {
            "external_id": "1001",
            "email": "alice@example.com",
            "first_name": "Alice",
            "country": "DE",
            "fields": {"points": 120, "vip": True},
            "lists": ["Newsletter"],
            "consent": {"state": "subscribed", "occurred_at": "2026-01-01T09:30:00Z", "source": "checkout"},
        }
    ]
}


class ConsentIn(Struct, forbid_unknown_fields=True):
    """What a person agreed to, by the clock of whoever asked."""

    state: Literal["subscribed", "unsubscribed", "unconfirmed"]
    occurred_at: Moment
    source: Annotated[str, Meta(max_length=100)] = ""


class ProfileIn(Struct, forbid_unknown_fields=True):
    """One profile; what is absent stays, null clears."""

    email: str | None = None
    external_id: str | int | None = None
    first_name: Text = UNSET
    last_name: Text = UNSET
    phone: Text = UNSET
    country: Text = UNSET
    city: Text = UNSET
    locale: Text = UNSET
    timezone: Text = UNSET
    fields: dict[str, Any] = msgspec.field(default_factory=dict)
    lists: list[str | int] | None = None
    consent: ConsentIn | None = None
    updated_at: Moment | None = None


class Bulk(Struct, forbid_unknown_fields=True):
    """The envelope: rows are read one by one, so that one bad row spoils only itself."""

    profiles: list[msgspec.Raw]


class Consent(BaseModel):
    """What a person agreed to; the newest `occurred_at` counts, and a local unsubscribe is never undone."""

    state: Literal["subscribed", "unsubscribed", "unconfirmed"]
    occurred_at: AwareDatetime = Field(description="When, with an offset, by the clock of whoever asked the person.")
    source: str = Field("", max_length=100, description="Where, such as checkout; kept as proof.")


class Profile(BaseModel):
    """One profile. A field that is absent stays as it is; null clears it."""

    email: str | None = Field(None, description="Needed unless external_id is known.")
    external_id: str | int | None = Field(
        None, description="Your own id of the person; finds them after a change of address."
    )
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    country: str | None = Field(None, description="ISO 3166-1 code, or a country's name.")
    city: str | None = None
    locale: str | None = None
    timezone: str | None = None
    fields: dict[str, Any] = Field({}, description="Custom fields by key; they are made in the admin.")
    lists: list[str | int] | None = Field(None, description="Lists of the key's brand that the consent is for.")
    consent: Consent | None = None
    updated_at: AwareDatetime | None = Field(None, description="Your clock: an older row changes no fields.")


class ProfilesIn(BaseModel):
    """Up to 1,000 profiles."""

    model_config = {"json_schema_extra": {"example": EXAMPLE}}
    profiles: list[Profile] = Field(max_length=1000)


class RowErrorOut(BaseModel):
    """Why one row was not taken in."""

    index: int = Field(description="The row's place in the request, from 0.")
    field: str
    error: str


class ProfileId(BaseModel):
    """Where one row ended."""

    index: int
    id: UUID


class ProfilesOut(BaseModel):
    """What came of a request; rows without an error were taken in."""

    n_rows: int
    n_accepted: int
    n_created: int
    n_updated: int
    n_consents: int = Field(description="Subscriptions that changed.")
    profiles: list[ProfileId]
    errors: list[RowErrorOut]


class SubscriptionOut(BaseModel):
    """A contact on a list of the key's brand."""

    list_id: int
    list: str
    state: Literal["subscribed", "unsubscribed", "unconfirmed"]
    since: datetime


class ProfileOut(BaseModel):
    """What is known of a contact."""

    id: UUID
    email: str
    first_name: str
    last_name: str
    phone: str
    country: str
    city: str
    locale: str
    timezone: str
    fields: dict[str, Any]
    suppressed: bool = Field(description="No mail goes to this address, whatever the subscriptions say.")
    subscriptions: list[SubscriptionOut]
    created_at: datetime
    updated_at: datetime


class ListOut(BaseModel):
    """A mailing list of the key's brand."""

    model_config = {"from_attributes": True}
    id: int
    name: str
    description: str


class UnsubscribeIn(BaseModel):
    """Who leaves which lists."""

    model_config = {"json_schema_extra": {"example": {"email": "alice@example.com", "lists": ["Newsletter"]}}}
    email: str | None = None
    external_id: str | int | None = None
    lists: list[str | int] | None = Field(None, description="Absent: every list of the brand.")
    occurred_at: AwareDatetime | None = Field(None, description="Absent: now.")


class UnsubscribeOut(BaseModel):
    """How many subscriptions ended."""

    n_unsubscribed: int


class ErrorOut(BaseModel):
    """Every refusal."""

    error: str
    code: str


def inlined(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a model without references, to stand where OpenAPI resolves none."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})

    def resolve(node: Any) -> Any:
        if isinstance(node, dict):
            name = str(node.get("$ref", "")).rpartition("/")[2]
            return resolve(definitions[name]) if name else {key: resolve(value) for key, value in node.items()}
        return [resolve(part) for part in node] if isinstance(node, list) else node

    resolved: dict[str, Any] = resolve(schema)
    return resolved
