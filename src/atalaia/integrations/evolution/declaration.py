"""What the host finds."""

from pathlib import Path

from atalaia.integrations.evolution.answers import Answers
from atalaia.integrations.evolution.api import EvolutionApi
from atalaia.integrations.evolution.channel import KIND, WhatsApp
from atalaia.integrations.evolution.connection import Connection
from atalaia.integrations.evolution.manifest import MANIFEST, NAME, TITLE
from atalaia.sdk.contribution import HealthItem, Loop
from atalaia.sdk.integration import Host, Offer
from atalaia.sdk.jobs import JobType
from atalaia.sdk.upstreams import UpstreamDeclaration


class Evolution:
    manifest = MANIFEST
    folder = Path(__file__).parent
    upstreams = (
        UpstreamDeclaration(
            name=NAME,
            title=TITLE,
            polling_interval_s=60.0,
            # It answers a message only when WhatsApp has; who hangs up before does not know what became of it.
            read_s=30.0,
            whole_s=40.0,
        ),
    )
    job_types: tuple[JobType, ...] = ()

    def setup(self, host: Host) -> Offer:
        api = EvolutionApi(host)
        connection = Connection(host, api)
        period_s = float(host.setting("ask_every_s"))
        return Offer(
            channels=(WhatsApp(api),),
            routes=Answers(host, kind=KIND).routes(),
            # Each hub asks for itself: it is its own /health that shows it.
            loops=(Loop("evolution-connection", period_s, connection.look, leader_only=False),),
            # The kept name of what the charging dashboard's users watch.
            health=(HealthItem("evolutionApi", connection.is_well, degrades=False),),
        )


integration = Evolution()
