"""All addresses of the installation."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from contacts.api import api
from contacts.stores.webhooks import receive_delivery
from delivery.admin_urls import urlpatterns as admin_urlpatterns

admin.autodiscover()
handler500 = "deploy.outages.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/delivery/", include(admin_urlpatterns)),
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    path("", include("delivery.urls")),
    path("hooks/stores/<uuid:store_uuid>", receive_delivery, name="store-deliveries"),
]
