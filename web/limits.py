"""Rate limits (Flask-Limiter), counted in memory or in Redis (`limits_url`). An answer that is over says Retry-After.

While Redis is away each process counts for itself: people get in, and guessing stays slow.
"""

from flask import Flask
from flask_limiter import Limiter

from web import door, sessions


def whose() -> str:
    """Limits count by member, and by network before anybody is signed in."""
    member = sessions.visit().member
    return f"member:{member.id}" if member else f"client:{door.client()}"


limiter = Limiter(
    whose,
    default_limits=["600/minute"],
    headers_enabled=True,
    in_memory_fallback_enabled=True,
    swallow_errors=False,
)


def init_app(app: Flask) -> None:
    """Count where the settings say."""
    app.config["RATELIMIT_STORAGE_URI"] = app.extensions["smtpy"].settings.limits_url
    limiter.init_app(app)

    @limiter.request_filter
    def is_free() -> bool:
        from flask import request

        return request.endpoint in ("static", "health.livez", "health.readyz")
