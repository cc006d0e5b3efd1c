"""The plan on record: what a design was expected to tell, said before the draw."""

from nof1.errors import NotAllowedError
from nof1.report.plan import KeptPlan
from nof1.store.events import Record
from nof1.study.plan import Plan
from nof1.study.study import Study
from nof1.study.trials import Trial


def keep_plan(study: Study, planned: Plan, *, participant: str | None = None) -> None:
    """Put a plan on record, so that the report can say how the length of the trial was chosen.

    Raises
    ------
    NotAllowedError
        The participant's trial has begun: what is reckoned afterwards chose nothing.
    """
    told = planned.told
    payload = {
        "protocol_id": planned.protocol,
        "protocol_sha256": planned.protocol_sha256,
        "noise": planned.noise.source,
        "nights": planned.noise.nights,
        "effects": {
            name: {
                "effect": one.effect,
                "half_width": one.half_width,
                "verdicts": {verdict: share.share for verdict, share in one.verdicts.items()},
            }
            for name, one in told.by_effect.items()
        },
        "enough": told.enough
        and {"effect": told.enough.effect, "blocks": told.enough.blocks, "most": told.enough.most},
    }
    with study.record() as record, record.writing():
        person = study.participant(record, participant)
        if record.events("started_trial", participant=person.code):
            raise NotAllowedError(
                f"The trial of {person.code} has begun: a plan that is kept now did not choose its length. Leave out "
                "--keep to see what the design tells."
            )
        study.append(record, "planned", payload, command="plan", participant=person.code)


def read_kept_plan(record: Record, trial: Trial) -> KeptPlan | None:
    """The last plan of exactly the protocol that was registered; None where none was kept."""
    events = [
        event
        for event in record.events(participant=trial.participant.code)
        if event.kind == "planned" and event.payload["protocol_sha256"] == trial.protocol.sha256
    ]
    if not events:
        return None
    said = events[-1].payload
    return KeptPlan(
        on=events[-1].at[:10],
        noise=said["noise"],
        nights=said["nights"],
        effects=said["effects"],
        enough=said["enough"],
    )
