"""The task `job`: a job, made in the transaction of the run's start, so that a slot or a signal makes exactly one."""

from atalaia.core.errors import AtalaiaError, InvalidField
from atalaia.core.permissions import SYSTEM
from atalaia.core.translations import N_
from atalaia.jobs.model.wire import JobIn
from atalaia.jobs.service.creating import Creating, NewJobSpec
from atalaia.sdk.transaction import Tx
from atalaia.signals.model.runs import Ending, Outcome
from atalaia.signals.model.signals import JOB, JobOptions, Options, read_options
from atalaia.signals.service.tasks import Started, Task

MADE = N_("job {job} made")


def job_task(creating: Creating) -> Task:
    def check(options: Options) -> None:
        if options.job is None:
            raise InvalidField("job", N_("the task job needs the job that it makes"))
        _spec(creating, options.job)

    def at_once(tx: Tx, started: Started) -> Ending:
        job = read_options(started.options).job
        if job is None:
            return Ending(Outcome.FAILED, error="it does not say which job")
        try:
            spec = _spec(creating, job)
        except AtalaiaError as error:  # its type takes another payload since an update
            return Ending(Outcome.FAILED, error=str(error))
        made = creating.create_in(tx, [spec], requester=SYSTEM.id)[0]
        return Ending(Outcome.SUCCEEDED, MADE, {"job": made.id})

    return Task(name=JOB, title=N_("Make a job"), at_once=at_once, check=check)


def _spec(creating: Creating, job: JobOptions) -> NewJobSpec:
    return creating.spec_of(
        JobIn(
            type=job.type,
            payload=job.payload,
            queue=job.queue,
            priority=job.priority,
            concurrency_key=job.concurrency_key,
        )
    )
