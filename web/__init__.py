"""The web application: pages on `smtpy.admin`, for people. Never on SQL.

Read it in this order. `create_app` puts it together; `sessions` is the cookie, `auth` who may call which page, `door`
the one way to rows, `origin` where writes come from, `headers` and `limits` what every answer obeys, `figures` what is
counted of them, `errors` refusals in words, `i18n` languages. `pages` has a blueprint for each subject,
`templates/_ui.html` what pages are made of.
"""

from datetime import timedelta

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import Engine
from werkzeug.middleware.proxy_fix import ProxyFix

from smtpy.config import Settings
from smtpy.store.engine import open_engine
from web import (
    auth,
    banner,
    checking,
    door,
    errors,
    figures,
    happenings,
    headers,
    i18n,
    limits,
    look,
    navigation,
    origin,
    pages,
    places,
    sessions,
    spans,
    told,
    tracing,
)

MAX_BODY = 2 * 1024 * 1024  # octets of a request
csrf = CSRFProtect()


def create_app(settings: Settings, engine: Engine | None = None) -> Flask:
    """The application. Connects to the database when it is first asked for something."""
    app = Flask("web")
    app.config.update(_config(settings))
    door.open_(app, settings, engine or open_engine(settings.database_url, deadline=settings.deadline_seconds))
    if settings.web_proxies:
        hops = settings.web_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]  # Flask's own way
    figures.init_app(app)
    spans.init_app(app)
    sessions.init_app(app)
    origin.init_app(app)
    csrf.init_app(app)
    for part in (
        errors,
        headers,
        places,
        limits,
        checking,
        auth,
        i18n,
        look,
        told,
        tracing,
        banner,
        navigation,
        happenings,
        pages,
    ):
        part.init_app(app)
    return app


def _config(settings: Settings) -> dict[str, object]:
    """What Flask and its extensions are told."""
    keys = [key.get_secret_value() for key in settings.secret_keys]
    return {
        # Of CSRF tokens: sessions are in the database. The last one signs, all are believed (itsdangerous).
        "WTF_CSRF_SECRET_KEY": [f"web:{key}" for key in reversed(keys)],
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session
        "WTF_CSRF_SSL_STRICT": True,
        "MAX_CONTENT_LENGTH": MAX_BODY,
        "MAX_FORM_PARTS": 2000,
        "PREFERRED_URL_SCHEME": "https" if settings.web_origin.startswith("https://") else "http",
        "SEND_FILE_MAX_AGE_DEFAULT": timedelta(days=365),  # each name bears the version of what it holds: web/look.py
        "TRUSTED_HOSTS": door.hosts_of(settings),
    }
