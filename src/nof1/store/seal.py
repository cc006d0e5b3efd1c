"""Sealing and opening with age: to a custodian's public key, or to a passphrase. Keys never touch the study folder."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nof1.errors import InputMissingError, NotAllowedError, ReadError, TamperedError, UsageError
from nof1.store.folder import create_private_file
from nof1.trial.blinding import CustodianRole

PASSPHRASE: Final = "passphrase"  # noqa: S105 — the word, not one
"""What stands in place of a public key where the custodian chose a passphrase."""
PADDED_TO: Final = 2**14
SHORTEST_PASSPHRASE: Final = 12


@dataclass(frozen=True, slots=True)
class Custodian:
    """To whom an allocation is sealed: the owner of a public key, or whoever knows a passphrase.

    Parameters
    ----------
    role
        Who that is; None: not said.

    Raises
    ------
    UsageError
        Neither or both are given, or the key or the passphrase cannot be used.
    """

    public_key: str | None = None
    passphrase: str | None = None
    role: CustodianRole | None = None

    def __post_init__(self) -> None:
        if (self.public_key is None) == (self.passphrase is None):
            raise UsageError(
                "Seal to the custodian's public key (--custodian age1...) or to a passphrase, not to both."
            )
        if self.passphrase is not None and len(self.passphrase) < SHORTEST_PASSPHRASE:
            raise UsageError(
                f"A passphrase of fewer than {SHORTEST_PASSPHRASE} letters can be guessed: take four words."
            )
        if self.public_key is not None:
            _recipient(self.public_key)

    @property
    def name(self) -> str:
        """What the record says of the custodian: the public key, or `PASSPHRASE`."""
        return self.public_key or PASSPHRASE


@dataclass(frozen=True, slots=True)
class Key:
    """What opens a seal: the custodian's key file, or the passphrase."""

    file: Path | None = None
    passphrase: str | None = None


def new_key(path: Path) -> str:
    """Make a custodian's key file, readable by its owner alone, and give the public key that belongs to it.

    Raises
    ------
    WriteError
        The file exists or cannot be made.
    """
    from pyrage import x25519

    identity = x25519.Identity.generate()
    create_private_file(path)
    path.write_text(f"# public key: {identity.to_public()}\n{identity}\n", encoding="ascii")
    return str(identity.to_public())


def seal(text: bytes, custodian: Custodian) -> str:
    """Encrypt, and give the ciphertext in base64, padded: age itself varies the length of its header at random."""
    import pyrage

    if custodian.public_key is not None:
        sealed = pyrage.encrypt(text, [_recipient(custodian.public_key)])
    else:
        sealed = pyrage.passphrase.encrypt(text, custodian.passphrase)
    encoded = base64.b64encode(sealed).decode("ascii")
    return encoded.ljust(-(-len(encoded) // PADDED_TO) * PADDED_TO)


def unseal(ciphertext: str, key: Key) -> bytes:
    """Decrypt what `seal` encrypted.

    Raises
    ------
    NotAllowedError
        The key or the passphrase does not open it.
    TamperedError
        It is not what `seal` wrote.
    UsageError
        Neither a key nor a passphrase is given, or the file holds no key.
    InputMissingError, ReadError
        The key file is not there, or cannot be read.
    """
    import pyrage

    try:
        sealed = base64.b64decode(ciphertext)
        if key.file is not None:
            return bytes(pyrage.decrypt(sealed, _identities(key.file)))
        if key.passphrase is not None:
            return bytes(pyrage.passphrase.decrypt(sealed, key.passphrase))
    except pyrage.DecryptError as error:
        raise NotAllowedError(
            "This key does not open the seal. Ask the custodian who was named at the start."
        ) from error
    except ValueError as error:
        raise TamperedError(f"The sealed allocation is damaged: {error}. Restore the study from a copy.") from error
    raise UsageError("Opening the seal needs the custodian's key file (--key FILE) or the passphrase.")


def _recipient(public_key: str):  # type: ignore[no-untyped-def]
    import pyrage

    try:
        return pyrage.x25519.Recipient.from_str(public_key.strip())
    except pyrage.RecipientError as error:
        raise UsageError(
            f"{public_key[:80]!r} is not a whole age public key: age1 and 58 more characters, as nof1 keygen prints it."
        ) from error


def _identities(path: Path):  # type: ignore[no-untyped-def]
    import pyrage

    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError as error:
        raise InputMissingError(f"There is no key at {path}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"{path} cannot be read as a key file: {error}.") from error
    try:
        keys = [pyrage.x25519.Identity.from_str(line.strip()) for line in lines if line.startswith("AGE-SECRET-KEY-")]
    except pyrage.IdentityError as error:
        raise UsageError(f"{path} holds a damaged key: {error}.") from error
    if not keys:
        raise UsageError(f"{path} holds no age key (a line that begins with AGE-SECRET-KEY-).")
    return keys
