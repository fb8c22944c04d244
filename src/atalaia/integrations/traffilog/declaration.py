"""What the host finds."""

from pathlib import Path

from atalaia.core.translations import N_
from atalaia.integrations.traffilog import flows, payloads
from atalaia.integrations.traffilog.frames import built_in_templates
from atalaia.integrations.traffilog.login import MIN_TOKEN_LENGTH, TOKEN_LIFE_S, log_in
from atalaia.integrations.traffilog.manifest import MANIFEST, NAME, WORKER_SETTINGS
from atalaia.integrations.traffilog.routes import Routes
from atalaia.sdk.integration import Host, Offer
from atalaia.sdk.jobs import FormField, JobType
from atalaia.sdk.upstreams import UpstreamDeclaration

_CLIENT = (
    FormField("clientId", N_("Client's id"), kind="number"),
    FormField("clientName", N_("Client's name")),
    FormField("vehicleId", N_("Vehicle's id"), kind="number"),
)
_SETTING = FormField("vehicleSettingId", N_("Setting's id"), kind="number")
_COMMENT = FormField("comment", N_("Comment"), N_("It shows in the third party's own history."), kind="textarea")


FRAME_VARIABLES = (
    "client_id",
    "client_name",
    "vehicle_id",
    "vehicle_setting_id",
    "process_id",
    "comment",
    "command_syntax",
    "object_type",
    "action_id",
)


class Traffilog:
    manifest = MANIFEST
    folder = Path(__file__).parent
    upstreams = (
        UpstreamDeclaration(
            name=NAME,
            title="Traffilog",
            login=log_in,
            token_life_s=TOKEN_LIFE_S,
            min_token_length=MIN_TOKEN_LENGTH,
            token_markers=("session", "token"),
            frame_variables=FRAME_VARIABLES,
            built_in_frames=built_in_templates,
        ),
    )
    job_types = (
        JobType(
            name="scheme_builder",
            title=N_("Assign a setting"),
            payload=payloads.SchemeBuilder,
            run=flows.run_scheme_builder,
            resolve=flows.resolve_execution,
            concurrency_key=payloads.client_key,
            upstream=NAME,
            settings=WORKER_SETTINGS,
            form=(*_CLIENT, _SETTING, _COMMENT),
        ),
        JobType(
            name="custom_command",
            title=N_("Send a command"),
            payload=payloads.CustomCommand,
            run=flows.run_custom_command,
            resolve=flows.resolve_execution,
            concurrency_key=payloads.client_key,
            upstream=NAME,
            settings=WORKER_SETTINGS,
            form=(
                *_CLIENT,
                FormField("commandSyntax", N_("Command"), N_("In the unit's own syntax."), kind="textarea"),
                _COMMENT,
            ),
        ),
        JobType(
            name="verify_scheme",
            title=N_("Verify a setting"),
            payload=payloads.VerifyScheme,
            run=flows.run_verify_scheme,
            upstream=NAME,
            settings=WORKER_SETTINGS,
            form=(_CLIENT[0], _CLIENT[2], _SETTING),
        ),
    )

    def setup(self, host: Host) -> Offer:
        return Offer(routes=Routes(host).all())


integration = Traffilog()
