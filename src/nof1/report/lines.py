"""The whole result in the few lines that ``nof1 analyse`` prints; the page says the same words."""

from nof1.report import alternatives, cautions, contrasts, sentences
from nof1.report.sentences import Json


def lines(result: Json) -> list[str]:
    """Say every outcome, what would change its verdict, both together, the doses, the key, and the cautions."""
    said: list[str] = []
    arms, blinding, outcomes = result["arms"], result["blinding"], result["outcomes"]
    for alike in contrasts.grouped(outcomes):
        each, shared = contrasts.findings(alike, arms, blinding=blinding)
        for headline, own in each:
            said += [headline, *own]
        said += shared
        said += contrasts.once(alike, [sentences.randomisation(one, arms) for one in alike])
        said += [told] if (told := alternatives.best_arm(outcomes, outcomes.index(alike[-1]))) else []
    said += alternatives.both_better(result)
    taken = cautions.doses(result)
    return [*said, *([taken] if taken else []), sentences.key(arms), *cautions.cautions(result), sentences.DISCLAIMER]
