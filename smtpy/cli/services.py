"""`smtpy lookup`, `policy`, `milter`, `worker`, `metrics`: the services, in the foreground until SIGTERM."""

import contextlib
import os
from collections.abc import Iterator

import click

from smtpy import crashes, spans
from smtpy.cli.logs import set_up
from smtpy.cli.setup import Setup, Trouble, pass_setup
from smtpy.optional import NotInstalled


@contextlib.contextmanager
def service(setup: Setup, process: str, *, fits: bool = True) -> Iterator[None]:
    """Logging for the process; what keeps it from serving becomes Trouble: a socket that cannot be had, and, unless
    it need not fit, a database of another version."""
    settings = setup.settings
    set_up(process, settings.log_level, settings.log_format, settings.log_addresses)
    try:
        crashes.begin(settings.sentry_dsn, process, settings.hostname)
        spans.begin(process)
    except NotInstalled as error:
        raise Trouble(os.EX_CONFIG, f"{process}: {error}") from None
    if fits:
        _meet_database(setup)
    try:
        yield
    except PermissionError as error:
        raise Trouble(os.EX_NOPERM, f"{process}: {error}; this user must be able to write run_dir") from None
    except OSError as error:
        advice = "see that run_dir exists and nothing else listens there (`smtpy doctor`)"
        raise Trouble(os.EX_UNAVAILABLE, f"{process}: {error}; {advice}") from None


def _meet_database(setup: Setup) -> None:
    """One that is away is waited for; on one of another version answers might be wrong, and wrong ones are final."""
    with setup.engine() as engine:  # closed before anybody forks
        from smtpy.admin.outages import unfit

        if outage := unfit(engine):
            raise outage


@click.command("lookup")
@pass_setup
def lookup_command(setup: Setup) -> None:
    """Answer Postfix's socketmap questions."""
    with service(setup, "lookup"):
        from smtpy.lookup.server import serve

        serve(setup.settings)


@click.command("policy")
@pass_setup
def policy_command(setup: Setup) -> None:
    """Answer Postfix's policy questions."""
    with service(setup, "policy"):
        from smtpy.policy.server import serve

        serve(setup.settings)


@click.command("milter")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes; else the setting milter_workers.")
@pass_setup
def milter_command(setup: Setup, workers: int | None) -> None:
    """Rewrite messages for Postfix."""
    with service(setup, "milter"):
        from smtpy.milter.server import serve

        serve(setup.settings, workers)


@click.command("worker")
@pass_setup
def worker_command(setup: Setup) -> None:
    """Check DNS, rotate keys, follow Postfix's log."""
    with service(setup, "worker"):
        from smtpy.worker.server import serve

        serve(setup.settings)


@click.command("metrics")
@pass_setup
def metrics_command(setup: Setup) -> None:
    """Count for Prometheus."""
    with service(setup, "metrics", fits=False):  # which tells what does not fit
        from smtpy.config import gather
        from smtpy.metrics.server import serve

        serve(setup.settings, tuple(gather(setup.config, setup.environ).secret_files))
