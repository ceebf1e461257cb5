"""Signing keys, what owners want done where DMARC fails, what checks of DNS found, verdicts in the journal."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
ALGORITHMS = ("rsa-sha256", "ed25519-sha256")
ON_DMARC = "'refuse', 'hold', 'tag', 'deliver'"
CHOICES = {"on_reject": "refuse", "on_quarantine": "tag"}
RESULTS = ("spf", "dkim", "dmarc", "arc")


def upgrade() -> None:
    for name, default in CHOICES.items():
        # Written out: alembic would add the CHECK by itself, which SQLite cannot.
        op.execute(
            f"ALTER TABLE domains ADD COLUMN {name} VARCHAR(16) DEFAULT '{default}' NOT NULL"
            f" CONSTRAINT ck_domains_{name} CHECK ({name} IN ({ON_DMARC}))"
        )
    for name in RESULTS:
        op.add_column("journal", sa.Column(name, sa.String(16)))
    for name in ("authentication", "signed"):
        op.add_column("journal", sa.Column(name, sa.Text()))
    _keys()
    _checks()


def _keys() -> None:
    algorithm = sa.Enum(*ALGORITHMS, name="algorithm", native_enum=False, create_constraint=True, length=16)
    op.create_table(
        "signing_keys",
        sa.Column("id", ID, primary_key=True),
        sa.Column("uuid", sa.Uuid(), nullable=False, unique=True),
        sa.Column("domain_id", ID, sa.ForeignKey("domains.id", ondelete="RESTRICT"), nullable=False),
        sa.Column("selector", sa.String(63), nullable=False),
        sa.Column("algorithm", algorithm, nullable=False),
        sa.Column("private", sa.LargeBinary(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("seen_at", TIME),
        sa.Column("used_from", TIME),
        sa.Column("retired_at", TIME),
        sa.UniqueConstraint("domain_id", "selector"),
    )


def _checks() -> None:
    op.create_table(
        "domain_checks",
        sa.Column("subject", sa.String(253), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("expected", sa.Text(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("todo", sa.Text(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("checked_at", TIME, nullable=False),
        sa.Column("ok_at", TIME),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", TIME, nullable=False),
    )


def downgrade() -> None:
    for table in ("leases", "domain_checks", "signing_keys"):
        op.drop_table(table)
    for name in (*RESULTS, "authentication", "signed"):
        op.drop_column("journal", name)
    for name in CHOICES:
        op.drop_column("domains", name)
