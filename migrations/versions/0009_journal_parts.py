"""PostgreSQL: the journal and the events of the log become partitioned by number, what is there being the first part
(smtpy.store.parts). SQLite stays as it is.

On the way up each table is read once, since PostgreSQL makes sure that all its numbers belong to that part; nothing is
copied. On the way back all rows are.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

STRIDE = 10**10  # numbers of a part
# The column that is divided by, the sequence that it is from, and the column whose values are unique within a part:
# PostgreSQL can promise no more.
TABLES = {
    "journal": ("id", "journal_id_seq", "uuid"),
    "journal_recipients": ("journal_id", "journal_id_seq", None),
    "mail_events": ("id", "mail_events_id_seq", "digest"),
}
KEYS = {"journal": "id", "journal_recipients": "journal_id, position", "mail_events": "id"}
OF_ALIAS = (
    "ALTER TABLE journal_recipients ADD CONSTRAINT fk_journal_recipients_alias_id_aliases"
    " FOREIGN KEY (alias_id) REFERENCES aliases (id) ON DELETE SET NULL"
)
OF_MESSAGE = (
    "ALTER TABLE journal_recipients ADD CONSTRAINT fk_journal_recipients_journal_id_journal"
    " FOREIGN KEY (journal_id) REFERENCES journal (id) ON DELETE CASCADE"
)


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    # A part of the journal could not be dropped before all recipients had been searched for its messages.
    op.execute("ALTER TABLE journal_recipients DROP CONSTRAINT fk_journal_recipients_journal_id_journal")
    for table, (column, sequence, _) in TABLES.items():
        number = _part(sequence)  # 0, unless it has been in parts before
        indexes = _indexes(table)
        op.execute(f"ALTER TABLE {table} RENAME TO {table}_{number}")
        for name in (f"pk_{table}", *indexes, *_unique(table)):
            op.execute(f"ALTER INDEX {name} RENAME TO {name}_{number}")
        op.execute(f"CREATE TABLE {table} (LIKE {table}_{number} INCLUDING DEFAULTS) PARTITION BY RANGE ({column})")
        _key(table)
        for definition in indexes.values():
            op.execute(definition)
        if table == "journal_recipients":
            op.execute(OF_ALIAS)
        else:
            op.execute(f"ALTER SEQUENCE {sequence} OWNED BY {table}.id")
        # Finds that the part has these indexes and keys already.
        bounds = f"FROM (MINVALUE) TO ({(number + 1) * STRIDE})"
        op.execute(f"ALTER TABLE {table} ATTACH PARTITION {table}_{number} FOR VALUES {bounds}")


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, (_, sequence, unique) in TABLES.items():
        indexes = {name: made.replace(" ON ONLY ", " ON ") for name, made in _indexes(table).items()}
        op.execute(f"CREATE TABLE {table}_whole (LIKE {table} INCLUDING DEFAULTS)")
        op.execute(f"INSERT INTO {table}_whole SELECT * FROM {table}")  # noqa: S608 - ours
        if unique:
            op.execute(f"ALTER SEQUENCE {sequence} OWNED BY {table}_whole.id")
        op.execute(f"DROP TABLE {table}")
        op.execute(f"ALTER TABLE {table}_whole RENAME TO {table}")
        _key(table)
        if unique:
            op.execute(f"ALTER TABLE {table} ADD CONSTRAINT uq_{table}_{unique} UNIQUE ({unique})")
        for definition in indexes.values():
            op.execute(definition)
    op.execute(OF_ALIAS)
    op.execute(OF_MESSAGE)


def _part(sequence: str) -> int:
    return int(op.get_bind().scalar(sa.text(f"SELECT last_value FROM {sequence}")) or 0) // STRIDE  # noqa: S608 - ours


def _indexes(table: str) -> dict[str, str]:
    """The statements that made the indexes which belong to no constraint."""
    found = sa.text(
        "SELECT indexname, indexdef FROM pg_indexes"
        " WHERE schemaname = current_schema AND tablename = :table AND indexname LIKE 'ix_%'"
    )
    return {row.indexname: row.indexdef for row in op.get_bind().execute(found, {"table": table})}


def _unique(table: str) -> list[str]:
    unique = TABLES[table][2]
    return [f"uq_{table}_{unique}"] if unique else []


def _key(table: str) -> None:
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT pk_{table} PRIMARY KEY ({KEYS[table]})")
