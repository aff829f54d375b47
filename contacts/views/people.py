"""A contact's page: fields, subscriptions, consent history, suppressions, erasure."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from contacts.addresses import Address
from contacts.errors import ContactsError
from contacts.forms.people import ContactForm, SubscribeForm
from contacts.models import Contact, MailingList
from contacts.patches import ContactPatch
from contacts.queries import contact_page
from contacts.services import change_address, erase_contact, save_contact, subscribe_contact, unsubscribe_contact
from contacts.views.pages import changelist, page_of, render_page

SOURCE = "admin"
may_change = permission_required("contacts.change_contact", raise_exception=True)


@permission_required("contacts.add_contact", raise_exception=True)
def new_contact(request: HttpRequest) -> HttpResponse:
    """Add one person by hand."""
    form = ContactForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        address: Address = form.cleaned_data["email"]
        known = Contact.objects.filter(address=address.address).first()
        if known is not None:
            form.add_error("email", "There is a contact with this address already.")
        else:
            try:
                return redirect(page_of(_save(form, address)))
            except ContactsError as error:
                form.add_error("email", str(error))
    return render_page(request, "contacts/contact_new.html", {"form": form}, title="Add a contact", under=Contact)


@permission_required("contacts.view_contact", raise_exception=True)
def show_contact(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Everything known about one person; posting the form changes the fields."""
    contact = get_object_or_404(Contact, pk=contact_id)
    may_edit = request.user.has_perm("contacts.change_contact")
    form = ContactForm(request.POST if may_edit and request.method == "POST" else None, contact=contact)
    if form.is_bound and form.is_valid():
        try:
            if form.cleaned_data["email"].email != contact.email:
                change_address(contact, form.cleaned_data["email"], now=timezone.now())
            _save(form, form.cleaned_data["email"])
        except ContactsError as error:
            form.add_error("email", str(error))
        else:
            messages.success(request, "The contact was saved.")
            return redirect(page_of(contact))
    context = contact_page(contact, timezone.now()) | {
        "contact": contact,
        "form": form,
        "may_edit": may_edit,
        "subscribe_form": SubscribeForm(),
        "has_lists": MailingList.objects.exists(),
    }
    return render_page(request, "contacts/contact.html", context, title=str(contact), under=Contact)


def _save(form: ContactForm, address: Address) -> Contact:
    values: dict[str, Any] = form.standard_values()
    return save_contact(ContactPatch(address, fields=form.custom_values(), **values), now=timezone.now())


@require_POST
@may_change
def join_list(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Put the contact on a list, with how they agreed."""
    contact = get_object_or_404(Contact, pk=contact_id)
    form = SubscribeForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose a list and say how the person agreed.")
        return redirect(page_of(contact))
    now = timezone.now()
    subscribe_contact(
        contact.pk,
        list_ids=[form.cleaned_data["mailing_list"].pk],
        source=SOURCE,
        occurred_at=now,
        evidence={"note": form.cleaned_data["note"], "by": request.user.pk},
        now=now,
    )
    messages.success(request, f"{contact} is on {form.cleaned_data['mailing_list']}.")
    return redirect(page_of(contact))


@require_POST
@may_change
def leave_list(request: HttpRequest, contact_id: int, list_id: int) -> HttpResponse:
    """Take the contact off a list."""
    contact = get_object_or_404(Contact, pk=contact_id)
    mailing_list = get_object_or_404(MailingList, pk=list_id)
    now = timezone.now()
    unsubscribe_contact(
        contact.pk, list_ids=[list_id], source=SOURCE, occurred_at=now, evidence={"by": request.user.pk}, now=now
    )
    messages.success(request, f"{contact} is off {mailing_list}.")
    return redirect(page_of(contact))


@permission_required("contacts.delete_contact", raise_exception=True)
def erase(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Ask, then erase the person and block a return."""
    contact = get_object_or_404(Contact, pk=contact_id)
    if request.method == "POST":
        erase_contact(contact, source=SOURCE, now=timezone.now())
        messages.success(request, "The contact was erased.")
        return redirect(changelist(Contact))
    return render_page(
        request, "contacts/contact_erase.html", {"contact": contact}, title="Erase a contact", under=Contact
    )
