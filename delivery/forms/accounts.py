"""Provider accounts: SMTP relays with presets, and API providers whose questions their kind declares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from campaigns.policy import is_zone
from contacts.models import Brand
from delivery.models import ProviderAccount
from delivery.providers import PROVIDERS
from delivery.providers.contract import FormField, ProviderKind, Quota
from delivery.providers.presets import SMTP_PRESETS, SmtpPreset

LIMITS = (
    "max_connections",
    "messages_per_connection",
    "messages_per_second",
    "messages_per_minute",
    "messages_per_hour",
    "messages_per_day",
    "connections_per_minute",
    "quota_timezone",
)
BY_SECONDS = {1: "messages_per_second", 60: "messages_per_minute", 3600: "messages_per_hour", 86400: "messages_per_day"}
TLS = [
    ("starttls", "STARTTLS (usually port 587)"),
    ("implicit", "TLS from the start (usually port 465)"),
    ("none", "None (only for a server on this machine)"),
]
# A provider that allows more than 100 calls a second need not be waited for.
FEW_CALLS = 6_000
KEEP = "Leave empty to keep what is stored."


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]
    """What all accounts have: a name, limits, and questions that go into options or, encrypted, into secrets."""

    class Meta:
        model = ProviderAccount
        fields = ("name", "enabled", *LIMITS)
        labels = {"enabled": "Use this account for sending"}

    secret_names: tuple[str, ...] = ()
    option_names: tuple[str, ...] = ()

    def clean_quota_timezone(self) -> str:
        """The zone exists: quotas count by its midnight."""
        zone: str = self.cleaned_data["quota_timezone"]
        if not is_zone(zone):
            raise forms.ValidationError("This time zone is not known; it is written as in Europe/Berlin, or UTC.")
        return zone

    def limit_fields(self) -> list[forms.BoundField]:
        """The fields about speed, for a section of their own."""
        return [self[name] for name in LIMITS if name in self.fields]

    def main_fields(self) -> list[forms.BoundField]:
        """All others, secrets and server included."""
        return [self[name] for name in self.fields if name not in LIMITS]

    def _ask_again(self) -> None:
        """Fill in what is stored; secrets are never shown again."""
        for name in self.option_names:
            if name in self.instance.options:
                self.initial[name] = self.instance.options[name]
        stored = self.instance.secrets or {}
        for name in self.secret_names:
            if stored.get(name):
                self.fields[name].required = False
                self.fields[name].help_text = KEEP

    def save(self, commit: bool = True) -> ProviderAccount:
        """The account with options and secrets; an empty secret keeps the stored one."""
        account: ProviderAccount = super().save(commit=False)
        account.options = {**account.options, **{name: self.cleaned_data[name] for name in self.option_names}}
        given = {name: self.cleaned_data[name] for name in self.secret_names if self.cleaned_data[name]}
        account.secrets = {**(account.secrets or {}), **given}
        if commit:
            account.save()
        return account


class SmtpForm(AccountForm):
    """An SMTP relay."""

    host = forms.CharField(label="Server", max_length=253)
    port = forms.IntegerField(label="Port", min_value=1, max_value=65535, initial=587)
    tls = forms.ChoiceField(label="Encryption", choices=TLS, initial="starttls")
    verify = forms.BooleanField(label="Check the server's certificate", initial=True, required=False)
    username = forms.CharField(label="User name", required=False, max_length=320)
    password = forms.CharField(
        label="Password", required=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    helo_name = forms.CharField(
        label="HELO name", required=False, max_length=253, help_text="How this server introduces itself. Usually empty."
    )
    secret_names = ("username", "password")
    option_names = ("host", "port", "tls", "verify", "helo_name")

    def __init__(self, *args: Any, preset: SmtpPreset | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.kind = "smtp"
        if preset is not None:
            self.initial.update(_preset_values(preset))
            self.fields["username"].help_text = preset.username_help
        self._ask_again()

    def clean(self) -> dict[str, Any]:
        """A password in clear over the network is refused."""
        cleaned: dict[str, Any] = super().clean() or {}
        local = cleaned.get("host") in ("localhost", "127.0.0.1", "::1")
        if cleaned.get("tls") == "none" and cleaned.get("password") and not local:
            self.add_error("tls", "A password must not travel without encryption: choose STARTTLS or TLS.")
        return cleaned


def _preset_values(preset: SmtpPreset) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": preset.label,
        "host": preset.host_in(),
        "port": preset.port,
        "tls": preset.tls.value,
        "max_connections": preset.max_connections,
        "messages_per_connection": preset.messages_per_connection,
    }
    return {**values, **limits_of(preset.quotas)}


# Whom a quota counts for, where that is the login of one account here; "recipient" and "connection" are no such limits.
ONE_LOGIN = ("account", "mailbox", "user", "new account", "free account", "account (as granted)")


def limits_of(quotas: Sequence[Quota], *, calls_are_messages: bool = False) -> dict[str, int]:
    """A provider's published limits as limits of an account; of an odd span, such as 180 s, as a rate per second."""
    units = ("messages", "recipients", "calls") if calls_are_messages else ("messages", "recipients")
    limits: dict[str, int] = {}
    for quota in quotas:
        if quota.per not in ONE_LOGIN or quota.unit not in units:
            continue
        if quota.seconds in BY_SECONDS:
            limits[BY_SECONDS[quota.seconds]] = quota.n
        elif quota.n >= quota.seconds:
            limits["messages_per_second"] = quota.n // quota.seconds
    return limits


