"""Contacts and their custom fields in the admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from typing_extensions import override

from contacts.admin.base import INTRO_TEMPLATE, Admin, EstimatePaginator, Intro, SimpleListFilter
from contacts.forms.people import check_field_key
from contacts.models import Contact, ContactField, MailingList, Subscription
from contacts.queries import search_contacts
from contacts.views import people


class ListFilter(SimpleListFilter):
    """Contacts subscribed to one list."""

    title = "list"
    parameter_name = "list"

    @override
    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The lists, with their brands."""
        lists = MailingList.objects.select_related("brand").order_by("brand__name", "name")
        return [(str(one.pk), f"{one.name} ({one.brand})") for one in lists]

    @override
    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Contacts who are subscribed to the chosen list."""
        value = self.value()
        if not value or not value.isdecimal():
            return queryset
        return queryset.filter(subscriptions__mailing_list=int(value), subscriptions__state="confirmed")


@admin.register(Contact)
class ContactAdmin(Admin[Contact]):
    """The audience, newest first; each contact has a page of its own."""

    list_before_template = INTRO_TEMPLATE
    intro = Intro(
        "Everybody known to the installation. People get campaigns through the lists they are on.",
        "admin:contacts_importjob_add",
        "Import a file",
    )
    list_display = ("email", "full_name", "country", "lists", "created_at")
    list_filter = (ListFilter,)
    search_fields = ("address",)
    search_help_text = "What an address, a first name or a last name begins with"
    ordering = ("-created_at", "-id")
    sortable_by = ()
    paginator = EstimatePaginator
    show_full_result_count = False
    list_per_page = 50
    actions = None

    def get_urls(self) -> list[URLPattern]:
        """Own buttons before the standard addresses."""
        wrap = self.admin_site.admin_view
        own = [
            path("<int:contact_id>/join/", wrap(people.join_list), name="contacts_contact_join"),
            path("<int:contact_id>/leave/<int:list_id>/", wrap(people.leave_list), name="contacts_contact_leave"),
            path("<int:contact_id>/erase/", wrap(people.erase), name="contacts_contact_erase"),
        ]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        """Contacts with the lists they are on: one query more for a page."""
        subscribed = Subscription.objects.filter(state="confirmed").select_related("mailing_list")
        return super().get_queryset(request).prefetch_related(Prefetch("subscriptions", subscribed, "subscribed"))

    @override
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Contact], search_term: str
    ) -> tuple[QuerySet[Contact], bool]:
        """Prefixes, which have indexes."""
        return (search_contacts(queryset, search_term) if search_term.strip() else queryset), False

    @admin.display(description="Name")
    def full_name(self, contact: Contact) -> str:
        """First and last name."""
        return contact.full_name

    @admin.display(description="Lists")
    def lists(self, contact: Contact) -> str:
        """The lists the contact is subscribed to."""
        subscribed: list[Subscription] = contact.subscribed  # type: ignore[attr-defined]  # the prefetch above
        return ", ".join(sorted(one.mailing_list.name for one in subscribed))

    @override
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page for a new contact."""
        return people.new_contact(request)

    @override
    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The contact's page."""
        return people.show_contact(request, int(object_id))

    @override
    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Deleting a person is erasing them, so that no sync brings them back."""
        return people.erase(request, int(object_id))


class FieldForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for the type checker alone
    """A custom field; its key must not be one that means something already."""

    class Meta:
        model = ContactField
        fields = ("key", "label", "kind")

    def clean_key(self) -> str:
        """The key."""
        return check_field_key(self.cleaned_data["key"])


@admin.register(ContactField)
class ContactFieldAdmin(Admin[ContactField]):
    """Custom fields; key and kind stay as they were made, since contacts hold values under them."""

    list_before_template = INTRO_TEMPLATE
    intro = Intro(
        "What you keep of people beside name and place, such as birthday. Templates use it as contact.birthday."
    )
    form = FieldForm
    list_display = ("label", "key", "kind", "created_at")
    search_fields = ("label", "key")
    search_help_text = "Search by label or key"

    @override
    def get_readonly_fields(self, request: HttpRequest, obj: ContactField | None = None) -> tuple[str, ...]:
        """Only the label can be changed."""
        return ("key", "kind") if obj else ()
