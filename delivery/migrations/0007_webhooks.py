"""Webhook addresses and their secrets per account, refused calls counted, and what the receipts' pages ask for."""

import django.db.models.deletion
from django.db import migrations, models

import contacts.encryption
import delivery.models.accounts


REASONS = [
    ("unknown_address", "Unknown address"),
    ("no_secret", "No secret is stored yet"),
    ("not_proved", "Not proved: wrong signature or secret"),
    ("proof_unavailable", "The certificate could not be fetched"),
    ("too_large", "Too large"),
    ("encoding", "Compressed in a way that cannot be read"),
    ("no_length", "Sent without its length"),
    ("broken_off", "Broken off before its end"),
    ("method", "Not a POST"),
    ("settings", "The account's settings cannot be read"),
]


def give_tokens(apps, _schema_editor):
    """Accounts that are there get an address of their own too."""
    accounts = apps.get_model("delivery", "ProviderAccount").objects
    for pk in accounts.values_list("pk", flat=True):
        accounts.filter(pk=pk).update(hook_token=delivery.models.accounts.make_hook_token())


class Migration(migrations.Migration):
    dependencies = [("delivery", "0006_soft_bounces")]

    operations = [
        migrations.AddField(
            "provideraccount", "hook_secrets", contacts.encryption.EncryptedJSONField(null=True),
        ),
        migrations.AddField(
            "provideraccount", "hook_token", models.CharField(max_length=43, null=True, editable=False),
        ),
        migrations.RunPython(give_tokens, migrations.RunPython.noop),
        migrations.AlterField(
            "provideraccount",
            "hook_token",
            models.CharField(
                max_length=43, unique=True, editable=False, default=delivery.models.accounts.make_hook_token
            ),
        ),
        migrations.AddField(
            "receipt", "due_at", models.DateTimeField(null=True, help_text="Not to be tried again before."),
        ),
        migrations.AddField(
            "receipt",
            "n_unmatched",
            models.IntegerField(default=0, help_text="Events that name no message of ours."),
        ),
        migrations.AlterField(
            "receipt",
            "account",
            models.ForeignKey(
                to="delivery.provideraccount", on_delete=django.db.models.deletion.SET_NULL, null=True,
                db_index=False, related_name="receipts",
            ),
        ),
        migrations.AddIndex(
            "receipt", models.Index(fields=["account", "received_at"], name="receipts_of_an_account")
        ),
        migrations.AddIndex(
            "receipt",
            models.Index(fields=["id"], condition=~models.Q(problem=""), name="receipts_with_a_problem"),
        ),
        migrations.CreateModel(
            name="HookRefusal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.CharField(max_length=20, choices=REASONS)),
                ("n_calls", models.BigIntegerField(default=1)),
                ("last_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        to="delivery.provideraccount", on_delete=django.db.models.deletion.CASCADE, null=True,
                        related_name="hook_refusals",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "reason"), nulls_distinct=False,
                        name="one_counter_per_account_and_reason",
                    )
                ]
            },
        ),
        # Events of one receipt are replaced when it is read again. Opens and clicks of our own have no receipt: for
        # them this index costs nothing.
        migrations.RunSQL(
            "CREATE INDEX events_of_a_receipt ON delivery_event (receipt_id) WHERE receipt_id IS NOT NULL",
            "DROP INDEX events_of_a_receipt",
        ),
    ]
