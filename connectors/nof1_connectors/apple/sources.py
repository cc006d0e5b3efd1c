"""Who wrote a sample: the app or product, without the person whose name the phone carries.

Apple calls a source by the name of the device, as in "Anna’s Apple Watch", or by the app's. People rename devices; what
one is stands in the attribute `device`. A name that nof1 does not know may be a person's, so that a few letters of its
hash stand for it.
"""

import hashlib
import html
import re
import unicodedata
from functools import lru_cache
from typing import Final

PRODUCTS: Final = ("Apple Watch", "iPhone", "iPad")
"""What stands for a device whatever else its name says."""

APPS: Final = frozenset(
    {
        "Athlytic",
        "AutoSleep",
        "Beddit",
        "BetterSleep",
        "Bevel",
        "Clock",
        "Connect",
        "COROS",
        "Eight Sleep",
        "Emfit",
        "Fitbit",
        "Garmin Connect",
        "Health",
        "Health Mate",
        "Health Sync",
        "HUAWEI Health",
        "Mi Fitness",
        "NapBot",
        "Oura",
        "Pillow",
        "Polar Flow",
        "RingConn",
        "ShutEye",
        "Sleep Cycle",
        "Sleep Meister",
        "Sleep Number",
        "Sleep Tracker",
        "Sleep++",
        "SleepScore",
        "SleepWatch",
        "Suunto",
        "Ultrahuman",
        "WHOOP",
        "Withings",
        "Zepp",
        "Zepp Life",
    }
)
"""Apps that write sleep, by the whole name that Apple shows: none can be a person's."""

HIDDEN: Final = "source-"

_APP: Final = {name.casefold(): name for name in APPS}
_DASHES: Final = str.maketrans("‐‑‒–—−", "------")
_QUOTES: Final = str.maketrans("‘’‛ʼ＇", "'''''")
_HARDWARE: Final = re.compile(r"\bhardware:\s*(\w{1,30}(?:,\d{1,3})?)")
_SOFTWARE: Final = re.compile(r"\bsoftware:\s*([\w.]{1,30})")
_MADE_BY_APPLE: Final = re.compile(r"\bmanufacturer:\s*Apple\b")
_FAMILY: Final = {"Watch": "Apple Watch", "iPhone": "iPhone", "iPad": "iPad"}


@lru_cache(maxsize=1024)
def source_of(called: str) -> str:
    """Name a source by its product or app; `HIDDEN` and six letters of a hash where neither is known.

    Parameters
    ----------
    called
        Its name as `plain` gives it.
    """
    name = called.casefold()
    product = next((product for product in PRODUCTS if product.casefold() in name), None)
    return product or _APP.get(name) or HIDDEN + hashlib.sha256(name.encode()).hexdigest()[:6]


@lru_cache(maxsize=1024)
def plain(said: bytes) -> str:
    """Read a name with plain spaces, dashes and apostrophes, and without characters that cannot be seen."""
    name = unicodedata.normalize("NFKC", html.unescape(said.decode("utf-8", "replace")))
    spaced = " ".join(name.translate(_DASHES).translate(_QUOTES).split())
    return "".join(letter for letter in spaced if letter.isprintable())


@lru_cache(maxsize=1024)
def hardware_of(said: bytes) -> str | None:
    """The model in the attribute `device`, such as `Watch6,1`; the rest of it names an address in memory."""
    found = _HARDWARE.search(html.unescape(said.decode("utf-8", "replace")))
    return found[1] if found else None


@lru_cache(maxsize=1024)
def product_of(device: bytes, version: bytes) -> str | None:
    """Name the product whose own system wrote a sample; None where an app wrote it, or where nobody can tell.

    A device writes with the version of its system, an app with its own: ``sourceVersion`` 9.1 beside ``software:9.1``
    is the watch itself, whatever it is called; ``sourceVersion`` 50 beside ``software:11.0`` is an app on a phone.

    Parameters
    ----------
    device, version
        The attributes ``device`` and ``sourceVersion``.
    """
    told = html.unescape(device.decode("utf-8", "replace"))
    software, hardware = _SOFTWARE.search(told), hardware_of(device)
    if software is None or hardware is None or not _MADE_BY_APPLE.search(told):
        return None
    own = software[1] == version.decode("utf-8", "replace").strip()
    return _FAMILY.get(hardware.rstrip("0123456789,")) if own else None
