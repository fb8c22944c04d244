"""Roles and scopes in words for people."""

from typing import Final, NamedTuple

from atalaia.core.permissions import Role
from atalaia.core.translations import N_


class RoleWords(NamedTuple):
    name: str
    may: str


ROLE_WORDS: Final = {
    Role.ADMIN: RoleWords(N_("Admin"), N_("May do everything, people and keys included.")),
    Role.AGENT: RoleWords(N_("Technician"), N_("Sees and changes checks, incidents, channels and agents.")),
    Role.MANAGER: RoleWords(N_("Manager"), N_("Sees checks, incidents and metrics.")),
    Role.COLLABORATOR: RoleWords(N_("Collaborator"), N_("Own account and own tickets.")),
    Role.CLIENT: RoleWords(N_("Client"), N_("Own account and own tickets.")),
    Role.MACHINE: RoleWords(N_("Machine"), N_("Never signs in; stands for a program.")),
}

SCOPE_WORDS: Final = {
    "agent": N_("Take work and send results"),
    "ingest": N_("Send pings, samples and heartbeats"),
    "read": N_("Read everything, change nothing"),
    "write": N_("Read and change checks, channels, routes and signals"),
    "jobs:create": N_("Create jobs"),
    "jobs:work": N_("Take and finish jobs"),
    "trading": N_("Enter, change and close operations at an exchange, and its accounts"),
    "admin": N_("Everything, people and keys included"),
}
