"""What every test may ask for."""

pytest_plugins = ["tests.stand", "tests.postgres", "tests.redis", "tests.web.world", "tests.web.accounts"]
