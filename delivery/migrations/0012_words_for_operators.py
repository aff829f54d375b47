"""Labels and help texts of the operators' pages; nothing changes in the database."""

import delivery.shaping.profiles
import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('contacts', '0002_suppression_policy'),
        ('delivery', '0011_uncertain_messages_are_resolved'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='routemember',
            options={'ordering': ['rank', 'id'], 'verbose_name': 'account of the route', 'verbose_name_plural': 'accounts of the route'},
        ),
        migrations.AlterModelOptions(
            name='shapingmeasure',
            options={'ordering': ['-began_at'], 'verbose_name': 'measure'},
        ),
        migrations.AlterModelOptions(
            name='sitepace',
            options={'ordering': ['-changed_at'], 'verbose_name': 'slowed path'},
        ),
        migrations.AlterModelOptions(
            name='warmup',
            options={'ordering': ['account', 'source', 'site'], 'verbose_name': 'warm-up'},
        ),
        migrations.AlterField(
            model_name='brake',
            name='enabled',
            field=models.BooleanField(default=True, help_text='Off: campaigns never pause by themselves.', verbose_name='switched on'),
        ),
        migrations.AlterField(
            model_name='brake',
            name='least_complained',
            field=models.PositiveIntegerField(default=3, help_text='So that one angry reader stops no small campaign.', verbose_name='complaints before it judges'),
        ),
        migrations.AlterField(
            model_name='provideraccount',
            name='connections_per_minute',
            field=models.PositiveIntegerField(blank=True, help_text='Empty: no limit.', null=True, verbose_name='new connections per minute'),
        ),
        migrations.AlterField(
            model_name='provideraccount',
            name='max_connections',
            field=models.PositiveSmallIntegerField(default=10, help_text='Of all workers together, at least 1.', verbose_name='connections at once'),
        ),
        migrations.AlterField(
            model_name='provideraccount',
            name='messages_per_connection',
            field=models.PositiveIntegerField(default=1000, help_text='After so many messages a connection is closed and a new one opened.'),
        ),
        migrations.AlterField(
            model_name='provideraccount',
            name='messages_per_day',
            field=models.PositiveIntegerField(blank=True, help_text='Per calendar day in the zone below. Empty: no quota.', null=True),
        ),
        migrations.AlterField(
            model_name='provideraccount',
            name='messages_per_hour',
            field=models.PositiveIntegerField(blank=True, help_text='Empty: no limit.', null=True),
        ),
        migrations.AlterField(
            model_name='provideraccount',
            name='messages_per_minute',
            field=models.PositiveIntegerField(blank=True, help_text='Empty: no limit.', null=True),
        ),
        migrations.AlterField(
            model_name='provideraccount',
            name='messages_per_second',
            field=models.FloatField(blank=True, help_text='0.5 is one every two seconds. Empty: as fast as the server takes them.', null=True),
        ),
        migrations.AlterField(
            model_name='provideraccount',
            name='quota_timezone',
            field=models.CharField(default='UTC', help_text='Where it is midnight when the provider’s day begins, as in Europe/Berlin.', max_length=64, verbose_name='time zone of its day'),
        ),
        migrations.AlterField(
            model_name='route',
            name='brand',
            field=models.ForeignKey(blank=True, help_text='Mail of this brand takes the route unless something else is chosen. Empty: for every brand.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='contacts.brand'),
        ),
        migrations.AlterField(
            model_name='route',
            name='is_default',
            field=models.BooleanField(default=False, help_text='Mail takes it where neither campaign, rule nor brand says otherwise.', verbose_name='default'),
        ),
        migrations.AlterField(
            model_name='route',
            name='key',
            field=models.SlugField(help_text='What campaigns and the API keep. Change it only while no campaign uses the route.', unique=True, verbose_name='short name'),
        ),
        migrations.AlterField(
            model_name='route',
            name='name',
            field=models.CharField(help_text='As marketers see it when they choose how a campaign goes out.', max_length=100),
        ),
        migrations.AlterField(
            model_name='routechoice',
            name='brand',
            field=models.ForeignKey(blank=True, help_text='Empty: any brand.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='contacts.brand'),
        ),
        migrations.AlterField(
            model_name='routechoice',
            name='message_kind',
            field=models.CharField(blank=True, choices=[('', 'Any'), ('campaign', 'Campaigns'), ('test', 'Test messages')], default='', max_length=10, verbose_name='kind of message'),
        ),
        migrations.AlterField(
            model_name='routechoice',
            name='position',
            field=models.PositiveSmallIntegerField(default=0, help_text='Lower numbers are looked at first; the first choice that fits is taken.', verbose_name='order'),
        ),
        migrations.AlterField(
            model_name='routechoice',
            name='route',
            field=models.ForeignKey(help_text='Which way such mail leaves.', on_delete=django.db.models.deletion.CASCADE, related_name='choices', to='delivery.route'),
        ),
        migrations.AlterField(
            model_name='routechoice',
            name='sender_domain',
            field=models.CharField(blank=True, help_text='What stands behind the @ of the From address, subdomains included: example.com. Empty: any.', max_length=255, verbose_name="sender's domain"),
        ),
        migrations.AlterField(
            model_name='routemember',
            name='rank',
            field=models.PositiveSmallIntegerField(default=0, help_text='0 sends; 1 only while every 0 is out of service, and so on.'),
        ),
        migrations.AlterField(
            model_name='routemember',
            name='weight',
            field=models.PositiveSmallIntegerField(default=1, help_text='Share within its rank: 2 carries twice as much as 1.'),
        ),
        migrations.AlterField(
            model_name='shapingrule',
            name='connections',
            field=models.PositiveIntegerField(blank=True, help_text='At once. Empty: they stay.', null=True, verbose_name='lower connections to'),
        ),
        migrations.AlterField(
            model_name='shapingrule',
            name='enabled',
            field=models.BooleanField(default=True, help_text='Off: such replies change nothing.', verbose_name='switched on'),
        ),
        migrations.AlterField(
            model_name='shapingrule',
            name='key',
            field=models.SlugField(help_text='Letters, digits and hyphens, as in yahoo-busy: measures name it.', max_length=60, unique=True, verbose_name='name'),
        ),
        migrations.AlterField(
            model_name='shapingrule',
            name='messages_per_connection',
            field=models.PositiveIntegerField(blank=True, help_text='Empty: they stay.', null=True, verbose_name='lower messages per connection to'),
        ),
        migrations.AlterField(
            model_name='shapingrule',
            name='messages_per_minute',
            field=models.PositiveIntegerField(blank=True, help_text='Empty: the rate stays.', null=True, verbose_name='lower the rate to (messages per minute)'),
        ),
        migrations.AlterField(
            model_name='shapingrule',
            name='minutes',
            field=models.PositiveIntegerField(default=60, help_text='From the last such reply on. 60 is an hour, 1440 a day.', verbose_name='for how long (minutes)'),
        ),
        migrations.AlterField(
            model_name='shapingrule',
            name='n_per_hour',
            field=models.PositiveIntegerField(default=1, help_text='1: at the first such reply.', verbose_name='replies in an hour before it acts'),
        ),
        migrations.AlterField(
            model_name='shapingrule',
            name='note',
            field=models.CharField(blank=True, help_text='For your colleagues: why it is so.', max_length=300),
        ),
        migrations.AlterField(
            model_name='shapingrule',
            name='pattern',
            field=models.CharField(help_text="Part of the server's reply, such as “too many connections” or “421 4.7.28”; upper and lower case are alike. A regular expression: put a backslash before . [ ] ( ) where the sign itself is meant.", max_length=300, verbose_name='words in the reply'),
        ),
        migrations.AlterField(
            model_name='shapingrule',
            name='reach',
            field=models.CharField(choices=[('path', 'this account and source address to this site'), ('site', 'this account to this site'), ('account', 'the whole account'), ('campaign', 'this campaign to this site')], default='path', max_length=8, verbose_name='what it holds for'),
        ),
        migrations.AlterField(
            model_name='shapingrule',
            name='sites',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list, help_text="Only replies from these sites count, with commas between, as in “google, yahoo”. Empty: any site's.", size=None),
        ),
        migrations.AlterField(
            model_name='shapingrule',
            name='suspend',
            field=models.BooleanField(default=False, help_text='Nothing is sent until it is over; messages wait.'),
        ),
        migrations.AlterField(
            model_name='siteprofile',
            name='connections',
            field=models.PositiveSmallIntegerField(default=10, help_text='At least 1.', verbose_name='connections at once'),
        ),
        migrations.AlterField(
            model_name='siteprofile',
            name='connections_per_minute',
            field=models.PositiveIntegerField(blank=True, default=100, help_text='Empty: no limit.', null=True, verbose_name='new connections per minute'),
        ),
        migrations.AlterField(
            model_name='siteprofile',
            name='idle_s',
            field=models.PositiveSmallIntegerField(default=60, help_text='So that the next message opens no new one.', verbose_name='idle connections are kept for (seconds)'),
        ),
        migrations.AlterField(
            model_name='siteprofile',
            name='messages_per_connection',
            field=models.PositiveIntegerField(default=100, help_text='After so many messages a connection is closed and a new one opened.'),
        ),
        migrations.AlterField(
            model_name='siteprofile',
            name='messages_per_day',
            field=models.PositiveIntegerField(blank=True, help_text="Per calendar day in the account's time zone. Empty: no limit.", null=True),
        ),
        migrations.AlterField(
            model_name='siteprofile',
            name='messages_per_hour',
            field=models.PositiveIntegerField(blank=True, help_text='Of each account or source address. Empty: no limit.', null=True),
        ),
        migrations.AlterField(
            model_name='siteprofile',
            name='messages_per_second',
            field=models.FloatField(blank=True, help_text="Of each account or source address. Empty: no limit of the site's own.", null=True),
        ),
        migrations.AlterField(
            model_name='siteprofile',
            name='mx_suffixes',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=100), blank=True, default=list, help_text='With commas between, as in “.google.com, .googlemail.com”: a domain whose MX record ends so belongs to this site and shares its limits. Empty: only the domain that the site is named after.', size=None, verbose_name="ends of its mail servers' names"),
        ),
        migrations.AlterField(
            model_name='siteprofile',
            name='note',
            field=models.CharField(blank=True, help_text='For your colleagues: why it is so. Never sent.', max_length=300),
        ),
        migrations.AlterField(
            model_name='siteprofile',
            name='site',
            field=models.CharField(blank=True, help_text='As reports name it: google, yahoo, or a domain such as example.com. Empty: every site without a profile of its own.', max_length=100, unique=True),
        ),
        migrations.AlterField(
            model_name='siteprofile',
            name='tls',
            field=models.CharField(choices=[('opportunistic', 'Encrypted where the server offers it'), ('required', 'Always encrypted, with a valid certificate'), ('required_unverified', 'Always encrypted, whatever the certificate')], default=delivery.shaping.profiles.Tls['OPPORTUNISTIC'], max_length=20, verbose_name='encryption'),
        ),
        migrations.AlterField(
            model_name='sourceaddress',
            name='address',
            field=models.GenericIPAddressField(help_text='Every machine with a sending worker must have it, or its connections fail.', verbose_name='IP address'),
        ),
        migrations.AlterField(
            model_name='sourceaddress',
            name='enabled',
            field=models.BooleanField(default=True, help_text='Off: nothing leaves from it.', verbose_name='switched on'),
        ),
        migrations.AlterField(
            model_name='sourceaddress',
            name='helo_name',
            field=models.CharField(blank=True, help_text="The name that its reverse DNS gives. Empty: the account's.", max_length=253, verbose_name='host name'),
        ),
        migrations.AlterField(
            model_name='sourceaddress',
            name='max_connections',
            field=models.PositiveSmallIntegerField(blank=True, help_text='Empty: as many as the account allows.', null=True, verbose_name='connections at once'),
        ),
        migrations.AlterField(
            model_name='sourceaddress',
            name='messages_per_day',
            field=models.PositiveIntegerField(blank=True, help_text="Per calendar day in the account's time zone. Empty: no limit of its own.", null=True),
        ),
        migrations.AlterField(
            model_name='sourceaddress',
            name='messages_per_hour',
            field=models.PositiveIntegerField(blank=True, help_text='Empty: no limit of its own.', null=True),
        ),
        migrations.AlterField(
            model_name='sourceaddress',
            name='messages_per_second',
            field=models.FloatField(blank=True, help_text="Empty: the account's limit alone.", null=True),
        ),
        migrations.AlterField(
            model_name='sourceaddress',
            name='weight',
            field=models.PositiveSmallIntegerField(default=1, help_text="Its share beside the account's other addresses: 2 carries twice as much as 1."),
        ),
        migrations.AlterField(
            model_name='warmup',
            name='curve',
            field=models.CharField(choices=[('geometric', 'A steady rise: the same factor more every day'), ('dedicated_ip', 'The table for a new dedicated address: 50 on day 1, a million on day 21')], default='geometric', max_length=12, verbose_name='how the cap rises'),
        ),
        migrations.AlterField(
            model_name='warmup',
            name='days',
            field=models.PositiveSmallIntegerField(default=42, help_text='Only for a steady rise. Six weeks are usual.', verbose_name='days from first to last'),
        ),
        migrations.AlterField(
            model_name='warmup',
            name='enabled',
            field=models.BooleanField(default=True, help_text='Off: no cap, mail goes at full volume.', verbose_name='switched on'),
        ),
        migrations.AlterField(
            model_name='warmup',
            name='first',
            field=models.PositiveIntegerField(default=200, help_text='Only for a steady rise; the table has its own.', verbose_name='messages on the first day'),
        ),
        migrations.AlterField(
            model_name='warmup',
            name='held_days',
            field=models.PositiveSmallIntegerField(default=0, help_text='Counted by itself while too many readers complain. Each moves the curve back by a day.', verbose_name='days without a rise'),
        ),
        migrations.AlterField(
            model_name='warmup',
            name='last',
            field=models.PositiveIntegerField(default=200000, help_text='Only for a steady rise. No cap from then on.', verbose_name='messages on the last day'),
        ),
        migrations.AlterField(
            model_name='warmup',
            name='site',
            field=models.CharField(blank=True, help_text='As Delivery health names it: google, yahoo, a domain. Empty: all recipients together.', max_length=100, verbose_name='recipient site'),
        ),
        migrations.AlterField(
            model_name='warmup',
            name='source',
            field=models.ForeignKey(blank=True, help_text='Empty: the account as a whole.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='warm_ups', to='delivery.sourceaddress', verbose_name='source address'),
        ),
        migrations.AlterField(
            model_name='warmup',
            name='started_on',
            field=models.DateField(help_text="In the account's time zone.", verbose_name='first day'),
        ),
        migrations.AlterConstraint(
            model_name='warmup',
            name='a_warm_up_rises',
            constraint=models.CheckConstraint(condition=models.Q(('first__gte', 1), ('last__gte', models.F('first')), ('days__gte', 2)), name='a_warm_up_rises', violation_error_message='A warm-up takes at least two days and ends no lower than it began.'),
        ),
    ]
