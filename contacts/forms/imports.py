"""Forms of an import: the file, then its columns."""

from __future__ import annotations

from typing import Any

from django import forms

from contacts.imports.records import Dialect
from contacts.imports.sniff import DELIMITERS, ENCODINGS
from contacts.models import Brand, ContactField, ImportJob, MailingList
from contacts.services.imports import NEW_FIELD, ImportChoices

TARGETS = [
    ("", "Leave out"),
    ("email", "Email address"),
    ("first_name", "First name"),
    ("last_name", "Last name"),
    ("full_name", "Full name"),
    ("phone", "Phone"),
    ("country", "Country"),
    ("city", "City"),
    ("locale", "Language"),
    ("timezone", "Time zone"),
    ("consent", "Agreed to mail (yes / no / unsubscribed)"),
    ("consent_at", "When they agreed or left"),
]


class UploadForm(forms.Form):
    """A file and the brand it is for."""

    brand = forms.ModelChoiceField(Brand.objects.all(), empty_label=None, label="Brand")
    file = forms.FileField(
        label="CSV file",
        help_text="A customer or audience export of Shopify, WooCommerce, Mailchimp or Klaviyo, or any CSV with a "
        "column of email addresses. You choose the columns on the next page; nothing is imported before that.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv,text/plain"}),
    )


class ColumnsForm(forms.Form):
    """How to read the file, what each column holds, and which list people join."""

    encoding = forms.ChoiceField(
        choices=list(ENCODINGS.items()), label="Characters", help_text="Change it if names look wrong below."
    )
    delimiter = forms.ChoiceField(choices=list(DELIMITERS.items()), label="Cells are separated by")
    has_header = forms.BooleanField(required=False, label="The first row holds the column names")
    mailing_list = forms.ModelChoiceField(
        MailingList.objects.none(), required=False, empty_label="No list", label="Add people to the list"
    )
    new_list = forms.CharField(required=False, max_length=100, label="Or to a new list named")
    attested = forms.BooleanField(
        required=False,
        label="These people agreed to get marketing mail from this brand, and I can prove it",
        help_text="Recorded with your name. Not needed when a column says who agreed. Nobody who unsubscribed is "
        "subscribed again, and nobody who is suppressed gets mail, whatever is ticked here.",
    )

    def __init__(self, *args: Any, job: ImportJob, headers: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        lists = self.fields["mailing_list"]
        assert isinstance(lists, forms.ModelChoiceField)  # noqa: S101 (declared above)
        lists.queryset = job.brand.mailing_lists.all()
        custom = [(f"field:{field.key}", field.label) for field in ContactField.objects.all()]
        choices: list[Any] = [*TARGETS, ("Contact fields", [*custom, (NEW_FIELD, "A new field of this name")])]
        for number, header in enumerate(headers):
            label = f"Column {number + 1}, {header.strip()[:60] or 'without a name'}, goes into"
            self.fields[f"column_{number}"] = forms.ChoiceField(choices=choices, required=False, label=label)
        self.n_columns = len(headers)

    def column_fields(self) -> list[forms.BoundField]:
        """The choices of columns, in order."""
        return [self[f"column_{number}"] for number in range(self.n_columns)]

    def mapping(self) -> dict[int, str]:
        """Column number to field name, as chosen or guessed so far; also of a form that is not valid."""
        values = {number: self[f"column_{number}"].value() for number in range(self.n_columns)}
        return {number: str(value) for number, value in values.items() if value}

    def choices(self) -> ImportChoices:
        """What was chosen; the form must be valid."""
        return ImportChoices(
            dialect=Dialect(self.cleaned_data["encoding"], self.cleaned_data["delimiter"]),
            has_header=self.cleaned_data["has_header"],
            mapping=self.mapping(),
            mailing_list=self.cleaned_data["mailing_list"],
            new_list=self.cleaned_data["new_list"].strip(),
            attested=self.cleaned_data["attested"],
        )
