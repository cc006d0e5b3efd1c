"""What an absent key of a protocol takes from other keys, and the worthwhile changes of a protocol that gives none."""

from itertools import combinations
from typing import Any, Final

from nof1.sleep.measures import MEASURES

DEFAULT_WORTHWHILE: Final = {"deep_min": 10.0, "sol_min": 10.0}
"""Device minutes, where the protocol gives no worthwhile change of its own. Deep sleep: no accepted MCID exists; 10 is
about half a within-person SD. Latency: the delivery-method threshold of Edinger 2021, Table 3 (PMC7853211)."""
DEFAULT_WORTHWHILE_RATIO: Final = {"sol_min": 0.80}
"""Used instead of minutes where the run-in median latency is 20 to 25 minutes."""


def fill_in(fields: dict[str, Any]) -> None:
    """Fill in what an absent key takes from other keys."""
    outcomes: tuple[dict[str, Any], ...] = fields.get("outcomes", ())
    roles_said = any("role" in outcome for outcome in outcomes)
    for place, outcome in enumerate(outcomes):
        name = outcome.get("measure")
        measure = MEASURES.get(name) if name else None
        outcome.setdefault("role", "secondary" if roles_said or place else "primary")
        if measure and measure.better:
            outcome.setdefault("better", measure.better)
        outcome.setdefault("worthwhile", DEFAULT_WORTHWHILE.get(name or ""))
        outcome.setdefault("worthwhile_ratio", DEFAULT_WORTHWHILE_RATIO.get(name or ""))
    marked = tuple(item["key"] for item in fields.get("diary", ()) if item.get("covariate") and "key" in item)
    if "analysis" in fields:
        fields["analysis"].setdefault("covariates", marked)
    if not fields.get("contrasts"):
        fields["contrasts"] = _contrasts(fields.get("arms", ()))


def _contrasts(arms: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
    """Compare each arm with the reference; where there is none, every pair, in the order of the arms."""
    codes = [arm["code"] for arm in arms if "code" in arm]
    references = [arm["code"] for arm in arms if arm.get("reference") and "code" in arm][:1]
    pairs = [(code, reference) for reference in references for code in codes if code != reference]
    return tuple({"arm": one, "reference": other} for one, other in pairs or combinations(codes, 2))
