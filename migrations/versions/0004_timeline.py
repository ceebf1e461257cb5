"""What Postfix's log tells of messages, how far it was read, and whose domain a journal's recipient is of."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
# The text behind the last @: what is left when all else was trimmed from the right.
DOMAIN = {
    "sqlite": "substr(key, length(rtrim(key, replace(key, '@', ''))) + 1, 253)",
    "postgresql": "left(substring(key from '@([^@]*)$'), 253)",
}


def upgrade() -> None:
    op.create_table(
        "mail_events",
        sa.Column("id", ID, primary_key=True),
        sa.Column("digest", sa.String(32), nullable=False, unique=True),
        sa.Column("at", TIME, nullable=False, index=True),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("queue_id", sa.String(32), nullable=False),
        sa.Column("other_id", sa.String(32)),
        sa.Column("sender", sa.Text()),
        sa.Column("recipient", sa.Text()),
        sa.Column("key", sa.Text()),
        sa.Column("original", sa.Text()),
        sa.Column("relay", sa.Text()),
        sa.Column("dsn", sa.String(16)),
        sa.Column("words", sa.Text()),
        sa.Column("delay", sa.Float()),
        sa.Column("size", sa.BigInteger()),
    )
    for column in ("queue_id", "key"):
        op.create_index(op.f(f"ix_mail_events_{column}_id"), "mail_events", [column, "id"])
    _of_some("mail_events", "other_id")
    op.create_table(
        "log_positions",
        sa.Column("host", sa.String(255), primary_key=True),
        sa.Column("path", sa.Text(), primary_key=True),
        sa.Column("file", sa.String(64), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=False),
        sa.Column("read_at", TIME, nullable=False),
    )
    _journal()


def _journal() -> None:
    _of_some("journal", "parent")
    op.create_index(op.f("ix_journal_at"), "journal", ["at"])
    op.add_column("journal_recipients", sa.Column("domain", sa.String(253)))
    domain = DOMAIN[op.get_bind().dialect.name]
    op.execute(f"UPDATE journal_recipients SET domain = {domain} WHERE key LIKE '%@%'")  # noqa: S608 - ours
    op.create_index(op.f("ix_journal_recipients_domain_journal_id"), "journal_recipients", ["domain", "journal_id"])
    _of_some("journal_recipients", "alias_id", "journal_id")
    op.drop_index(op.f("ix_journal_recipients_alias_id"), "journal_recipients")


def _of_some(table: str, column: str, *more: str) -> None:
    """An index of the few rows that have such a value: the others are not looked for by it."""
    some = sa.text(f"{column} IS NOT NULL")
    name = op.f("_".join(("ix", table, column, *more)))
    op.create_index(name, table, [column, *more], sqlite_where=some, postgresql_where=some)


def downgrade() -> None:
    op.create_index(op.f("ix_journal_recipients_alias_id"), "journal_recipients", ["alias_id"])
    for column in ("domain", "alias_id"):
        op.drop_index(op.f(f"ix_journal_recipients_{column}_journal_id"), "journal_recipients")
    op.drop_column("journal_recipients", "domain")
    for column in ("parent", "at"):
        op.drop_index(op.f(f"ix_journal_{column}"), "journal")
    for table in ("log_positions", "mail_events"):
        op.drop_table(table)
