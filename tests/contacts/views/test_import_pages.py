"""The import as a marketer does it: upload, columns, progress, result, rejected rows."""

from __future__ import annotations

import zipfile
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from contacts.imports import roles
from contacts.imports.pipeline import lease_import, run_import
from contacts.models import Brand, Contact, ContactField, ImportJob, MailingList, Subscription, SuppressionPolicy
from contacts.tasks import run_imports
from tests.campaigns.views.reading import page_of as read_page
from tests.contacts.factories import NOW, make_brand, make_list

pytestmark = pytest.mark.django_db
ADD = "/admin/contacts/importjob/add/"


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


def post_file(client: Client, content: bytes, brand: Brand | None = None, name: str = "people.csv") -> Any:
    """The answer to an upload."""
    brand = brand or Brand.objects.first() or make_brand()
    return client.post(ADD, {"brand": brand.pk, "file": SimpleUploadedFile(name, content)})


def columns(job: ImportJob, **values: Any) -> dict[str, Any]:
    """What the columns page would post."""
    reading = {"encoding": job.encoding, "delimiter": job.delimiter}
    header = {"has_header": "on"} if job.has_header else {}
    signature = f"{job.encoding}{job.delimiter}{job.has_header:d}"
    return {**reading, **header, "signature": signature, "then": "start", **values}


def page_of(job: ImportJob) -> str:
    """The job's page."""
    return f"/admin/contacts/importjob/{job.pk}/change/"


PEOPLE = b"Email,First Name,Accepts Email Marketing\nalice@example.com,Alice,yes\nnobody,Bob,no\n"


def test_the_whole_way_from_upload_to_result(admin_client: Client) -> None:
    mailing_list = make_list()
    response = post_file(admin_client, PEOPLE)
    job = ImportJob.objects.get()
    assert (response.status_code, response["Location"]) == (302, page_of(job))
    page = admin_client.get(page_of(job)).content.decode()
    assert "alice@example.com" in page
    assert "email: An address has the form name@example.com." in page
    chosen = columns(job, column_0="email", column_1="first_name", column_2="consent", mailing_list=mailing_list.pk)
    assert admin_client.post(page_of(job), chosen).status_code == 302
    waiting = admin_client.get(page_of(job)).content.decode()
    assert "Waiting for a worker" in waiting
    assert 'hx-trigger="every 1s"' in waiting
    run_imports()
    page = admin_client.get(page_of(job)).content.decode()
    assert "An address has the form name@example.com." in page
    assert "hx-trigger" not in page.split('id="job"')[1].split(">")[0]
    assert Contact.objects.get().first_name == "Alice"
    assert Subscription.objects.get().mailing_list == mailing_list


def test_reading_pages_changes_nothing(admin_client: Client) -> None:
    make_list()
    post_file(admin_client, PEOPLE)
    job = ImportJob.objects.get()
    before = ImportJob.objects.values().get()
    for path in (page_of(job), ADD, "/admin/contacts/importjob/", f"/admin/contacts/importjob/{job.pk}/rejected.csv"):
        assert admin_client.get(path).status_code == 200
    for path in ("cancel", "continue"):
        assert admin_client.get(f"/admin/contacts/importjob/{job.pk}/{path}/").status_code == 405
    assert ImportJob.objects.values().get() == before


def test_a_preview_with_another_encoding_changes_nothing_and_guesses_anew(admin_client: Client) -> None:
    make_brand(default_locale="en")
    post_file(admin_client, "邮箱,姓名\nwang@example.com,王小明\n".encode("gb18030"))
    job = ImportJob.objects.get()
    assert job.encoding == "cp1252"
    assert "王小明" not in admin_client.get(page_of(job)).content.decode()
    answer = admin_client.post(page_of(job), columns(job, encoding="gb18030", then="preview"))
    page = answer.content.decode()
    assert "王小明" in page
    assert '<option value="full_name" selected>' in page
    job.refresh_from_db()
    assert (job.state, job.encoding) == ("uploaded", "cp1252")
    assert admin_client.post(page_of(job), columns(job, encoding="gb18030", column_0="email", column_1="full_name"))
    job.refresh_from_db()
    assert (job.state, job.encoding, job.headers) == ("uploaded", "cp1252", [])
    signature = "gb18030,1"
    chosen = columns(job, encoding="gb18030", column_0="email", column_1="full_name", signature=signature)
    admin_client.post(page_of(job), chosen)
    run_imports()
    assert Contact.objects.get().first_name == "王小明"


