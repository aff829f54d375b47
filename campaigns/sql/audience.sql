-- name: audience
-- One row per person with a subscription, in any state, on one of the lists `send_to`:
--   contact_id, n_subscriptions (on those lists), verdict (campaigns.funnel.Verdict).
-- Side effects: none. Not the ORM: the funnel on the page and the planner's INSERT ... SELECT must be the same text.
-- Parameters: send_to bigint[], exclude bigint[], brand_id bigint, now timestamptz; those of contacts.queries.ROLE_ACCOUNTS,
-- whose text stands for role_accounts: they are suppressed when the audience is fixed, so no page counts them.
-- The subscriptions are read once, in (list, contact) order by the unique index; suppressions are resolved to contacts
-- first, so that the wide contact table is never joined row by row.
WITH blocked AS (
    SELECT person.id AS contact_id, suppression.mailing_list_id
    FROM contacts_suppression AS suppression
    JOIN contacts_contact AS person ON person.address_key = suppression.address_key
    WHERE suppression.lifted_at IS NULL
      AND (suppression.expires_at IS NULL OR suppression.expires_at > %(now)s)
      AND (suppression.brand_id IS NULL OR suppression.brand_id = %(brand_id)s)
      AND (suppression.mailing_list_id IS NULL OR suppression.mailing_list_id = ANY(%(send_to)s))
), blocked_altogether AS (
    SELECT contact_id FROM blocked WHERE mailing_list_id IS NULL
    UNION
    SELECT id FROM ({role_accounts}) AS role_account
), blocked_on_list AS (
    SELECT DISTINCT contact_id, mailing_list_id FROM blocked WHERE mailing_list_id IS NOT NULL
), left_out AS (
    SELECT DISTINCT contact_id FROM contacts_subscription
    WHERE mailing_list_id = ANY(%(exclude)s) AND state <> 'unsubscribed'
), people AS (
    SELECT
        subscription.contact_id,
        count(*) AS n_subscriptions,
        bool_or(subscription.state = 'confirmed') AS confirmed,
        bool_or(subscription.state = 'confirmed' AND blocked_on_list.contact_id IS NULL) AS reachable,
        bool_or(subscription.state = 'unsubscribed') AS unsubscribed
    FROM contacts_subscription AS subscription
    LEFT JOIN blocked_on_list
        ON blocked_on_list.contact_id = subscription.contact_id
        AND blocked_on_list.mailing_list_id = subscription.mailing_list_id
    WHERE subscription.mailing_list_id = ANY(%(send_to)s)
    GROUP BY subscription.contact_id
)
SELECT
    people.contact_id,
    people.n_subscriptions,
    CASE
        WHEN NOT people.confirmed AND people.unsubscribed THEN 'unsubscribed'
        WHEN NOT people.confirmed THEN 'unconfirmed'
        WHEN left_out.contact_id IS NOT NULL THEN 'excluded'
        WHEN blocked_altogether.contact_id IS NOT NULL OR NOT people.reachable THEN 'suppressed'
        ELSE 'included'
    END AS verdict
FROM people
LEFT JOIN left_out ON left_out.contact_id = people.contact_id
LEFT JOIN blocked_altogether ON blocked_altogether.contact_id = people.contact_id