class ApiForm(AccountForm):
    """A provider's API: its kind declares the questions."""

    def __init__(self, *args: Any, kind: ProviderKind, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        self.instance.kind = kind.key
        self._speak_of_calls()
        if self.instance.pk is None:
            self.initial.update({"name": kind.label, **self._known_limits()})
        for question in kind.fields:
            self.fields[question.name] = _field(question)
        self.secret_names = tuple(question.name for question in kind.fields if question.secret)
        self.option_names = tuple(question.name for question in kind.fields if not question.secret)
        self._ask_again()

    def _known_limits(self) -> dict[str, int]:
        can = self.kind.capabilities
        if can.batch_max == 1:
            return limits_of(can.quotas, calls_are_messages=True)
        per_minute = {quota.n * 60 // quota.seconds for quota in can.quotas if quota.unit in ("calls", "batch calls")}
        few = {n for n in per_minute if n <= FEW_CALLS}
        return limits_of(can.quotas) | ({"connections_per_minute": min(few)} if few else {})

    def _speak_of_calls(self) -> None:
        """An API has no connections to speak of: the same limits count its calls."""
        self.fields["max_connections"].label = "Calls at once"
        calls = self.fields["connections_per_minute"]
        calls.label = "Calls per minute"
        calls.help_text = "Empty: as many as it takes. With a number, calls are filled as far as the provider allows."
        del self.fields["messages_per_connection"]

    def clean(self) -> dict[str, Any]:
        """The kind itself says what is missing or makes no sense."""
        cleaned: dict[str, Any] = super().clean() or {}
        if self.errors:
            return cleaned
        stored = self.instance.secrets or {}
        secrets = {name: cleaned.get(name) or stored.get(name, "") for name in self.secret_names}
        try:
            self.kind.build({name: cleaned.get(name) or "" for name in self.option_names}, secrets)
        except ValueError as problem:
            self.add_error(None, str(problem))
        return cleaned


def _field(question: FormField) -> forms.Field:
    if question.choices:
        choices = [(choice, choice) for choice in question.choices]
        return forms.ChoiceField(
            label=question.label,
            choices=choices,
            help_text=question.help,
            required=question.required,
            initial=question.default,
        )
    widget: forms.Widget = forms.Textarea(attrs={"rows": 4}) if question.multiline else forms.TextInput()
    if question.secret and not question.multiline:
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
    return forms.CharField(
        label=question.label,
        help_text=question.help,
        required=question.required,
        initial=question.default,
        widget=widget,
    )


class TrialForm(forms.Form):
    """A test message through one account."""

    to = forms.EmailField(label="Send a test message to", max_length=254)
    brand = forms.ModelChoiceField(Brand.objects.order_by("name"), label="As the brand", empty_label=None)


def form_for(account: ProviderAccount | None, choice: str, data: Any = None) -> AccountForm:
    """The form of an account, or of a new one: "smtp", "smtp:PRESET" or a key of PROVIDERS. Raises KeyError."""
    kind = account.kind if account else choice.partition(":")[0]
    if kind == "smtp":
        preset = SMTP_PRESETS[choice.partition(":")[2]] if choice.startswith("smtp:") else None
        return SmtpForm(data, instance=account, preset=preset)
    return ApiForm(data, instance=account, kind=PROVIDERS[kind])
