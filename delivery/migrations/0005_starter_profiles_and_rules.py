"""The profiles and rules that an installation starts with; operators edit them from here on."""

from django.db import migrations

from delivery.shaping.profiles import DEFAULT, PROFILES
from delivery.shaping.rules import Action
from delivery.shaping.starter_rules import STARTER_RULES

COLUMNS = {
    Action.LOWER_RATE: "messages_per_minute",
    Action.LOWER_CONNECTIONS: "connections",
    Action.LOWER_MESSAGES_PER_CONNECTION: "messages_per_connection",
}


def add_profiles(apps, schema_editor):
    rows = apps.get_model("delivery", "SiteProfile")
    rows.objects.bulk_create(
        [
            rows(
                site=profile.site,
                connections=profile.connections,
                connections_per_minute=profile.connections_per_minute,
                messages_per_connection=profile.messages_per_connection,
                # The default's 100 a second is advice for one's own address; a provider is rarely that slow.
                messages_per_second=(
                    None if profile.messages_per_second == DEFAULT.messages_per_second else profile.messages_per_second
                ),
                tls=profile.tls,
                idle_s=profile.idle_s,
                mx_suffixes=list(profile.mx_suffixes),
                note=(
                    "For every other site. From your own addresses start with 100 messages per second."
                    if profile is DEFAULT
                    else ""
                ),
            )
            for profile in PROFILES
        ],
        ignore_conflicts=True,
    )


def add_rules(apps, schema_editor):
    rows = apps.get_model("delivery", "ShapingRule")
    rows.objects.bulk_create(
        [
            rows(
                key=rule.key,
                pattern=rule.pattern,
                sites=list(rule.sites),
                n_per_hour=rule.n_per_hour,
                minutes=rule.minutes,
                reach=rule.reach,
                suspend=any(effect.action == Action.SUSPEND for effect in rule.effects),
                **{COLUMNS[effect.action]: effect.value for effect in rule.effects if effect.action in COLUMNS},
            )
            for rule in STARTER_RULES
        ],
        ignore_conflicts=True,
    )


def remove_profiles(apps, schema_editor):
    sites = [profile.site for profile in PROFILES]
    apps.get_model("delivery", "SiteProfile").objects.filter(site__in=sites).delete()


def remove_rules(apps, schema_editor):
    keys = [rule.key for rule in STARTER_RULES]
    apps.get_model("delivery", "ShapingRule").objects.filter(key__in=keys).delete()


class Migration(migrations.Migration):
    dependencies = [("delivery", "0004_outcomes_name_their_source")]

    operations = [
        migrations.RunPython(add_profiles, remove_profiles),
        migrations.RunPython(add_rules, remove_rules),
    ]
