"""The whole result in the few lines that ``nof1 analyse`` prints; the page says the same words."""

from nof1.report import alternatives, cautions, sentences
from nof1.report.sentences import Json


def lines(result: Json) -> list[str]:
    """Say every outcome, what would change its verdict, both together, the doses, the key, and the cautions."""
    said: list[str] = []
    arms, blinding = result["arms"], result["blinding"]
    for place, outcome in enumerate(result["outcomes"]):
        said += sentences.finding(outcome, arms, blinding=blinding)
        also = (
            alternatives.what_would_change(outcome, arms, blinding=blinding),
            sentences.randomisation(outcome, arms),
            alternatives.best_arm(result["outcomes"], place),
        )
        said += [told for told in also if told]
    said += alternatives.both_better(result)
    taken = cautions.doses(result)
    return [*said, *([taken] if taken else []), sentences.key(arms), *cautions.cautions(result), sentences.DISCLAIMER]
