"""What the host finds."""

from pathlib import Path

from atalaia.core.translations import N_
from atalaia.integrations.cvepro.cloud.login import TOKEN_LIFE_S, log_in
from atalaia.integrations.cvepro.manifest import LIVE, MANIFEST, NAME, POLL_S, TITLE
from atalaia.integrations.cvepro.model import reports
from atalaia.sdk.integration import Host, Offer
from atalaia.sdk.jobs import JobType, run_of_offer
from atalaia.sdk.upstreams import UpstreamDeclaration


class CvePro:
    manifest = MANIFEST
    folder = Path(__file__).parent
    upstreams = (
        UpstreamDeclaration(
            name=NAME,
            title=TITLE,
            login=log_in,
            token_life_s=TOKEN_LIFE_S,
            polling_interval_s=POLL_S,
            polling_setting="poll_s",
            is_told_by_integration=True,
            connect_s=5.0,
            read_s=15.0,
            whole_s=30.0,  # up to three tries within it
        ),
        UpstreamDeclaration(
            name=LIVE,
            title=f"{TITLE}, live",
            polling_interval_s=POLL_S,
            polling_setting="poll_s",
            is_told_by_integration=True,
        ),
    )
    job_types = (
        JobType(
            name=reports.JOB,
            title=N_("Make the reports of a month"),
            payload=reports.ReportOrder,
            run=run_of_offer,
            runs_on="hub",
            whole_s=600.0,
            concurrency_key=reports.month_key,
        ),
    )

    def setup(self, host: Host) -> Offer:
        # Late: a worker finds this module too, and has no database.
        from atalaia.integrations.cvepro.wiring import Wiring

        return Wiring(host).offer()


integration = CvePro()
