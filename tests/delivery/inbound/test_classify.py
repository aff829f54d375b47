"""From a server's words to a verdict."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.inbound.classify import Reply, classify, classify_report, plain
from delivery.inbound.codes import best_enhanced, reply_code
from delivery.inbound.report import Report, ReportKind, Stage
from delivery.inbound.rules import LAST_RULES, RULES, RULES_VERSION
from delivery.inbound.taxonomy import CONSEQUENCES, AddressAction, Category, suppresses
from tests.delivery.inbound.replies import REPLIES


@pytest.mark.parametrize(("stage", "words", "kind"), REPLIES)
def test_known_answers_mean_what_their_servers_mean(stage: Stage, words: str, kind: str) -> None:
    reply = Reply(reply_code(words), best_enhanced(words), words, stage=stage, gave_up=True)
    verdict = classify(reply)
    assert verdict.kind == kind if kind else verdict.kind != "hard"


@pytest.mark.parametrize(
    ("enhanced", "words", "category"),
    [
        ("5.1.1", "550 5.1.1 Mailbox full", Category.QUOTA),
        ("5.1.1", "550 5.1.1 rejected, you are on our blacklist", Category.SPAM_BLOCK),
        ("5.7.1", "550 5.7.1 Greylisted", Category.GREYLIST),
        ("5.1.1", "550 5.1.1 qwertz", Category.INVALID_RECIPIENT),
        ("5.2.2", "550 5.2.2 qwertz", Category.QUOTA),
        ("5.7.26", "550 5.7.26 qwertz", Category.AUTH_FAILED),
        ("5.7.606", "550 5.7.606 qwertz", Category.SPAM_BLOCK),
        ("", "421 qwertz", Category.TRANSIENT),
        ("", "556 qwertz", Category.BAD_DOMAIN),
        ("", "550 qwertz", Category.UNCLASSIFIED),
        ("", "", Category.UNCLASSIFIED),
    ],
)
def test_words_go_before_the_enhanced_code_and_that_before_the_basic_code(
    enhanced: str, words: str, category: Category
) -> None:
    assert classify(Reply(reply_code(words), enhanced, words)).category == category


@pytest.mark.parametrize("code", [450, 550, 551, 552, 553, 554])
@pytest.mark.parametrize("words", ["", "rejected", "Access denied", "Message refused", "Delivery not authorized"])
@pytest.mark.parametrize("stage", list(Stage))
def test_a_generic_5_7_1_block_never_suppresses(code: int, words: str, stage: Stage) -> None:
    verdict = classify(Reply(code, "5.7.1", f"{code} 5.7.1 {words}", stage=stage, gave_up=True))
    assert verdict.kind == "block"
    assert not suppresses(verdict.category)


def test_an_unknown_user_needs_the_code_or_the_stage_to_agree() -> None:
    words = "550 <erin@gone.example>: User unknown"
    assert classify(Reply(550, "", words, stage=Stage.RCPT)).category == Category.INVALID_RECIPIENT
    assert classify(Reply(550, "5.1.1", words)).category == Category.INVALID_RECIPIENT
    assert classify(Reply(550, "", words)).category == Category.FILTERED
    assert classify(Reply(550, "", words, stage=Stage.DATA)).category == Category.FILTERED
    assert classify(Reply(550, "5.2.1", words)).category == Category.FILTERED


def test_an_answer_that_came_before_rcpt_is_about_us() -> None:
    verdict = classify(Reply(550, "5.1.1", "550 5.1.1 unknown user", stage=Stage.MAIL))
    assert (verdict.category, verdict.rule_id) == (Category.SENDER_INVALID, "user-unknown/before-rcpt")


def test_a_4yz_answer_is_not_final_until_the_other_side_gave_up() -> None:
    words = "450 4.1.1 <erin@gone.example>: Recipient address rejected: User unknown in local recipient table"
    assert classify(Reply(450, "4.1.1", words, stage=Stage.RCPT)).category == Category.TRANSIENT
    assert classify(Reply(450, "4.1.1", words, stage=Stage.RCPT, gave_up=True)).category == Category.INVALID_RECIPIENT
    greylisted = "450 4.7.1 <erin@gone.example>: user unknown, try later"
    assert classify(Reply(450, "4.7.1", greylisted, stage=Stage.RCPT, gave_up=True)).kind == "soft"


def test_the_notice_counts_when_the_answer_says_nothing_or_knows_less() -> None:
    assert classify(Reply(550, "5.0.0", "", "Your mailbox quota is used up")).category == Category.QUOTA
    gateway = Reply(550, "5.1.1", "550 5.1.1 User unknown", "automatically rejected: Not enough disk space")
    assert classify(gateway).category == Category.QUOTA


def test_a_receipt_rule_of_amazon_is_a_filter_whatever_code_it_gives() -> None:
    reply = Reply(550, "5.1.1", "550 5.1.1 Mailbox does not exist", reporter="inbound-smtp.us-west-2.amazonaws.com")
    assert classify(reply).category == Category.FILTERED


@pytest.mark.parametrize(
    ("kind", "category"),
    [
        (ReportKind.COMPLAINT, Category.COMPLAINT),
        (ReportKind.UNSUBSCRIBE, Category.UNSUBSCRIBED),
        (ReportKind.AUTO_REPLY, Category.AUTO_REPLY),
        (ReportKind.DELIVERED, Category.DELIVERED),
        (ReportKind.UNKNOWN, Category.UNCLASSIFIED),
    ],
)
def test_reports_that_are_no_bounces_need_no_rules(kind: ReportKind, category: Category) -> None:
    verdict = classify_report(Report(kind, "test", diagnostic="550 5.1.1 User unknown", enhanced="5.1.1"))
    assert verdict.category == category
    assert verdict.kind == CONSEQUENCES[category].kind


def test_names_that_happen_to_be_words_do_not_decide() -> None:
    words = (
        "host spamfilter.example[192.0.2.1] said: 550 5.1.1 <blacklist@quota.example>: see https://spam.example/full"
    )
    assert plain(words) == ": see"
    assert plain("blocked using zen.spamhaus.org") == "blocked using zen.spamhaus.org"
    assert plain("User unknown.Please check") == "user unknown.please check"


def test_only_four_categories_lead_to_a_suppression() -> None:
    assert {category for category in Category if suppresses(category)} == {
        Category.INVALID_RECIPIENT,
        Category.BAD_DOMAIN,
        Category.COMPLAINT,
        Category.UNSUBSCRIBED,
    }
    assert CONSEQUENCES[Category.BAD_DOMAIN].on_address == AddressAction.RECHECK


def test_every_category_has_its_consequences() -> None:
    assert set(CONSEQUENCES) == set(Category)


@given(
    code=st.integers(0, 599),
    enhanced=st.sampled_from(["", "4.1.1", "5.1.1", "5.7.1", "5.2.1", "9.9", "5..1", "5.1.x"]),
    words=st.text(max_size=300),
    stage=st.sampled_from(list(Stage)),
    gave_up=st.booleans(),
)
def test_any_answer_has_a_verdict(code: int, enhanced: str, words: str, stage: Stage, gave_up: bool) -> None:
    verdict = classify(Reply(code, enhanced, words, words, stage, gave_up=gave_up))
    assert verdict.rules_version == RULES_VERSION
    assert verdict.kind == CONSEQUENCES[verdict.category].kind


def test_a_changed_rule_table_has_a_new_version() -> None:
    table = "\n".join(
        f"{rule.rule_id} {rule.category} {rule.needs} {rule.pattern.pattern}" for rule in RULES + LAST_RULES
    )
    assert {RULES_VERSION: hashlib.sha256(table.encode()).hexdigest()[:12]} == {1: "057cfe1d3ab7"}


def test_rule_ids_are_unique() -> None:
    ids = [rule.rule_id for rule in RULES + LAST_RULES]
    assert len(ids) == len(set(ids))


def test_a_domain_that_a_resolver_denies_is_bad_even_with_a_temporary_code() -> None:
    words = "DNS Error: DNS type 'mx' lookup of gmial.example responded with code {} Domain name not found"
    assert classify(Reply(0, "4.0.0", words.format("NXDOMAIN"), gave_up=True)).category == Category.BAD_DOMAIN
    assert classify(Reply(0, "4.0.0", words.format("SERVFAIL"), gave_up=True)).category == Category.TRANSIENT
    assert classify(Reply(0, "4.0.0", words.format("NXDOMAIN"))).category == Category.TRANSIENT
