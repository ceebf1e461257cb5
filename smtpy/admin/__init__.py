"""One function per administrative act, through one door: `with change(engine, by=...) as c: aliases.add(c, ...)`."""
