"""Names for new aliases: easy to read out, and not to be guessed by whoever tries names.

A guess is one question to a mail server. The weakest of these (`site`, where the site is known) leaves 31 ** 4, a
million guesses, for one address that gives away nothing but itself; `words` leaves some 2 ** 35.
"""

import re
import secrets
from urllib.parse import urlsplit
from uuid import uuid4

# Letters and digits that are not taken for each other, in print or read out.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
CHARACTERS = 10
TAIL = 4
MOST_SITE = 24  # characters of a site's name

_QUALITIES = """
able agile alpine amber ample azure balmy bold brave breezy bright brisk calm candid chilly civic clean clear clever
coastal cobalt coral cosmic cosy crisp curly daily dapper deep deft dry dusty eager early earnest east easy elder
emerald fair famous fancy fast fine firm flint fleet fond frank free fresh frosty gentle giant glad golden grand great
green handy happy hardy hazel hearty hidden hollow honest humble icy idle indigo inner ivory jade jolly keen kind
large late lean light lilac linen little lively loyal lucid lucky lunar maple marble mellow merry mighty mild misty
modest mossy narrow neat new nimble noble north oaken ochre olive open opal outer pale patient pearl plain plucky
polar polite prime proud quick quiet rapid rare ready regal rosy round royal ruby rural russet sandy scarlet serene
sharp shiny silent silver simple sleek slow smart smooth snowy sober solar solid sound south spare spry stable steady
still stout sturdy subtle sunny swift tall teal tender tidy tiny topaz tranquil true upper urban vast velvet violet
vivid warm wary west white wide wild windy wise witty young zesty
"""
_THINGS = """
acorn alder anchor anvil apple arbor arch aspen atlas badger banner barley basin beacon beech bell birch bison bloom
boat bough breeze bridge brook cabin canal candle canoe canyon cape castle cedar chalk chapel cherry cliff clock cloud
clover coast comet compass copper corner cove crane creek crow crown curlew daisy dawn deer delta desk dove drum dune
eagle easel echo elm ember falcon fern field finch fjord flame flute forest fountain fox garden gate geyser glade glen
grove gull harbor harp hawk hazel heath hedge heron hill horizon island ivy jasmine jetty juniper kayak kettle kite
lagoon lake lamp lantern lark laurel leaf ledge lemon lily linden lotus lynx magpie maple marsh meadow mill mint moon
moor moss mountain nest north oak oasis ocean olive orchard orchid otter owl palm paper path pebble pepper perch pier
pigeon pine plain planet plum pond poplar poppy port quail quarry quartz quill rain raven reed reef ridge river robin
rock rose sail sand seal shell shore sky snow spring spruce star stone stork storm stream summit swallow swan table
thistle tide tiger timber topaz tower trail tulip valley vine wagon walnut water wave wharf wheat willow wind wolf
wood wren yard
"""
QUALITIES, THINGS = tuple(_QUALITIES.split()), tuple(_THINGS.split())


def words() -> str:
    """Such as brisk-otter-7f3k."""
    return f"{secrets.choice(QUALITIES)}-{secrets.choice(THINGS)}-{_tail()}"


def characters() -> str:
    """Such as k7wqn2xpfd."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CHARACTERS))


def uuid() -> str:
    """A random UUID."""
    return str(uuid4())


def site(text: str) -> str:
    """Such as bookshop-7f3k, of a website's address or name, however it is written; "" if there is no name in it."""
    name = site_name(text)
    return f"{name}-{_tail()}" if name else ""


def site_name(text: str) -> str:
    """What a website is called: the label before its suffix, without what is no letter or digit."""
    text = text.strip()[:500]
    try:
        host = (urlsplit(text if "//" in text else f"//{text}").hostname or "") if "." in text or "//" in text else text
    except ValueError:  # brackets that are no address
        return ""
    labels = [label for label in host.lower().split(".") if label]
    if (
        labels
        and labels[0] in ("www", "m", "mobile", "app", "login", "account", "accounts", "shop", "my")
        and labels[2:]
    ):
        del labels[0]
    if len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3:  # co.uk and its like
        del labels[-1]
    chosen = labels[-2] if len(labels) > 1 else "".join(labels)
    return re.sub(r"[^a-z0-9]+", "-", chosen).strip("-")[:MOST_SITE].strip("-")


def _tail() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(TAIL))
