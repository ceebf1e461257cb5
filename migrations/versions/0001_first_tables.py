"""The tables of the first version. Constraints get their names by the rule in smtpy.store.columns.

A migration says what the schema was that day, so it borrows no types from the models.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
MODES = ("transparent", "private")
WHEN_OFF = ("reject", "defer", "drop")


def _id() -> sa.Column[int]:
    return sa.Column("id", ID, primary_key=True)


def _seen() -> list[sa.Column[Any]]:
    """What each row has that people see."""
    return [_id(), sa.Column("uuid", sa.Uuid(), nullable=False, unique=True)]


def _switched() -> list[sa.Column[Any]]:
    return [
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
    ]


def _choice(name: str, values: tuple[str, ...]) -> sa.Column[str]:
    kind = sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=16)
    return sa.Column(name, kind, nullable=False)


def _link(name: str, target: str, on_delete: str, **options: bool) -> sa.Column[int]:
    return sa.Column(name, ID, sa.ForeignKey(target, ondelete=on_delete), **{"nullable": False, **options})


def _text(name: str, length: int | None = None, **options: bool) -> sa.Column[str]:
    kind = sa.String(length) if length else sa.Text()
    return sa.Column(name, kind, **{"nullable": False, **options})


def _number(name: str, **options: bool) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), **{"nullable": False, **options})


def upgrade() -> None:
    _people_and_addresses()
    _rules()
    _records()
    epoch = op.create_table("epoch", _id(), _number("value"), sa.CheckConstraint("id = 1", name="one_row"))
    op.bulk_insert(epoch, [{"id": 1, "value": 0}])
    op.create_table(
        "audit",
        _id(),
        sa.Column("at", TIME, nullable=False, index=True),
        _text("actor"),
        _text("act"),
        _text("subject", index=True),
        sa.Column("before", sa.JSON()),
        sa.Column("after", sa.JSON()),
    )


def _people_and_addresses() -> None:
    op.create_table(
        "users",
        *_seen(),
        _text("email", 254),
        _text("key", 254, unique=True),
        _text("name", 200),
        _choice("role", ("admin", "user")),
        *_switched(),
        sa.Column("deleted_at", TIME),
    )
    op.create_table(
        "mailboxes",
        *_seen(),
        _link("owner_id", "users.id", "RESTRICT"),
        _text("address", 254),
        _text("key", 254),
        _text("domain", 253, index=True),
        sa.Column("verified_at", TIME),
        *_switched(),
        sa.Column("deleted_at", TIME),
        sa.UniqueConstraint("owner_id", "key"),
    )
    op.create_table(
        "domains",
        *_seen(),
        _link("owner_id", "users.id", "RESTRICT", index=True),
        _text("name", 253, unique=True),
        _choice("when_off", WHEN_OFF),
        _choice("default_mode", MODES),
        _link("role_mailbox_id", "mailboxes.id", "SET NULL", nullable=True, index=True),
        _number("max_message_bytes", nullable=True),
        _text("extension_separator", 1, nullable=True),
        *_switched(),
        sa.Column("deleted_at", TIME),
    )
    op.create_table(
        "aliases",
        *_seen(),
        _link("domain_id", "domains.id", "RESTRICT"),
        _link("owner_id", "users.id", "RESTRICT", index=True),
        _text("local", 64),
        _choice("when_off", WHEN_OFF),
        _choice("mode", MODES),
        sa.Column("expires_at", TIME),
        _text("note", 1000),
        *_switched(),
        sa.Column("deleted_at", TIME),
        sa.UniqueConstraint("domain_id", "local"),
    )
    op.create_table(
        "alias_mailboxes",
        _link("alias_id", "aliases.id", "CASCADE", primary_key=True),
        _link("mailbox_id", "mailboxes.id", "RESTRICT", primary_key=True, index=True),
        _number("position"),
    )


def _rules() -> None:
    op.create_table(
        "automatics",
        *_seen(),
        _link("domain_id", "domains.id", "CASCADE"),
        _number("position"),
        _text("pattern", 200, nullable=True),
        _choice("mode", MODES),
        *_switched(),
    )
    op.create_index(op.f("ix_automatics_domain_id_position"), "automatics", ["domain_id", "position"])
    op.create_table(
        "automatic_mailboxes",
        _link("automatic_id", "automatics.id", "CASCADE", primary_key=True),
        _link("mailbox_id", "mailboxes.id", "RESTRICT", primary_key=True, index=True),
        _number("position"),
    )


def _records() -> None:
    op.create_table(
        "return_tokens",
        _text("token", 32, primary_key=True),
        _text("sender"),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("used_at", TIME, nullable=False, index=True),
    )
    op.create_table(
        "journal",
        *_seen(),
        sa.Column("at", TIME, nullable=False),
        _text("stage", 16),
        _text("queue_id", nullable=True),
        sa.Column("parent", sa.Uuid()),
        _text("client"),
        _text("reverse_path"),
        _text("message_id", nullable=True),
        _number("size"),
        _text("verdict", 16),
        _text("why"),
        _number("micros"),
    )
    for column in ("message_id", "queue_id", "reverse_path"):
        op.create_index(op.f(f"ix_journal_{column}_id"), "journal", [column, "id"])
    op.create_table(
        "journal_recipients",
        _link("journal_id", "journal.id", "CASCADE", primary_key=True),
        _number("position", primary_key=True),
        _text("recipient"),
        _text("key"),
        _link("alias_id", "aliases.id", "SET NULL", nullable=True, index=True),
        _text("decision", 16),
        sa.Column("targets", sa.JSON(), nullable=False),
        _text("why"),
    )
    op.create_index(op.f("ix_journal_recipients_key_journal_id"), "journal_recipients", ["key", "journal_id"])


TABLES = (
    "users",
    "mailboxes",
    "domains",
    "aliases",
    "alias_mailboxes",
    "automatics",
    "automatic_mailboxes",
    "return_tokens",
    "journal",
    "journal_recipients",
    "epoch",
    "audit",
)


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
