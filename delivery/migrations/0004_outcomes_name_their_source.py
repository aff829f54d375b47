"""Which source address carried an attempt: warm-up is judged by it. New partitions are made like their parent."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("delivery", "0003_routes_and_shaping")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE delivery_outcome ADD COLUMN source_id bigint",
            "ALTER TABLE delivery_outcome DROP COLUMN source_id",
        )
    ]
