"""The account is looked at before money is asked for: once for each place and model, before its first job.

A create is accepted although the bucket is missing or the service agent may not write there; the job fails later, at
worst after all its work was done and billed (facts 9.2 [L]).
"""

from overnight.core.events import Note, StepStarted
from overnight.core.realm import GOOGLE
from overnight.errors import CloudError
from overnight.run.world import World


def preflight(world: World) -> None:
    """Raises CloudError with everything that is wrong with the account; warnings are told. Costs nothing."""
    place = world.backend.place(world.ledger.uid, "preflight")
    here = (place.project, place.location, place.bucket, world.model.id)
    for shard in world.ledger.shards.all(GOOGLE):
        its = shard.place
        if shard.job_name and (its.project, its.location, its.bucket, shard.model) == here:
            return
    world.tell(StepStarted("preflight", f"project {place.project}, location {place.location}, gs://{place.bucket}"))
    findings = world.backend.preflight(world.model, _unheard)
    errors = [finding for finding in findings if finding.level == "error"]
    for finding in findings:
        if finding.level == "warning":
            world.tell(Note(str(finding), "warning"))
    if errors:
        things = "1 thing" if len(errors) == 1 else f"{len(errors)} things"
        raise CloudError(
            "\n".join([f"{things} to mend in the account before anything is sent:", *map(str, errors)]),
            hint="Nothing was uploaded or paid. `overnight check --cloud` looks again.",
        )


def _unheard(line: str) -> None:
    """What is well is shown by `check --cloud`; here only what is not."""
