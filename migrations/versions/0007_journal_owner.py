"""Whose a recipient in the journal is, so that a member's messages are found among a million by one index."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

INDEX = "ix_journal_recipients_owner_id_journal_id"


def upgrade() -> None:
    op.add_column("journal_recipients", sa.Column("owner_id", sa.BigInteger()))
    op.execute(
        "UPDATE journal_recipients SET owner_id ="
        " (SELECT owner_id FROM aliases WHERE aliases.id = journal_recipients.alias_id) WHERE alias_id IS NOT NULL"
    )
    op.execute(
        "UPDATE journal_recipients SET owner_id ="
        " (SELECT owner_id FROM domains WHERE domains.name = journal_recipients.domain) WHERE alias_id IS NULL"
    )
    some = sa.text("owner_id IS NOT NULL")
    columns = ["owner_id", "journal_id"]
    op.create_index(op.f(INDEX), "journal_recipients", columns, sqlite_where=some, postgresql_where=some)


def downgrade() -> None:
    op.drop_index(op.f(INDEX), "journal_recipients")
    op.drop_column("journal_recipients", "owner_id")
