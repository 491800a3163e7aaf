"""What faults ask about a call that only the stores know: whose job, which object."""

from dataclasses import dataclass

from overnight.localcloud.faults.scope import JobFacts
from overnight.localcloud.journal import Journal
from overnight.localcloud.storage.uploads import Uploads
from overnight.localcloud.vertex.jobs import JobStore


@dataclass(frozen=True, slots=True)
class StoreDirectory:
    jobs: JobStore
    uploads: Uploads
    journal: Journal

    def job_facts(self, job_id: str) -> JobFacts | None:
        found = self.jobs.look(job_id)
        return self.jobs.facts(found) if found else None

    def next_ordinal(self) -> int:
        return self.journal.ordinal("")

    def upload_place(self, upload_id: str) -> tuple[str, str]:
        return self.uploads.place(upload_id)
