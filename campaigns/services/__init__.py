"""What can be asked of campaigns: each function is one wish, one short transaction, one conditional change of state."""

from .copying import duplicate_campaign
from .drafting import create_campaign, create_template, save_audience, save_content, save_schedule
from .launching import launch_campaign, launch_due_campaigns
from .running import cancel_campaign, finish_campaign, pause_campaign, reopen_campaign, resume_campaign, start_sending
from .scheduling import find_problems_of, schedule_campaign, send_now, unschedule_campaign

__all__ = [
    "cancel_campaign",
    "create_campaign",
    "create_template",
    "duplicate_campaign",
    "find_problems_of",
    "finish_campaign",
    "launch_campaign",
    "launch_due_campaigns",
    "pause_campaign",
    "reopen_campaign",
    "resume_campaign",
    "save_audience",
    "save_content",
    "save_schedule",
    "schedule_campaign",
    "send_now",
    "start_sending",
    "unschedule_campaign",
]
