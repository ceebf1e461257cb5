"""gunicorn's settings: one process with threads, so that rate limits may be counted in memory (`limits_url`).

Its own lines have the form of ours. There is no access log: URLs hold what people look for, and links that sign in.
"""

import ctypes
import os
import signal
from typing import Any

from gunicorn.http import wsgi

from smtpy.cli.logs import FORM
from web import figures

bind = os.environ.get("SMTPY_WEB_BIND", "127.0.0.1:8000")
worker_class = "gthread"
threads = 8
timeout = 30
graceful_timeout = 4  # seconds for answers in hand when told to stop; supervisors kill after five
keepalive = 5
accesslog = None
control_socket_disable = True  # a way to steer gunicorn that nobody asked for, in somebody's home directory
# The application opens its connections when it is first asked for something, so after the fork.
preload_app = True
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "smtpy.cli.logs.Line", "fmt": FORM.format(process="web")}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stderr"}},
    "root": {"level": "INFO", "handlers": ["stderr"]},
    "loggers": {"gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True}},
}
_PR_SET_PDEATHSIG = 1  # prctl(2)


def post_fork(server: Any, worker: Any) -> None:
    """A worker outlives no master, since another one may want its port; and answers do not say what serves them."""
    wsgi.SERVER = "SMTPy"  # gunicorn has no setting for it
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != server.pid:
        raise SystemExit(0)


def post_worker_init(worker: Any) -> None:
    """Tell `smtpy metrics` how it does."""
    worker.pulse = figures.pulse(worker.wsgi)
    worker.pulse.__enter__()


def worker_exit(_server: Any, worker: Any) -> None:
    """No more of it; a worker that did not come to its application has told nothing."""
    if pulse := getattr(worker, "pulse", None):
        pulse.__exit__()
