"""Forms of the campaign wizard, one per step."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from campaigns.forms.design import SourceField, code_widget, text_widget
from campaigns.models import Campaign, Variant
from campaigns.policy import Moment, NoSuchTime, is_zone, resolve_wall_time
from contacts.models import Brand, MailingList
from contacts.zones import zone_choices

if TYPE_CHECKING:
    VariantModelForm = forms.ModelForm[Variant]  # generic for the type checker alone
else:
    VariantModelForm = forms.ModelForm

MAX_TEST_ADDRESSES = 10


class NewCampaignForm(forms.Form):
    """A new campaign: its name, its brand and the design it starts from."""

    name = forms.CharField(
        max_length=150, label="Name", help_text="Only you and your team see it. Such as “Spring sale, first mail”."
    )
    brand = forms.ModelChoiceField(Brand.objects.all(), label="Brand", empty_label=None)
    start = forms.CharField(required=False)


class AudienceForm(forms.Form):
    """Which lists receive the campaign, and which are left out."""

    name = forms.CharField(max_length=150, label="Campaign name", help_text="Only you and your team see it.")
    send_to = forms.ModelMultipleChoiceField(MailingList.objects.none(), required=False, label="Send to")
    exclude = forms.ModelMultipleChoiceField(MailingList.objects.none(), required=False, label="Leave out")

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("send_to", "exclude"):
            field = self.fields[name]
            assert isinstance(field, forms.ModelMultipleChoiceField)  # noqa: S101 - declared above
            field.queryset = brand.mailing_lists.all()


class ContentForm(VariantModelForm):
    """Sender, subject and body of a variant."""

    class Meta:
        model = Variant
        fields = ("subject", "preheader", "from_name", "from_email", "reply_to", "markup", "body", "text")
        labels = {
            "preheader": "Preview text",
            "from_name": "Sender name",
            "from_email": "Sender address",
            "reply_to": "Replies go to",
            "markup": "Written in",
        }
        help_texts = {"preheader": "Inboxes show it after the subject."}

    body = SourceField(widget=code_widget(), max_length=300_000, required=False, label="Design")
    text = SourceField(
        widget=text_widget(),
        required=False,
        label="Plain-text version",
        help_text="Leave it empty to have it made from the design.",
    )

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("subject", "preheader"):
            self.fields[name].widget.attrs |= {"data-insertable": True, "data-part-name": name}
        for name in ("from_name", "from_email", "reply_to"):
            self.fields[name].widget.attrs["placeholder"] = getattr(brand, name)
            self.fields[name].help_text = "Empty: as the brand has it."


class ScheduleForm(forms.Form):
    """When the campaign goes out, and how. `clean` resolves the wall time to UTC under `send_at`."""

    NOW, LATER = "now", "later"

    when = forms.ChoiceField(
        choices=[(NOW, "As soon as I confirm"), (LATER, "At a date and time")], widget=forms.RadioSelect, label="When"
    )
    date = forms.DateField(required=False, label="Date", widget=forms.DateInput(attrs={"type": "date"}))
    time = forms.TimeField(required=False, label="Time", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    timezone = forms.ChoiceField(label="Time zone")
    route_key = forms.ChoiceField(required=False, label="Send through")
    messages_per_hour = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=2_000_000_000,
        label="Messages per hour, at most",
        help_text="Spread evenly over the hour. Empty: as fast as the route allows.",
    )
    track_opens = forms.BooleanField(required=False, label="Count opens")
    track_clicks = forms.BooleanField(required=False, label="Count clicks")

    def __init__(self, *args: Any, campaign: Campaign, routes: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones, route = self.fields["timezone"], self.fields["route_key"]
        assert isinstance(zones, forms.ChoiceField)  # noqa: S101 - declared above
        assert isinstance(route, forms.ChoiceField)  # noqa: S101 - declared above
        zones.choices = zone_choices(suggested=(campaign.timezone, campaign.brand.timezone, "UTC"))
        route.choices = [("", "The route that the rules choose"), *routes]
        self.moment: Moment | None = None

    def clean_timezone(self) -> str:
        """The zone exists."""
        zone: str = self.cleaned_data["timezone"]
        if not is_zone(zone):
            raise ValidationError("This time zone is not known.")
        return zone

    def clean(self) -> dict[str, Any]:
        """A later time has a date and a time of day that exist in the zone."""
        cleaned = super().clean() or {}
        if cleaned.get("when") == self.LATER:
            self._resolve(cleaned)
        return cleaned

    def _resolve(self, cleaned: dict[str, Any]) -> None:
        for name in ("date", "time"):
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, f"Choose a {name}.")
        if self.errors:
            return
        try:
            self.moment = resolve_wall_time(datetime.combine(cleaned["date"], cleaned["time"]), cleaned["timezone"])
        except NoSuchTime as error:
            self.add_error("time", str(error))


class ConfirmForm(forms.Form):
    """The last question before a send; large audiences are typed in as a number."""

    number = forms.CharField(required=False, label="Number of people")

    def typed_number(self) -> int | None:
        """Return the number typed, whatever separates its thousands; None if it is not one."""
        digits = re.sub(r"[\s.,'’]", "", self.cleaned_data.get("number", ""))
        return int(digits) if digits.isdecimal() and len(digits) < 12 else None


class TestSendForm(forms.Form):
    """Who receives a test, and as whom it is filled in."""

    __test__ = False  # pytest takes classes named Test* for tests

    to = forms.CharField(
        label="Send a test to",
        help_text=f"Up to {MAX_TEST_ADDRESSES} addresses, separated by commas.",
        widget=forms.TextInput(attrs={"data-quiet": True, "autocomplete": "email"}),
    )

    def clean_to(self) -> list[str]:
        """Each address has the shape of one."""
        addresses = [part for part in re.split(r"[\s,;]+", self.cleaned_data["to"]) if part]
        for address in addresses:
            try:
                validate_email(address)
            except ValidationError:
                raise ValidationError(f"“{address}” is not an e-mail address.") from None
        if len(addresses) > MAX_TEST_ADDRESSES:
            raise ValidationError(f"These are {len(addresses)} addresses; a test goes to {MAX_TEST_ADDRESSES} at most.")
        return addresses
