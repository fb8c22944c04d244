"""What a command starts: when it does not come up, its user reads why."""

from pathlib import Path

import pytest

from atalaia.cli.processes import Children
from atalaia.core.errors import ConfigError
from tests.servers import free_port


def test_a_hub_that_does_not_start_says_why_though_its_log_goes_with_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.write_text("in the way of the folder", encoding="utf-8")
    with (tmp_path / "log").open("w", encoding="utf-8") as log, Children() as children:
        with pytest.raises(ConfigError) as failed:
            children.start_hub(data, port=free_port(), env={}, log=log, tell=lambda _line: None)
        assert str(data) in (failed.value.hint or "")
