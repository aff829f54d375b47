"""Sweeps are found by looking at a campaign's clicks from one network around a time."""

from django.db import migrations

CREATE = """
-- Before a flush judges clicks it reads their neighbours: same campaign, same network, a minute either way.
CREATE INDEX clicks_of_a_network ON delivery_event (campaign_id, network, occurred_at) WHERE kind = 'clicked'
"""


class Migration(migrations.Migration):
    dependencies = [("delivery", "0012_words_for_operators")]

    operations = [migrations.RunSQL(CREATE, "DROP INDEX clicks_of_a_network")]
