"""An index for each order in which an owner's aliases are listed, so that a page never sorts them all."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ORDERS = (("pinned", "id"), ("last_at", "id"), ("local", "id"), ("deleted_at", "id"))


def upgrade() -> None:
    for columns in ORDERS:
        op.create_index(op.f(f"ix_aliases_owner_id_{'_'.join(columns)}"), "aliases", ["owner_id", *columns])
    op.drop_index(op.f("ix_aliases_owner_id"), "aliases")


def downgrade() -> None:
    op.create_index(op.f("ix_aliases_owner_id"), "aliases", ["owner_id"])
    for columns in ORDERS:
        op.drop_index(op.f(f"ix_aliases_owner_id_{'_'.join(columns)}"), "aliases")
