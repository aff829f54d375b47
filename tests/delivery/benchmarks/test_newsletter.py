"""The newsletter that benchmarks send has the shape that the figures are quoted for."""

from __future__ import annotations

import pytest

from campaigns.content.checks import find_problems
from campaigns.content.compiler import compile_content
from delivery.benchmarks.newsletter import contact_fields, newsletter_source
from tests.delivery.mime_samples import builder, parts_of, recipient


@pytest.mark.parametrize(("size_kb", "links"), [(40, 20), (50, 22), (20, 6)])
def test_it_has_the_size_and_the_links_that_were_asked_for(size_kb: int, links: int) -> None:
    made = builder(compile_content(newsletter_source(size_kb, links)))

    page = parts_of(made.build(recipient(**contact_fields(7)), date_header=b"x"))["text/html"]

    assert abs(len(page.encode()) - size_kb * 1000) < 0.06 * size_kb * 1000
    assert page.count('href="https://go.kiln.example/c/') + page.count('href="https://go.kiln.example/d/') == links


def test_it_is_ready_to_be_sent() -> None:
    content = compile_content(newsletter_source(40, 20))

    assert find_problems(content) == []
    assert len(content.merge_fields) == 19


def test_readers_differ() -> None:
    assert len({str(contact_fields(number)) for number in range(2_000)}) == 2_000
