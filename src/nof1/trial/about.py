"""What a protocol says of itself and nobody can work out: why, where, who agreed, who pays, what comes after."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a reader of the protocol asks that no number of it answers. Each is a sentence or two in your own words.

    Parameters
    ----------
    background
        Why this treatment, for this person, and what is known of it.
    setting
        Care or research; at home, in a practice, in a clinic.
    eligibility
        The condition, what else is the matter, and who may not take part.
    concurrent_therapy
        Medicines and habits that go on during the trial, and what is not to be changed.
    justification
        Why so many periods, and why so long.
    washout_reason
        Why the transition and washout nights are as long as they are.
    data_handling
        Where the data are kept, and who may see them.
    ethics
        Approval, or why none is needed.
    consent
        How, and by whom, consent was asked for.
    results
        How, and when, the person is told the result.
    aftercare
        What happens after the last night, whatever the result.
    roles
        Who is responsible for what.
    registration
        Where the protocol is registered, and under which number.
    funding
        Who pays.
    interests
        Whoever has an interest in the result.
    """

    background: str | None = None
    setting: str | None = None
    eligibility: str | None = None
    concurrent_therapy: str | None = None
    justification: str | None = None
    washout_reason: str | None = None
    data_handling: str | None = None
    ethics: str | None = None
    consent: str | None = None
    results: str | None = None
    aftercare: str | None = None
    roles: str | None = None
    registration: str | None = None
    funding: str | None = None
    interests: str | None = None


NOTHING: Final = About()
"""What a protocol without this table says."""