def test_people_join_a_new_list_only_if_somebody_attests(admin_client: Client) -> None:
    post_file(admin_client, b"mail\nalice@example.com\n")
    job = ImportJob.objects.get()
    refused = admin_client.post(page_of(job), columns(job, column_0="email", new_list="VIPs"))
    assert "state that they agreed" in refused.content.decode()
    assert not MailingList.objects.exists()
    admin_client.post(page_of(job), columns(job, column_0="email", new_list="VIPs", attested="on"))
    run_imports()
    assert Subscription.objects.get().mailing_list.name == "VIPs"
    event = Contact.objects.get().consent_events.get()
    assert event.evidence["attested_by"] is not None


def test_a_column_can_become_a_new_field(admin_client: Client) -> None:
    post_file(admin_client, b"mail,Shoe size\nalice@example.com,43\n")
    job = ImportJob.objects.get()
    admin_client.post(page_of(job), columns(job, column_0="email", column_1="new"))
    run_imports()
    assert Contact.objects.get().fields == {"shoe_size": "43"}
    assert ContactField.objects.get().label == "Shoe size"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\n\n", "The file is empty."),
        (b"Email,Name\n", "a header line and no rows"),
        (b"%PDF-1.7 x", "PDF"),
        (bytes(range(256)) * 40, "not a text file"),
        (",".join(f"c{n}" for n in range(500)).encode() + b"\nx\n", "500 columns"),
    ],
)
def test_a_file_that_nobody_can_be_imported_from_is_refused_in_words(
    admin_client: Client, content: bytes, words: str
) -> None:
    response = post_file(admin_client, content)
    assert response.status_code == 200
    assert words in response.content.decode()
    assert not ImportJob.objects.exists()


def test_a_zip_that_is_named_csv_is_refused_in_words(admin_client: Client) -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("people.csv", PEOPLE)
    assert "ZIP archive or an Excel workbook" in post_file(admin_client, packed.getvalue()).content.decode()


def test_a_file_without_a_header_is_imported_whole(admin_client: Client) -> None:
    post_file(admin_client, b"alice@example.com;Alice\nbob@example.com;Bob\n")
    job = ImportJob.objects.get()
    assert (job.has_header, job.delimiter) == (False, ";")
    assert "Column 1" in admin_client.get(page_of(job)).content.decode()
    admin_client.post(page_of(job), columns(job, column_0="email", column_1="first_name"))
    run_imports()
    assert set(Contact.objects.values_list("first_name", flat=True)) == {"Alice", "Bob"}


def test_excels_unicode_text_and_a_macs_line_ends_are_read(admin_client: Client) -> None:
    post_file(admin_client, "E-mail\tName\r\nalice@example.com\tÅsa 王\r\n".encode("utf-16"))
    post_file(admin_client, b"email,name\rbob@example.com,Bob\rcarol@example.com,Carol\r")
    for job in ImportJob.objects.all():
        assert job.encoding == "utf-8"
        admin_client.post(page_of(job), columns(job, column_0="email", column_1="first_name"))
    run_imports()
    run_imports()
    assert set(Contact.objects.values_list("first_name", flat=True)) == {"Åsa 王", "Bob", "Carol"}


def test_an_import_can_be_cancelled_and_its_file_is_gone(admin_client: Client) -> None:
    post_file(admin_client, PEOPLE)
    job = ImportJob.objects.get()
    path = Path(job.file.path)
    assert admin_client.post(f"/admin/contacts/importjob/{job.pk}/cancel/").status_code == 302
    job.refresh_from_db()
    assert (job.state, path.exists()) == ("cancelled", False)
    assert "Cancelled" in admin_client.get(page_of(job)).content.decode()


def test_a_failed_import_says_why_and_goes_on_at_a_button(admin_client: Client) -> None:
    post_file(admin_client, PEOPLE)
    job = ImportJob.objects.get()
    admin_client.post(page_of(job), columns(job, column_0="email"))
    stored = Path(job.file.path)
    content = stored.read_bytes()
    stored.unlink()
    run_imports()
    assert "The import stopped" in admin_client.get(page_of(job)).content.decode()
    stored.write_bytes(content)
    admin_client.post(f"/admin/contacts/importjob/{job.pk}/continue/")
    run_imports()
    job.refresh_from_db()
    assert (job.state, job.n_created, job.n_rejected) == ("finished", 1, 1)


def test_rejected_rows_come_back_as_csv_that_can_be_imported_again(admin_client: Client) -> None:
    post_file(admin_client, b"Name,Email\n=cmd,nobody\nBob,bob@example.com\n")
    job = ImportJob.objects.get()
    admin_client.post(page_of(job), columns(job, column_0="first_name", column_1="email"))
    run_imports()
    response = admin_client.get(f"/admin/contacts/importjob/{job.pk}/rejected.csv")
    assert response["Content-Disposition"] == 'attachment; filename="rejected-people.csv"'
    assert response.getvalue().decode() == (
        "\ufeffLine,Field,Reason,Name,Email\r\n2,email,An address has the form name@example.com.,'=cmd,nobody\r\n"
    )


