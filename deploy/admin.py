"""Staff accounts and groups in the look of the theme."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as PlainGroupAdmin
from django.contrib.auth.admin import UserAdmin as PlainUserAdmin
from django.contrib.auth.models import Group, User

if TYPE_CHECKING:
    UserBase = PlainUserAdmin[User]  # django-unfold 0.91 has no type information
    GroupBase = PlainGroupAdmin
else:
    from unfold.admin import ModelAdmin
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

    class UserBase(PlainUserAdmin, ModelAdmin):
        """Django's page in the theme's clothes."""

        form = UserChangeForm
        add_form = UserCreationForm
        change_password_form = AdminPasswordChangeForm

    class GroupBase(PlainGroupAdmin, ModelAdmin):
        """Django's page in the theme's clothes."""


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(UserBase):
    """People who may log in."""


@admin.register(Group)
class GroupAdmin(GroupBase):
    """Sets of permissions."""
