"""What the audience's admin classes share: the theme's ModelAdmin with types, and a paginator that never counts all."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from django.core.paginator import Paginator
from django.db.models import Model, QuerySet

from contacts.queries import estimated_count

if TYPE_CHECKING:
    # django-unfold 0.91 has no type information.
    from django.contrib.admin import ModelAdmin, SimpleListFilter

    M = TypeVar("M", bound=Model)

    class Admin(ModelAdmin[M]):
        """The theme's ModelAdmin."""

    QueryPaginator = Paginator[Model]
else:
    from django.contrib.admin import SimpleListFilter
    from unfold.admin import ModelAdmin

    class Admin(ModelAdmin):
        """The theme's ModelAdmin, which can be subscripted with its model."""

        def __class_getitem__(cls, _model: Any) -> type:
            return cls

    QueryPaginator = Paginator

__all__ = ["Admin", "EstimatePaginator", "Intro", "SimpleListFilter"]

INTRO_TEMPLATE = "contacts/list_intro.html"


class Intro(NamedTuple):
    """What stands above a list: what it is for, and a button beside "add"."""

    text: str
    url_name: str = ""
    label: str = ""


COUNTED = 10_000
EXACT_BELOW = 50_000
MAX_PAGES = 200  # beyond, OFFSET gets slow and nobody leafs: the search box finds people


class EstimatePaginator(QueryPaginator):
    """Counts at most 10,000 rows of a filtered list, and asks the planner's statistics about a whole table."""

    object_list: QuerySet[Model]

    @cached_property
    def count(self) -> int:
        """How many rows; of a large table about how many."""
        if self.object_list.query.where:
            return self.object_list.order_by()[:COUNTED].count()
        estimate = estimated_count(self.object_list.model)
        return estimate if estimate >= EXACT_BELOW else self.object_list.order_by()[:EXACT_BELOW].count()

    @cached_property
    def num_pages(self) -> int:
        """How many pages can be leafed to."""
        return min(super().num_pages, MAX_PAGES)
