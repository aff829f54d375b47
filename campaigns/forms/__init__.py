"""Forms of the campaign pages: they check shape; services check truth."""

from .campaign import AudienceForm, ConfirmForm, ContentForm, NewCampaignForm, ScheduleForm, TestSendForm
from .design import NewTemplateForm, TemplateForm

__all__ = [
    "AudienceForm",
    "ConfirmForm",
    "ContentForm",
    "NewCampaignForm",
    "NewTemplateForm",
    "ScheduleForm",
    "TemplateForm",
    "TestSendForm",
]
