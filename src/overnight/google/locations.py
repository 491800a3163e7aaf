"""Where a bucket should lie for a job's location. Rules of thumb: Google documents none for Gemini on Cloud Storage.

What is known: an import failed with "Dataset … was not found in location US" where bucket and job lay apart
(facts 9.2, pa#4112 [U]); the global endpoint gives no choice of where data is processed (6, [D]).
"""

from typing import Final

from overnight.google.endpoints import GLOBAL, MULTI_REGIONS

_CONTINENTS: Final = {"us": ("us-", "northamerica-"), "eu": ("europe-",)}


def fitting_bucket_location(location: str) -> str:
    """What a new bucket for jobs of this location should be given, in the spelling of `gcloud`."""
    if location == GLOBAL:
        return "US"  # the service's own tables for global jobs were seen there (facts 9.2, [L])
    return location.upper() if location in MULTI_REGIONS else location


def mismatch(job: str, bucket: str) -> str:
    """Why a bucket there may not serve jobs here, or an empty text. Both in lowercase."""
    if job == bucket or (job == GLOBAL and not is_european(bucket)):
        return ""
    if job == GLOBAL:
        return (
            f"the bucket is in {bucket}, and jobs in `global` may be processed anywhere: "
            "if the texts have to stay in Europe, this study does not keep them there"
        )
    if bucket in _CONTINENTS and job.startswith(_CONTINENTS[bucket]):
        return ""
    if job in _CONTINENTS and bucket.startswith(_CONTINENTS[job]):
        return ""
    return f"the bucket is in {bucket} and the jobs run in {job}: jobs have failed at import where the two lay apart"


def is_european(bucket: str) -> bool:
    return bucket in ("eu", "eur4", "eur5", "eur7", "eur8") or bucket.startswith("europe-")
