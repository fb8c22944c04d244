"""What the audit log calls what is done here."""

from typing import Final

from atalaia.core.translations import N_

AUDIT_WORDS: Final = {
    "cvepro.command": N_("Command sent to a charger"),
    "cvepro.import_begun": N_("Import of history begun"),
    "cvepro.import_resumed": N_("Import of history resumed"),
    "cvepro.import_stopped": N_("Import of history stopped"),
    "cvepro.notice_words_changed": N_("Words of a notice changed"),
    "cvepro.notice_words_reset": N_("Words of a notice reset"),
    "cvepro.plan_picture_set": N_("Picture of the garage set"),
    "cvepro.plan_picture_removed": N_("Picture of the garage removed"),
    "cvepro.plan_chargers_placed": N_("Chargers placed on the plan"),
    "cvepro.report_uploaded": N_("Report uploaded"),
    "cvepro.report_deleted": N_("Report deleted"),
    "cvepro.reports_ordered": N_("Reports ordered"),
    "cvepro.resident_entered": N_("Resident entered"),
    "cvepro.resident_changed": N_("Resident changed"),
    "cvepro.resident_linked": N_("Resident's account linked"),
    "cvepro.resident_activated": N_("Resident activated"),
    "cvepro.resident_deactivated": N_("Resident deactivated"),
    "cvepro.resident_deleted": N_("Resident deleted"),
    "cvepro.resident_opted_in": N_("Resident agreed to notices"),
    "cvepro.resident_opted_out": N_("Resident stopped notices"),
    "cvepro.residents_imported": N_("Residents imported"),
    "cvepro.session_joined": N_("Two sessions counted as one"),
    "cvepro.session_parted": N_("Sessions counted as two"),
    "cvepro.station_added": N_("Charger added"),
    "cvepro.station_admitted": N_("Charger let in"),
    "cvepro.station_refused": N_("Charger refused"),
    "cvepro.station_forgotten": N_("Charger forgotten"),
    "cvepro.station_password": N_("New password for a charger"),
    "cvepro.tag_given": N_("Tag given"),
    "cvepro.tag_moved": N_("Tag moved"),
    "cvepro.tag_ended": N_("Tag handed back"),
    "cvepro.tag_removed": N_("Tag taken out"),
    "cvepro.tariff_added": N_("Tariff added"),
    "cvepro.tariff_deleted": N_("Tariff deleted"),
}
