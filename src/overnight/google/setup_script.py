"""The commands that make a Google Cloud project ready for one study: `overnight check --print-setup`.

Only commands that exist; there is no `gcloud ai batch-prediction-jobs` (facts 1.6). They are printed for
a person to read and run, never run from here.
"""

from shlex import quote

from overnight.google.locations import fitting_bucket_location

_SCRIPT = """\
# Google Cloud for the study {study}: lines for a POSIX shell (the Cloud Shell in the browser is one).
# Read them first: each may be run again without harm, except that a bucket can be made only once.
# Before: a project with a billing account, https://console.cloud.google.com/billing/projects

# 1. The APIs.
gcloud services enable aiplatform.googleapis.com storage.googleapis.com --project={project}

# 2. A bucket for requests and answers: {why_there}
#    Nothing in it can be made public; deleted files are not kept and billed for another week.
gcloud storage buckets create {bucket_url} --project={project} --location={bucket_location} \\
  --uniform-bucket-level-access --public-access-prevention --soft-delete-duration=0

# 3. Google's service agent reads the requests from it and writes the answers to it.
gcloud beta services identity create --service=aiplatform.googleapis.com --project={project}
PROJECT_NUMBER=$(gcloud projects describe {project} --format='value(projectNumber)')
gcloud storage buckets add-iam-policy-binding {bucket_url} \\
  --member="serviceAccount:service-${{PROJECT_NUMBER}}@gcp-sa-aiplatform.iam.gserviceaccount.com" \\
  --role=roles/storage.objectUser

# 4. You: not needed if you own the project and the bucket.
ME=$(gcloud config get-value account)
gcloud projects add-iam-policy-binding {project} --member="user:${{ME}}" --role=roles/aiplatform.user --condition=None
gcloud projects add-iam-policy-binding {project} --member="user:${{ME}}" \\
  --role=roles/serviceusage.serviceUsageConsumer --condition=None
gcloud storage buckets add-iam-policy-binding {bucket_url} --member="user:${{ME}}" --role=roles/storage.objectUser
gcloud storage buckets add-iam-policy-binding {bucket_url} --member="user:${{ME}}" \\
  --role=roles/storage.legacyBucketReader

# 5. Standard credentials (ADC) on this machine; the quota project is the one that calls count against.
gcloud auth application-default login
gcloud auth application-default set-quota-project {project}

# Then: overnight check --cloud

# Afterwards, when the results are on your disk (run these by hand; they delete):
#   gcloud storage rm --recursive {folder_url}     # this folder, of all studies that use it
#   gcloud storage rm --recursive {bucket_url}     # the whole bucket, with everything in it
#   gcloud auth application-default revoke
"""


def setup_script(project: str, location: str, bucket: str, prefix: str = "", *, study: str = "") -> str:
    """Shell lines, quoted. bucket: the name alone. prefix: the folder in it, may be empty."""
    bucket_url = f"gs://{bucket}"
    folder = "/".join(part for part in (bucket_url, prefix.strip("/")) if part)
    return _SCRIPT.format(
        study=" ".join((study or "in this folder").split()),
        project=quote(project),
        bucket_url=quote(bucket_url),
        folder_url=quote(folder if prefix.strip("/") else f"{bucket_url}/**"),
        bucket_location=quote(fitting_bucket_location(location)),
        why_there=_why(location),
    )


def _why(location: str) -> str:
    if location == "global":
        return "in the US, as jobs in `global` give no choice of where they run (set `location` if that matters)."
    return "where the jobs run."
