"""The brand: a sender identity with its domains, postal address, locale and zone."""

from django.db import models


class Brand(models.Model):
    """One shop or sister shop; lists, templates, campaigns, stores and API keys belong to a brand."""

    name = models.CharField(max_length=100, unique=True)
    slug = models.SlugField(max_length=50, unique=True, help_text="Short name used in List-ID and Feedback-ID.")
    website = models.URLField(blank=True)
    from_name = models.CharField(max_length=100, help_text="Who readers see as the sender.")
    from_email = models.EmailField(help_text="An address at your sending domain, such as news@news.example.com.")
    reply_to = models.EmailField(blank=True)
    bounce_domain = models.CharField(
        max_length=253, help_text="Domain of the return path; its MX must point at Fanfare's bounce intake."
    )
    postal_address = models.TextField(help_text="Physical address; the law wants it in every marketing message.")
    tracking_origin = models.URLField(
        blank=True, help_text="Such as https://go.example.com. Empty: the address of this installation."
    )
    default_locale = models.CharField(max_length=16, default="en")
    timezone = models.CharField(max_length=64, default="UTC")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def sending_domain(self) -> str:
        """The domain of the From address."""
        return self.from_email.rpartition("@")[2]
