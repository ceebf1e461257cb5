"""The settings: one typed schema, read once at start, refused as a whole with the names of all bad keys.

Sources, later wins: the TOML file (`--config`, else `$SMTPY_CONFIG`, else /etc/smtpy/smtpy.toml if it is there), the
environment `SMTPY_<KEY>`, the file named by `SMTPY_<KEY>_FILE`. What is empty in the environment is not there. In the
TOML any key may be written as `<key>_file = "path"` too, relative to the TOML file. Files are read as text and
stripped; lists in the environment and in files are separated by white space.

`schema` has the settings, `kinds` how their values are read, `sources` where they come from,
`reference` what manuals say of them.

There are no default secrets. What a message of this module says never contains a value, only names and rules.
"""

from smtpy.config.schema import BadSettings, Settings, judge
from smtpy.config.sources import DEFAULT_FILE, SECRETS, gather, load

__all__ = ["DEFAULT_FILE", "SECRETS", "BadSettings", "Settings", "gather", "judge", "load"]
