"""gunicorn's settings: one process with threads, so that rate limits may be counted in memory (`limits_url`)."""

import os

bind = os.environ.get("SMTPY_WEB_BIND", "127.0.0.1:8000")
worker_class = "gthread"
threads = 8
graceful_timeout = 10
timeout = 30
keepalive = 5
accesslog = None
# The application opens its connections when it is first asked for something, so after the fork.
preload_app = True
