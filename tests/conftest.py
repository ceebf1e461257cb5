"""What every test may ask for."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.stand", "tests.postgres", "tests.redis", "tests.web.world", "tests.web.accounts"]

# How long an example takes to make, or to test, depends on what else the machine does: what is to be bounded is bounded
# in the test, by counting or by the processor's time.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")
