"""What the signaller counts and prints. The process itself: tests/acceptance/test_signaller.py."""

from pathlib import Path

import pytest

from atalaia_agent.setting_values import SettingsError
from atalaia_agent.settings import build, from_environment, load_file, merge
from atalaia_agent.signal_log import SignalLog
from atalaia_agent.signal_settings import SignalSettings, is_alone, read_signal
from atalaia_agent.signal_statistics import Statistics
from atalaia_agent.signal_words import ENGLISH, PORTUGUESE, Words, words_of

MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
URL = "https://watch.example.org/functions/v1/monitor-execution"


def read(**values: object) -> SignalSettings:
    found = read_signal({"signal_url": URL, "signal_key": "k", **values})
    assert found is not None
    return found


def test_the_section_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret\n")
    config = tmp_path / "agent.toml"
    config.write_text(
        f'[signal]\nurl = "{URL}"\nkey_file = "{tmp_path / "key"}"\ninterval_s = 5\nsource = "sp-1"\nlanguage = "pt-BR"\n'
    )
    found = read_signal(merge([load_file(config)]))
    assert found is not None
    assert (found.key, found.interval_s, found.timeout_s, found.source) == ("secret", 5.0, 4.5, "sp-1")
    assert (found.address.origin, found.language) == ("https://watch.example.org", "pt")


def test_defaults_are_those_of_the_signallers_that_were_there_before() -> None:
    found = read()
    assert (found.interval_s, found.source, found.statistics_s) == (2.0, "vps-monitor", 60.0)
    assert found.timeout_s < found.interval_s


def test_the_environment_wins_over_the_file_and_its_old_names_are_known(tmp_path: Path) -> None:
    config = tmp_path / "agent.toml"
    config.write_text('[signal]\nurl = "http://file"\nkey = "f"\n')
    old = {"EDGE_FUNCTION_URL": "http://old", "MONITOR_API_KEY": "old"}
    both = {**old, "ATALAIA_SIGNAL_URL": "http://new"}
    for environment, host, key in ((old, "old", "old"), (both, "new", "old"), ({}, "file", "f")):
        found = read_signal(merge([load_file(config), from_environment(environment)]))
        assert found is not None
        assert (found.address.host, found.key) == (host, key)


