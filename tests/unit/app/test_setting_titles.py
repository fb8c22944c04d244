"""The settings page says each setting by a name for people; keys like `quiet_from` stand small beside it."""

from collections import Counter

from atalaia.app.slices import declared_settings


def test_every_setting_has_a_title_of_its_own_within_its_section() -> None:
    settings = declared_settings()
    assert [setting.key for setting in settings if not setting.title] == []
    twice = Counter((setting.section, setting.title) for setting in settings)
    assert [title for title, count in twice.items() if count > 1] == []
