"""What a release knows of the database, asked of its own Python: `RELEASE/bin/python - [REVISION] <schema.py`.

Prints three words: `known`, or `ahead` if the database is at a revision that this release has never heard of; the
revision of the database; that of the release. With REVISION it takes the schema back to that one first. Settings are
those of `smtpy`, so it wants to be root.
"""

import os
import sys

from smtpy.config import load
from smtpy.store.engine import open_engine
from smtpy.store.migrate import current, downgrade, head, knows

engine = open_engine(load(None, os.environ).database_url)
if len(sys.argv) > 1:
    downgrade(engine, sys.argv[1])
there = current(engine)
sys.stdout.write(f"{'known' if there is None or knows(there) else 'ahead'} {there} {head()}\n")
