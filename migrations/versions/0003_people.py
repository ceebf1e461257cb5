"""How people sign in, tags, what the journal amounts to, what administrators choose and announce."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BIG = sa.BigInteger()
TIME = sa.DateTime(timezone=True)
PURPOSES = ("admin", "invite", "verify", "reset", "mailbox")
NEW_COLUMNS = {
    "users": (
        sa.Column("password", sa.String(255)),
        sa.Column("totp", sa.LargeBinary()),
        sa.Column("totp_step", BIG),
        sa.Column("verified_at", TIME),
        sa.Column("signed_in_at", TIME),
        sa.Column("language", sa.String(16), nullable=False, server_default=""),
        sa.Column("welcome", sa.String(16), nullable=False, server_default=""),
    ),
    "domains": (sa.Column("proven_at", TIME),),
    "aliases": (
        sa.Column("pinned", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("last_at", TIME),
    ),
    "audit": (sa.Column("client", sa.String(64)),),
}
TABLES = (
    "web_sessions",
    "passkeys",
    "recovery_codes",
    "one_time_links",
    "api_keys",
    "announcements",
    "dismissals",
    "choices",
    "attempts",
    "tags",
    "alias_tags",
    "alias_days",
    "correspondents",
    "journal_positions",
)


def upgrade() -> None:
    for table, columns in NEW_COLUMNS.items():
        for column in columns:
            op.add_column(table, column)
    # Written out: alembic would add the CHECK by itself, which SQLite cannot.
    op.execute(
        "ALTER TABLE users ADD COLUMN theme VARCHAR(16) DEFAULT 'auto' NOT NULL"
        " CONSTRAINT ck_users_theme CHECK (theme IN ('auto', 'light', 'dark'))"
    )
    op.execute("UPDATE domains SET proven_at = created_at")  # by an operator's word
    op.create_index(op.f("ix_audit_actor"), "audit", ["actor"])
    _signing_in()
    _links_and_keys()
    _announcements()
    _tags()
    _tallies()


def _owned(name: str = "user_id", target: str = "users.id", **options: object) -> sa.Column[int]:
    return sa.Column(name, ID, sa.ForeignKey(target, ondelete="CASCADE"), **{"nullable": False, **options})


def _named() -> tuple[sa.Column[object], ...]:
    return sa.Column("id", ID, primary_key=True), sa.Column("uuid", sa.Uuid(), nullable=False, unique=True)


def _time(name: str, **options: object) -> sa.Column[object]:
    return sa.Column(name, TIME, **{"nullable": False, **options})


def _signing_in() -> None:
    op.create_table(
        "web_sessions",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("uuid", sa.Uuid(), nullable=False, unique=True),
        _owned(nullable=True, index=True),
        _time("created_at"),
        _time("seen_at", index=True),
        sa.Column("authenticated_at", TIME),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
    )
    op.create_table(
        "passkeys",
        *_named(),
        _owned(index=True),
        sa.Column("credential", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", BIG, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        _time("created_at"),
        sa.Column("used_at", TIME),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("id", ID, primary_key=True),
        _owned(index=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("used_at", TIME),
    )
    op.create_table(
        "attempts",
        sa.Column("id", ID, primary_key=True),
        _owned(),
        _time("at"),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
    )
    op.create_index(op.f("ix_attempts_user_id_at"), "attempts", ["user_id", "at"])


def _links_and_keys() -> None:
    op.create_table(
        "one_time_links",
        *_named(),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column(
            "purpose",
            sa.Enum(*PURPOSES, name="purpose", native_enum=False, create_constraint=True, length=16),
            nullable=False,
            index=True,
        ),
        _owned(nullable=True, index=True),
        _owned("mailbox_id", "mailboxes.id", nullable=True, index=True),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column(
            "role",
            sa.Enum("admin", "user", name="role", native_enum=False, create_constraint=True, length=16),
            nullable=False,
        ),
        sa.Column("created_by", sa.Text(), nullable=False),
        _time("created_at"),
        _time("expires_at", index=True),
        sa.Column("used_at", TIME),
    )
    op.create_table(
        "api_keys",
        *_named(),
        _owned(index=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("tail", sa.String(8), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        _time("created_at"),
        sa.Column("expires_at", TIME),
        sa.Column("used_at", TIME),
        sa.Column("revoked_at", TIME),
    )


def _announcements() -> None:
    op.create_table(
        "announcements",
        *_named(),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        _time("shown_from"),
        sa.Column("shown_until", TIME),
        _time("created_at"),
    )
    op.create_table(
        "dismissals",
        _owned("announcement_id", "announcements.id", primary_key=True),
        _owned(primary_key=True, index=True),
    )
    op.create_table(
        "choices",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("value", sa.JSON(), nullable=False),
    )


def _tags() -> None:
    op.create_table(
        "tags",
        *_named(),
        _owned("owner_id"),
        sa.Column("name", sa.String(40), nullable=False),
        sa.UniqueConstraint("owner_id", "name"),
    )
    op.create_table(
        "alias_tags",
        _owned("alias_id", "aliases.id", primary_key=True),
        _owned("tag_id", "tags.id", primary_key=True, index=True),
    )


def _tallies() -> None:
    op.create_table(
        "alias_days",
        _owned("alias_id", "aliases.id", primary_key=True),
        sa.Column("day", sa.Date(), primary_key=True),
        _owned("owner_id"),
        *(sa.Column(name, BIG, nullable=False) for name in ("forwarded", "refused", "held", "bounced")),
    )
    op.create_index(op.f("ix_alias_days_owner_id_day"), "alias_days", ["owner_id", "day"])
    op.create_table(
        "correspondents",
        _owned("alias_id", "aliases.id", primary_key=True),
        sa.Column("address", sa.String(254), primary_key=True),
        *(sa.Column(name, BIG, nullable=False) for name in ("forwarded", "refused")),
        _time("first_at"),
        _time("last_at"),
    )
    op.create_index(op.f("ix_correspondents_alias_id_last_at"), "correspondents", ["alias_id", "last_at"])
    op.create_table(
        "journal_positions",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("journal_id", BIG, nullable=False),
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_index(op.f("ix_audit_actor"), "audit")
    op.drop_column("users", "theme")
    for table, columns in NEW_COLUMNS.items():
        for column in columns:
            op.drop_column(table, column.name)