def test_the_last_poll_of_a_finished_import_asks_for_the_whole_page(admin_client: Client) -> None:
    post_file(admin_client, PEOPLE)
    job = ImportJob.objects.get()
    admin_client.post(page_of(job), columns(job, column_0="email"))
    assert "HX-Refresh" not in admin_client.get(page_of(job), headers={"HX-Request": "true"})
    leased = lease_import(NOW)
    assert leased is not None
    run_import(leased, clock=lambda: NOW, until=NOW + timedelta(hours=1))
    assert admin_client.get(page_of(job), headers={"HX-Request": "true"})["HX-Refresh"] == "true"


def test_people_without_the_permission_import_nothing(client: Client, django_user_model: Any) -> None:
    staff = django_user_model.objects.create_user("staff", password="x" * 12, is_staff=True)
    client.force_login(staff)
    assert client.get(ADD).status_code == 403
    assert post_file(client, PEOPLE).status_code == 403
    assert not ImportJob.objects.exists()


def test_the_history_asks_the_same_number_of_queries_for_2_and_40_imports(
    admin_client: Client, django_assert_num_queries: Any
) -> None:
    brand = make_brand()

    def fill(number: int) -> None:
        ImportJob.objects.bulk_create(ImportJob(brand=brand, file="x", file_name=f"{n}.csv") for n in range(number))

    fill(2)
    admin_client.get("/admin/contacts/importjob/")
    with django_assert_num_queries(6) as few:
        admin_client.get("/admin/contacts/importjob/")
    fill(38)
    with django_assert_num_queries(len(few.captured_queries)):
        admin_client.get("/admin/contacts/importjob/")


def test_the_first_import_of_a_brand_makes_a_list_and_the_next_one_joins_it(admin_client: Client) -> None:
    brand = make_brand()
    post_file(admin_client, PEOPLE, brand)
    form = admin_client.get(page_of(ImportJob.objects.get())).context["form"]
    assert (form["mailing_list"].value(), form["new_list"].value()) == (None, "Newsletter")
    news = make_list(brand)
    form = admin_client.get(page_of(ImportJob.objects.get())).context["form"]
    assert (form["mailing_list"].value(), form["new_list"].value()) == (news.pk, None)


ROLES = b"Email\nalice@example.com\nabuse@example.com\nAbuse@Example.com\nnoreply+x@shop.example\ninfo@example.com\n"
ROLES += b"sales@example.com\ninfo@shop.example\ninfo@\nabuser@example.com\n"


def test_the_preview_says_what_will_become_of_role_accounts(admin_client: Client) -> None:
    post_file(admin_client, ROLES, make_brand("Acme"))
    job = ImportJob.objects.get()
    page = read_page(admin_client.get(page_of(job)))
    suppressed, shared = (" ".join(note.text_content().split()) for note in page.cssselect("#preview .note"))
    assert "2 role accounts (abuse@, noreply@): nobody at such an address subscribed." in suppressed
    assert (
        "They are imported, and get no campaign of Acme: they are suppressed before the next one is sent" in suppressed
    )
    assert "3 shared mailboxes (info@ 2, sales@): several people read them" in shared
    assert "get campaigns like everybody" in shared
    assert page.cssselect("#preview .note a")[0].get("href") == "/admin/contacts/suppressionpolicy/"
    assert "Counted in" not in page.text_content()


def test_the_preview_goes_by_the_policy_of_the_brand(admin_client: Client) -> None:
    acme = make_brand("Acme")
    SuppressionPolicy.objects.create(brand=acme, role_names="info\nsales")
    post_file(admin_client, ROLES, acme)
    page = read_page(admin_client.get(page_of(ImportJob.objects.get())))
    (suppressed,) = (" ".join(note.text_content().split()) for note in page.cssselect("#preview .note"))
    assert "3 role accounts (info@ 2, sales@)" in suppressed


def test_a_file_without_role_accounts_has_no_warning_and_a_long_one_says_how_far_it_was_read(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roles, "N_LOOKED_AT", 3)
    post_file(admin_client, PEOPLE, make_brand("Acme"))
    page = read_page(admin_client.get(page_of(ImportJob.objects.get())))
    assert page.cssselect("#preview .note") == []
    post_file(admin_client, ROLES)
    page = read_page(admin_client.get(page_of(ImportJob.objects.latest("pk"))))
    assert "1 role account (abuse@)" in " ".join(page.cssselect("#preview .note")[0].text_content().split())
    assert "Counted in the first 3 rows of the file." in page.text_content()
