"""Message and outcome (by campaign id) and event (by month): partitioned, so that old mail never slows new mail."""

from django.db import migrations

CREATE = """
CREATE TABLE delivery_message (
    campaign_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    variant_id bigint NOT NULL,
    batch_id bigint NOT NULL,
    position smallint NOT NULL,
    CONSTRAINT one_message_per_campaign_and_contact PRIMARY KEY (campaign_id, contact_id)
) PARTITION BY RANGE (campaign_id);
-- A worker reads its batch's messages in order of position; the journal counts on one message per position.
CREATE UNIQUE INDEX one_message_per_batch_and_position ON delivery_message (campaign_id, batch_id, position);

CREATE TABLE delivery_outcome (
    campaign_id bigint NOT NULL,
    batch_id bigint NOT NULL,
    position smallint NOT NULL,
    contact_id bigint NOT NULL,
    result smallint NOT NULL,
    account_id bigint,
    code smallint NOT NULL,
    enhanced varchar(12) NOT NULL,
    reply text NOT NULL,
    provider_id varchar(200) NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT one_outcome_per_attempt PRIMARY KEY (campaign_id, batch_id, position),
    CONSTRAINT outcome_result_is_known CHECK (result BETWEEN 1 AND 8)
) PARTITION BY RANGE (campaign_id);

CREATE TABLE delivery_event (
    occurred_at timestamptz NOT NULL,
    event_key uuid NOT NULL,
    received_at timestamptz NOT NULL,
    kind varchar(12) NOT NULL,
    campaign_id bigint,
    contact_id bigint,
    account_id bigint,
    receipt_id bigint,
    link_index smallint,
    bounce_kind varchar(8) NOT NULL DEFAULT '',
    category varchar(30) NOT NULL DEFAULT '',
    enhanced varchar(12) NOT NULL DEFAULT '',
    reply text NOT NULL DEFAULT '',
    verdict varchar(8) NOT NULL DEFAULT '',
    verdict_reason varchar(60) NOT NULL DEFAULT '',
    rules_version smallint NOT NULL DEFAULT 0,
    network varchar(45) NOT NULL DEFAULT '',
    user_agent varchar(300) NOT NULL DEFAULT '',
    details jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT one_row_per_event PRIMARY KEY (occurred_at, event_key)
) PARTITION BY RANGE (occurred_at);
-- Reports count a campaign's events by kind and person; a recipient's log reads them all.
CREATE INDEX events_of_a_campaign ON delivery_event (campaign_id, kind, contact_id);
-- Events whose own clock is absurd are kept too.
CREATE TABLE delivery_event_stray PARTITION OF delivery_event DEFAULT;
"""

DROP = "DROP TABLE delivery_event; DROP TABLE delivery_outcome; DROP TABLE delivery_message;"


class Migration(migrations.Migration):
    dependencies = [("delivery", "0001_initial")]

    operations = [migrations.RunSQL(CREATE, DROP)]
