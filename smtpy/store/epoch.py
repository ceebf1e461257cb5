"""The epoch: a number that rises with every change of the directory, so that caches know when to ask again."""

from sqlalchemy import Connection, func, select, update

from smtpy.store.schema import Epoch

CHANNEL = "smtpy_epoch"

_RAISE = update(Epoch).where(Epoch.id == 1).values(value=Epoch.value + 1).returning(Epoch.value)
_READ = select(Epoch.value).where(Epoch.id == 1)


def bump(connection: Connection) -> None:
    """Raise the epoch in the transaction that changes the directory; its commit tells every process."""
    value = connection.execute(_RAISE).scalar_one()
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_notify(CHANNEL, str(value))))
