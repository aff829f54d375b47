"""The form of a brand, in the words of the people who fill it in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from contacts.models import Brand
from contacts.zones import zone_choices

if TYPE_CHECKING:
    BrandModelForm = forms.ModelForm[Brand]  # generic for the type checker alone
    Select = forms.Select
else:
    from unfold.widgets import UnfoldAdminSelectWidget as Select

    BrandModelForm = forms.ModelForm


class BrandForm(BrandModelForm):
    """Who mail comes from; what only an operator knows may stay empty."""

    class Meta:
        model = Brand
        fields: tuple[str, ...] = ()  # the admin names them
        labels = {
            "slug": "Short name",
            "from_name": "Sender name",
            "from_email": "Sender address",
            "reply_to": "Replies go to",
            "bounce_domain": "Bounce domain",
            "tracking_origin": "Address of links",
            "default_locale": "Language",
        }
        help_texts = {
            "slug": "Small letters and digits; mail headers name it (List-ID, Feedback-ID).",
            "website": "Such as https://www.example.com.",
            "reply_to": "Empty: replies go to the sender address.",
            "bounce_domain": "Where undeliverable mail comes back, such as bounces.example.com; your operator knows. "
            "Empty: the domain of the sender address.",
            "tracking_origin": "Links in mail lead there first, such as https://go.example.com. "
            "Empty: the address of this installation.",
            "default_locale": "Of readers whose language is not known, such as en, de or zh-Hans.",
        }

    timezone = forms.ChoiceField(label="Time zone", help_text="In which campaigns are scheduled.", widget=Select())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = self.fields["timezone"]
        assert isinstance(zones, forms.ChoiceField)  # noqa: S101 - declared above
        zones.choices = zone_choices(suggested=(self.instance.timezone, "UTC"))
        self.fields["bounce_domain"].required = False

    def clean(self) -> dict[str, Any]:
        """Without a domain for bounces they come back to the sender's."""
        cleaned = super().clean() or {}
        if not cleaned.get("bounce_domain"):
            cleaned["bounce_domain"] = cleaned.get("from_email", "").rpartition("@")[2]
        return cleaned
