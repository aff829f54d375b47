"""What must hold after every fault: the numbers add up, nobody twice, nobody lost, nothing unexplained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from django.db import connection

from campaigns.models import Campaign
from contacts.models import Contact
from delivery.outcomes import Result
from delivery.progress import Progress, progress_of, recount

ENDS = """
SELECT c.email, o.result FROM delivery_message m JOIN contacts_contact c ON c.id = m.contact_id
LEFT JOIN delivery_outcome o ON o.campaign_id = m.campaign_id AND o.batch_id = m.batch_id AND o.position = m.position
WHERE m.campaign_id = %s
"""


def assert_accounts(
    campaign: Campaign, taken: Counter[str], *, most_uncertain: int = 0, explained: Mapping[str, Result] | None = None
) -> Progress:
    """Of a finished campaign: `taken` is what the server took, `explained` who ends otherwise, as its answers say."""
    progress = _sums(campaign)
    ends = ends_of(campaign)
    taken = Counter({email: n for email, n in taken.items() if email in ends})
    assert sorted(ends) == sorted(emails_of(campaign)), "the messages are not the audience"
    assert {email: n for email, n in taken.items() if n > 1} == {}, "received twice"
    assert {e for e, end in ends.items() if end is Result.ACCEPTED} - taken.keys() == set(), "accepted, never received"
    knowable = (Result.ACCEPTED, Result.UNCERTAIN)
    assert {e: ends[e] for e in taken if ends[e] not in knowable} == {}, "received, and recorded as something else"
    others = {e: end for e, end in ends.items() if end not in knowable}
    assert others == {e: end for e, end in (explained or {}).items() if ends[e] is not Result.UNCERTAIN}
    assert progress.uncertain <= most_uncertain
    assert progress.waiting == 0
    return progress


def _sums(campaign: Campaign) -> Progress:
    progress = progress_of(campaign.pk)
    assert progress == recount(campaign.pk), "the sums and the rows disagree"
    assert progress.total == campaign.send_to.get().subscriptions.count(), "the states do not add up to the audience"
    return progress


def ends_of(campaign: Campaign) -> dict[str, Result | None]:
    """Each address and what its message came to."""
    with connection.cursor() as cursor:
        cursor.execute(ENDS, [campaign.pk])
        rows = cursor.fetchall()
    assert len(rows) == len(dict(rows)), "somebody has two messages"
    return {email: Result(result) if result else None for email, result in rows}


def emails_of(campaign: Campaign) -> list[str]:
    """Everybody on the campaign's lists, oldest first."""
    people = Contact.objects.filter(subscriptions__mailing_list__in=campaign.send_to.all())
    return list(people.order_by("pk").values_list("email", flat=True))
