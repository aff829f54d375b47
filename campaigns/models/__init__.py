"""What to send, to whom and when: tables of templates, campaigns and their frozen content."""

from .campaign import Audience, Campaign, Variant
from .content import FrozenContent
from .template import Markup, Template

__all__ = ["Audience", "Campaign", "FrozenContent", "Markup", "Template", "Variant"]
