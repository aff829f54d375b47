"""Role accounts and shared mailboxes in a file that is to be imported: how many, by name. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import islice

from contacts.addresses import Address, normalise_address
from contacts.suppression_policy import SHARED_NAMES, role_name

from .records import Record

# About 0.1 s: the preview is made anew with each change on the page.
N_LOOKED_AT = 50_000


@dataclass(frozen=True, slots=True)
class Roles:
    """Different addresses by the name before the @; `n_rows` were looked at, which is the file where it is `whole`."""

    n_rows: int = 0
    whole: bool = True
    suppressed: dict[str, int] = field(default_factory=dict)  # the policy names them
    shared: dict[str, int] = field(default_factory=dict)  # several people read them; the policy lets them pass

    @property
    def n_suppressed(self) -> int:
        """Addresses that the policy suppresses."""
        return sum(self.suppressed.values())

    @property
    def n_shared(self) -> int:
        """Addresses that several people read."""
        return sum(self.shared.values())


def count_roles(records: Iterable[Record], column: int, policy_names: Collection[str]) -> Roles:
    """Look at the addresses in a column of the first rows; addresses that would be rejected do not count."""
    records = iter(records)
    names = frozenset(policy_names)
    wanted = names | SHARED_NAMES
    seen: set[str] = set()
    n_rows = 0
    for record in islice(records, N_LOOKED_AT):
        n_rows += 1
        cell = record.cells[column].strip() if column < len(record.cells) else ""
        if role_name(cell) in wanted and isinstance(found := normalise_address(cell), Address):
            seen.add(found.address)
    by_name = Counter(role_name(address) for address in sorted(seen))
    return Roles(
        n_rows,
        next(records, None) is None,
        {name: n for name, n in by_name.most_common() if name in names},
        {name: n for name, n in by_name.most_common() if name not in names},
    )
