"""Whether a bucket lies where a job runs (switch `bucket_region`)."""

from typing import Final

from overnight.localcloud.values import JsonObject

_MULTI: Final = {"US": "us-", "EU": "europe-", "ASIA": "asia-"}


def buckets_of(resource: JsonObject) -> list[str]:
    """Buckets of input and output, each once."""
    uris = [
        *resource["inputConfig"]["gcsSource"]["uris"],
        resource["outputConfig"]["gcsDestination"]["outputUriPrefix"],
    ]
    return list(dict.fromkeys(str(uri).removeprefix("gs://").partition("/")[0] for uri in uris))


def check_regions(location: str, bucket_locations: dict[str, str]) -> str:
    """The job's error when a bucket lies elsewhere (facts 9.2, pa#4112 [U]); nothing when all is well."""
    for place in bucket_locations.values():
        inside = location.startswith(_MULTI.get(place, "\0"))
        around = place.lower().startswith(_MULTI.get(location.upper(), "\0"))
        if location != "global" and place.lower() != location and not inside and not around:
            dataset = "local-tp:llm_bp_tenant_dataset_0"
            return f"Failed to import data. Not found: Dataset {dataset} was not found in location {place}"
    return ""
