"""Does this treatment work for me? Randomised N-of-1 sleep trials from a wearable's own export.

The public API, without the command line; `examples/` shows a whole trial. Names load when they are used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nof1.errors import Nof1Error
    from nof1.model.estimate import Estimate
    from nof1.sleep.assembly import assemble_nights
    from nof1.sleep.measures import MEASURES
    from nof1.study.analysis import Analysis, analyse
    from nof1.study.diaries import Tonight, log_night, tonight
    from nof1.study.import_summary import ImportSummary
    from nof1.study.imports import import_exports, list_imports, preview_exports, retract_import
    from nof1.study.nights import read_nights
    from nof1.study.pages import write_report
    from nof1.study.plan import Plan, plan
    from nof1.study.protocols import list_protocols, load_protocol
    from nof1.study.status import TrialStatus, trial_status
    from nof1.study.study import Study, create_study, open_study
    from nof1.study.trials import Trial, start_trial
    from nof1.study.verification import Verified, verify
    from nof1.trial.protocol import Protocol, parse_protocol

_HOMES = {
    "Analysis": "nof1.study.analysis",
    "Estimate": "nof1.model.estimate",
    "ImportSummary": "nof1.study.import_summary",
    "MEASURES": "nof1.sleep.measures",
    "Nof1Error": "nof1.errors",
    "Plan": "nof1.study.plan",
    "Protocol": "nof1.trial.protocol",
    "Study": "nof1.study.study",
    "Tonight": "nof1.study.diaries",
    "Trial": "nof1.study.trials",
    "TrialStatus": "nof1.study.status",
    "Verified": "nof1.study.verification",
    "analyse": "nof1.study.analysis",
    "assemble_nights": "nof1.sleep.assembly",
    "create_study": "nof1.study.study",
    "import_exports": "nof1.study.imports",
    "list_imports": "nof1.study.imports",
    "list_protocols": "nof1.study.protocols",
    "load_protocol": "nof1.study.protocols",
    "log_night": "nof1.study.diaries",
    "open_study": "nof1.study.study",
    "parse_protocol": "nof1.trial.protocol",
    "plan": "nof1.study.plan",
    "preview_exports": "nof1.study.imports",
    "read_nights": "nof1.study.nights",
    "retract_import": "nof1.study.imports",
    "start_trial": "nof1.study.trials",
    "tonight": "nof1.study.diaries",
    "trial_status": "nof1.study.status",
    "verify": "nof1.study.verification",
    "write_report": "nof1.study.pages",
}

__all__ = [
    "MEASURES",
    "Analysis",
    "Estimate",
    "ImportSummary",
    "Nof1Error",
    "Plan",
    "Protocol",
    "Study",
    "Tonight",
    "Trial",
    "TrialStatus",
    "Verified",
    "analyse",
    "assemble_nights",
    "create_study",
    "import_exports",
    "list_imports",
    "list_protocols",
    "load_protocol",
    "log_night",
    "open_study",
    "parse_protocol",
    "plan",
    "preview_exports",
    "read_nights",
    "retract_import",
    "start_trial",
    "tonight",
    "trial_status",
    "verify",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nof1' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
