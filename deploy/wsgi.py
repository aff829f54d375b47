"""WSGI entry point (granian serves it; WSGI is 5 to 10 times cheaper than ASGI for tracking hits)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploy.settings")
application = get_wsgi_application()
