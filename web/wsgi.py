"""What gunicorn serves: `gunicorn --config python:web.gunicorn web.wsgi:app`. Settings are those of `smtpy`."""

import os
import sys

from smtpy.cli.logs import set_up
from smtpy.config import BadSettings, load
from web import create_app

try:
    settings = load(None, os.environ)
except BadSettings as bad:
    sys.exit(f"web: the settings are refused\n{bad}")
set_up("web", settings.log_level, settings.log_format, settings.log_addresses)
app = create_app(settings)
