"""The labels of every job we make: known before it is, so that it can be found without its name."""

from typing import Final

LABEL: Final = "overnight-job"
STUDY_LABEL: Final = "overnight-study"