def test_without_a_hub_it_is_alone_and_with_one_it_is_beside() -> None:
    signal = {"signal_url": URL, "signal_key": "k"}
    assert is_alone(signal)
    assert not is_alone({**signal, "hub": "http://h"})
    assert not is_alone({"hub": "http://h"})
    assert build([{**signal, "hub": "http://h"}]).signal == read()
    assert build([{"hub": "http://h", "signal_key": "of another program"}]).signal is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"signal_url": "x"}, "signal_url: it must begin with http"),
        ({"signal_key": ""}, "no key for the signal"),
        ({"signal_key": "a\nb"}, "printable ASCII"),
        ({"signal_interval_s": 0.1}, "signal_interval_s must be at least 0.2"),
        ({"signal_interval_s": "inf"}, "signal_interval_s must be finite"),
        ({"signal_source": "vps\udcff"}, "signal_source: it has characters"),
        ({"signal_language": "de"}, "signal_language must be pt-BR or en"),
        ({"signal_url": "", "signal_source": "x"}, "signal_source is set, but no signal_url"),
    ],
)
def test_a_wrong_setting_is_named(values: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read(**values)


def test_the_hubs_authorities_are_trusted_for_the_hub_alone() -> None:
    assert read(ca_file="ca.pem").ca_file == "ca.pem"
    assert read(ca_file="ca.pem", hub="https://watch.example.org/x").ca_file == "ca.pem"
    assert read(ca_file="ca.pem", hub="https://other.example.org").ca_file is None
    assert read(ca_file="ca.pem", hub="https://other.example.org", signal_ca_file="own.pem").ca_file == "own.pem"


@pytest.mark.parametrize(
    ("language", "environment", "words"),
    [
        ("", {"LANG": "pt_BR.UTF-8"}, PORTUGUESE),
        ("", {"LANG": "pt_BR.UTF-8", "LC_ALL": "en_US.UTF-8"}, ENGLISH),
        ("", {"LANG": "en_US.UTF-8", "LC_ALL": "pt_BR.UTF-8"}, PORTUGUESE),
        ("", {"LANG": "pt_BR.UTF-8", "LC_ALL": ""}, PORTUGUESE),
        ("", {}, ENGLISH),
        ("pt", {"LC_ALL": "C"}, PORTUGUESE),
        ("en", {"LANG": "pt_BR.UTF-8"}, ENGLISH),
    ],
)
def test_the_language_is_the_users(language: str, environment: dict[str, str], words: Words) -> None:
    assert words_of(language, environment) is words


@pytest.mark.parametrize("status", [202, 200, 429, 204])
def test_what_is_answered_counts_as_success(status: int) -> None:
    statistics = Statistics()
    assert statistics.count(status)
    assert (statistics.sent, statistics.succeeded, statistics.failed) == (1, 1, 0)


@pytest.mark.parametrize("status", [301, 400, 401, 404, 500, 503, None])
def test_what_is_refused_or_not_answered_counts_as_failed(status: int | None) -> None:
    statistics = Statistics()
    assert not statistics.count(status)
    assert (statistics.sent, statistics.succeeded, statistics.failed) == (1, 0, 1)


def test_all_of_them_is_said_only_when_it_was_all_of_them() -> None:
    statistics = Statistics()
    statistics.succeeded = 1_000_000
    statistics.last_status = 202
    assert statistics.short(PORTUGUESE, 93_784) == "1d 02:03 | 1000000 | 1000000 | 0 | 100% | 202"
    statistics.count(None)
    assert statistics.short(PORTUGUESE, 93_784) == "1d 02:03 | 1000001 | 1000000 | 1 | 99,99% | -"


def test_with_its_labels_a_line_says_that_there_was_no_answer() -> None:
    statistics = Statistics()
    statistics.count(None)
    assert statistics.labelled(ENGLISH, 60) == (
        "Uptime: 0d 00:01 | Signals sent: 1 | Successful signals: 0 | Failed signals: 1 | Success rate: 0%"
        " | Last status: no answer"
    )


def test_before_the_first_signal_there_is_no_rate() -> None:
    assert Statistics().short(ENGLISH, 0) == "0d 00:00 | 0 | 0 | 0 | - | -"


class Paper:
    """A day of the signaller's life on paper."""

    def __init__(self, words: Words, *, is_terminal: bool = False) -> None:
        self.words = words
        self.statistics = Statistics()
        self.lines: list[str] = []
        self.news: list[str] = []
        self.log = SignalLog(words, say=self._say, line=self.lines.append, is_terminal=is_terminal)

    def _say(self, text: str) -> None:
        self.news.append("atalaia-agent: " + text)

    @property
    def size_bytes(self) -> int:
        return sum(len(line.encode()) + 1 for line in [*self.lines, *self.news])


def test_the_log_stays_below_100_kb_a_day_however_often_the_server_changes_its_mind() -> None:
    """After half a year, with numbers that are long, and another failure with every signal."""
    paper = Paper(PORTUGUESE)
    paper.statistics.succeeded = paper.statistics.failed = 3_950_000
    half_a_year_s = 183 * DAY_S
    states = [None, 500, 401, 404]
    for second in range(half_a_year_s, half_a_year_s + DAY_S, 2):
        status = states[second // 2 % 4]
        paper.statistics.count(status)
        paper.log.report(str(status), f"os sinais falham: {status} " + "x" * 60, second)
        if second % MINUTE_S == 0:
            paper.log.tell(paper.statistics, second)
    assert len(paper.lines) == 1_440
    assert paper.size_bytes < 100_000
    assert len(paper.news) >= 24


def test_an_ordinary_day_is_told_in_full() -> None:
    paper = Paper(PORTUGUESE)
    for second in range(0, DAY_S, 2):
        status = None if second % HOUR_S < 10 else 202
        paper.statistics.count(status)
        state, news = ("", "voltaram") if status else ("timeout", "os sinais estão sem resposta: o tempo se esgotou")
        paper.log.report(state, news, second)
        if second % MINUTE_S == 0:
            paper.log.tell(paper.statistics, second)
    assert len(paper.news) == 2 * 24
    assert paper.size_bytes < 100_000
    labelled = [line for line in paper.lines if "Tempo ativo: " in line]
    assert len(labelled) == 5 + 23
    assert all(label in labelled[0] for label in PORTUGUESE.labels)


def test_a_terminal_always_gets_the_labels() -> None:
    paper = Paper(ENGLISH, is_terminal=True)
    for minute in range(100):
        paper.log.tell(paper.statistics, minute * MINUTE_S)
    assert all(line.startswith("Uptime: ") for line in paper.lines)


def test_news_that_had_to_wait_is_said_when_it_is_still_so() -> None:
    paper = Paper(ENGLISH)
    for number in range(200):
        paper.log.report(str(number), f"signals fail: {number}", 10)
    said = len(paper.news)
    assert 0 < said < 199
    paper.log.tell(paper.statistics, HOUR_S + 60)
    assert paper.news[said:] == ["atalaia-agent: signals fail: 199"]
    paper.log.tell(paper.statistics, HOUR_S + 120)
    assert len(paper.news) == said + 1


def test_the_sample_of_the_service_is_read() -> None:
    sample = Path(__file__).parents[3] / "deploy/signaller.toml"
    found = read_signal(merge([load_file(sample), {"signal_key": "k"}]))
    assert found is not None
    assert (found.address.path, found.interval_s, found.language) == ("/functions/v1/monitor-execution", 2.0, "pt")
