"""How far the mailboxes of returned mail were read."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("delivery", "0008_the_brake")]

    operations = [
        migrations.CreateModel(
            name="IntakeState",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "source",
                    models.CharField(
                        max_length=400, unique=True, help_text="imap://user@host:port/folder and the like."
                    ),
                ),
                ("state", models.JSONField(default=dict)),
                ("changed_at", models.DateTimeField(auto_now=True)),
            ],
        ),
    ]
