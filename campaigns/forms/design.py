"""Forms of templates, and the widget in which sources are written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from campaigns.models import Template
from contacts.models import Brand

if TYPE_CHECKING:
    TemplateModelForm = forms.ModelForm[Template]  # generic for the type checker alone
else:
    TemplateModelForm = forms.ModelForm


def code_widget() -> forms.Textarea:
    """Return the widget of a source: monospace, unwrapped, so that a line is a line of the problems list."""
    attributes = {
        "rows": 30,
        "wrap": "off",
        "spellcheck": "false",
        "autocapitalize": "off",
        "data-code": True,
        "data-insertable": True,
        "data-main": True,
        "data-part-name": "body",
    }
    return forms.Textarea(attrs=attributes)


def text_widget() -> forms.Textarea:
    """Return the widget of the plain-text part."""
    return forms.Textarea(attrs={"rows": 10, "data-insertable": True, "data-part-name": "text"})


def as_written(posted: str) -> str:
    """Return a posted text with the line ends that editors write: browsers post CR LF, which mrml 0.2 cannot read."""
    return posted.replace("\r\n", "\n")


class SourceField(forms.CharField):
    """A source as it was written, nothing stripped."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, **kwargs)

    def to_python(self, value: Any) -> str:
        """Normalise the line ends."""
        return as_written(super().to_python(value) or "")


class TemplateForm(TemplateModelForm):
    """A stored design."""

    class Meta:
        model = Template
        fields = ("name", "markup", "body", "text")
        labels = {"markup": "Written in"}

    body = SourceField(widget=code_widget(), max_length=300_000, label="Design")
    text = SourceField(
        widget=text_widget(),
        required=False,
        label="Plain-text version",
        help_text="Leave it empty to have it made from the design.",
    )


class NewTemplateForm(forms.Form):
    """A new template: a name, a brand, and what it starts from."""

    name = forms.CharField(max_length=100, label="Name", help_text="Only you and your team see it.")
    brand = forms.ModelChoiceField(Brand.objects.all(), label="Brand", empty_label=None)
    start = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """Names are unique within a brand."""
        cleaned = super().clean() or {}
        taken = Template.objects.filter(brand=cleaned.get("brand"), name=cleaned.get("name"))
        if taken.exists():
            self.add_error("name", "A template of this name exists already.")
        return cleaned
