"""Stored designs that a campaign's variant starts from."""

from __future__ import annotations

from django.db import models

from contacts.models import Brand


class Markup(models.TextChoices):
    """What a body is written in; both may hold Liquid."""

    MJML = "mjml", "MJML"
    HTML = "html", "HTML"


class Template(models.Model):
    """A design: Liquid in MJML or HTML."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="templates")
    name = models.CharField(max_length=100)
    markup = models.CharField(max_length=4, choices=Markup.choices, default=Markup.MJML)
    body = models.TextField(max_length=300_000)
    text = models.TextField(blank=True, help_text="Plain-text part. Empty: made from the design.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["brand", "name"], name="one_template_per_brand_and_name")]

    def __str__(self) -> str:
        return self.name
