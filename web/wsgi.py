"""What gunicorn serves: `gunicorn --config python:web.gunicorn web.wsgi:app`. Settings are those of `smtpy`."""

import os
import sys

from smtpy import crashes, spans
from smtpy.admin.outages import unfit
from smtpy.cli.logs import set_up
from smtpy.config import BadSettings, load
from smtpy.optional import NotInstalled
from smtpy.store.engine import open_engine
from web import create_app

try:
    settings = load(None, os.environ)
except BadSettings as bad:
    sys.exit(f"web: the settings are refused\n{bad}")
set_up("web", settings.log_level, settings.log_format, settings.log_addresses)
try:
    crashes.begin(settings.sentry_dsn, "web", settings.hostname)
    spans.begin("web")
except NotInstalled as error:
    sys.exit(f"web: {error}")
engine = open_engine(settings.database_url, deadline=settings.deadline_seconds)
if outage := unfit(engine):
    sys.exit(f"web: {outage}")
engine.dispose()  # what asked here, before gunicorn forks, is none of its children's
app = create_app(settings, engine)
