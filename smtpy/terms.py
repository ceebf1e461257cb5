"""From settings to the values that decisions take: secrets become bytes, limits become numbers."""

from smtpy.config import Settings
from smtpy.directory.resolve import House
from smtpy.routing.arrival import Terms
from smtpy.routing.keyring import Keyring
from smtpy.spans import span
from smtpy.srs import Srs
from smtpy.vault import Vault


def srs_of(settings: Settings) -> Srs:
    """The return addresses of this service."""
    secrets = tuple(secret.get_secret_value().encode() for secret in settings.srs_secrets)
    return Srs(secrets, settings.srs_hash_length, settings.srs_max_age_days)


def house_of(settings: Settings) -> House:
    """What the service declares of itself."""
    return House(settings.hostname, settings.postmaster, srs_of(settings))


def terms_of(settings: Settings) -> Terms:
    """What a plan keeps to."""
    keys = tuple(key.get_secret_value().encode() for key in settings.secret_keys)
    return Terms(settings.hostname, srs_of(settings), keys, settings.max_hops, Keyring(vault_of(settings)), span)


def vault_of(settings: Settings) -> Vault:
    """What opens the secrets in the database."""
    return Vault(tuple(key.get_secret_value() for key in settings.encryption_keys))
