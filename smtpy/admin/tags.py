"""Tags: words by which an owner finds aliases again. One that no alias bears any more is not shown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from smtpy.admin import read
from smtpy.admin.change import Change
from smtpy.admin.refusals import Invalid
from smtpy.admin.scope import owned
from smtpy.store.schema import Alias, AliasTag, Tag

MOST = 20  # tags of one alias
SHOWN = 100  # tags in a list


@dataclass(frozen=True, slots=True)
class TagView:
    """A tag, and how many aliases that are not in the trash bear it."""

    name: str
    aliases: int


def page(session: Session, limit: int = SHOWN) -> tuple[TagView, ...]:
    """The tags of an owner that aliases bear, by name."""
    bearing = select(Tag.name, func.count()).join(AliasTag, AliasTag.tag_id == Tag.id)
    bearing = bearing.join(Alias, Alias.id == AliasTag.alias_id).where(Alias.deleted_at.is_(None))
    bearing = bearing.where(owned(session, Tag.owner_id)).group_by(Tag.name).order_by(Tag.name).limit(limit)
    return tuple(TagView(*row) for row in session.execute(bearing))


def names(session: Session, limit: int = SHOWN) -> tuple[str, ...]:
    """The same by name alone: however many bear a tag, one is enough."""
    living = select(AliasTag.alias_id).join(Alias, Alias.id == AliasTag.alias_id)
    living = living.where(AliasTag.tag_id == Tag.id, Alias.deleted_at.is_(None)).correlate(Tag)
    borne = living.limit(1).scalar_subquery().is_not(None)  # not EXISTS, for which PostgreSQL reads them all
    return tuple(
        session.scalars(select(Tag.name).where(owned(session, Tag.owner_id), borne).order_by(Tag.name).limit(limit))
    )


def borne(session: Session, alias_ids: Iterable[int]) -> Mapping[int, tuple[str, ...]]:
    """The tags of each of these aliases, by name."""
    found: dict[int, tuple[str, ...]] = dict.fromkeys(alias_ids, ())
    chosen = select(AliasTag.alias_id, Tag.name).join(Tag, Tag.id == AliasTag.tag_id)
    for alias_id, name in session.execute(chosen.where(AliasTag.alias_id.in_(found)).order_by(Tag.name)):
        found[alias_id] += (name,)
    return found


def bear(c: Change, row: Alias, names: Sequence[str]) -> None:
    """Have the alias bear these tags and no others. Raises Invalid."""
    wanted = {read.tag(name) for name in names}
    if len(wanted) > MOST:
        raise Invalid("tags", f"An alias bears {MOST} tags at most. Take one away.")
    known = select(Tag).where(Tag.owner_id == row.owner_id, Tag.name.in_(wanted))
    there = {tag.name: tag for tag in c.session.scalars(known)}
    made = [Tag(owner_id=row.owner_id, name=name) for name in sorted(wanted - there.keys())]
    c.session.add_all(made)
    c.session.flush()
    c.session.execute(delete(AliasTag).where(AliasTag.alias_id == row.id))
    c.session.add_all(AliasTag(alias_id=row.id, tag_id=tag.id) for tag in (*there.values(), *made))
    c.session.flush()
