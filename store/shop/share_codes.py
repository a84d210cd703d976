"""Opening designs by their code, so that codes cannot be found by trying: misses count for the whole house together.

A miss is a code that opens nothing. Whoever holds a right code and never guessed is let in however many others guess,
and the owner of a design always is; who has missed before is answered alike, right or wrong, until the window has
passed, so that the answer tells nothing. (The counts are this process's own.)
"""

import ipaddress

from sqlmodel import Session

from configurator import codes
from store import auth, db
from store.errors import ShopError, not_found
from store.events import Visitor
from store.shop.designs import Design, owned_by

OWN = "60/hour"  # misses of one address
WHOLE = "600/hour"  # misses of all addresses together: one hit in 4,600 hours of guessing among 10,000 designs
ONCE = "1/hour"  # an address with so many misses is under the house's limit too


def opened(session: Session, code: str, visitor: Visitor, address: str) -> Design:
    """The design that a code opens for this visitor; case, blanks and hyphens in the code do not matter.

    Raises:
        ShopError: 404 no design has this code, 429 too many wrong codes came from there.
    """
    right = codes.normalise(code)
    design = db.find(session, Design, code=right) if right else None
    if design is not None and owned_by(design, visitor):
        return design
    asker = network(address)
    if auth.spent(OWN, "code-misses", asker) or (auth.spent(ONCE, "code-missed", asker) and auth.spent(WHOLE, "codes")):
        raise ShopError(429, "Too many tries", "Too many wrong codes were tried. Please wait an hour and try again.")
    if design is not None:
        return design
    auth.within(OWN, "code-misses", asker)
    if right is not None:  # what is not even shaped like a code could not have opened anything
        auth.within(ONCE, "code-missed", asker)
        auth.within(WHOLE, "codes")
    raise not_found("design")


def network(address: str) -> str:
    """Whose tries are counted together: an IPv4 address, or the network that one customer of a provider gets."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network(f"{found}/64", strict=False))
