"""What the audit log calls what is done here."""

from typing import Final

from atalaia.core.translations import N_

AUDIT_WORDS: Final = {
    "job.cancelled": N_("Job cancelled"),
    "job.restarted": N_("Job started again"),
    "job.confirmed": N_("Job confirmed as done"),
    "jobs.restarted": N_("Jobs started again"),
    "worker.drained": N_("Worker drained"),
    "worker.resumed": N_("Worker takes jobs again"),
    "job_limit.set": N_("Limit of jobs set"),
    "job_limit.dropped": N_("Limit of jobs dropped"),
}
