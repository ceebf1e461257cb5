"""What gunicorn serves: `gunicorn --config python:web.gunicorn web.wsgi:app`. Settings are those of `smtpy`."""

import os

from smtpy.cli.logs import set_up
from smtpy.config import load
from web import create_app

settings = load(None, os.environ)
set_up("web", settings.log_level)
app = create_app(settings)
