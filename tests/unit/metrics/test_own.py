import shutil
import subprocess

import pytest

from atalaia.metrics.own import MAX_LABEL_SETS, OwnMetrics

NAMES = {
    "network_latency_rtt_seconds": "histogram",
    "network_latency_last_rtt_seconds": "gauge",
    "ping_requests_total": "counter",
    "ping_errors_total": "counter",
    "ping_service_up": "gauge",
    "collector_api_up": "gauge",
    "collector_api_processing_seconds": "histogram",
    "collector_api_pings_received_total": "counter",
    "api_requests_total": "counter",
    "api_request_duration_seconds": "histogram",
    "database_available": "gauge",
    "database_query_latency_seconds": "histogram",
    "database_connection_errors_total": "counter",
}


def told() -> OwnMetrics:
    own = OwnMetrics()
    source = {"location": 'S\u00e3o "Paulo"', "datacenter": "dc\\1", "country": "BR"}
    own.pings_received({("sp", "BR"): 1}, took_s=(0.002,))
    own.ping_reported(source, "hub", outcome="ok", rtt_s=0.031)
    own.ping_reported(source, "hub", outcome="http_503", rtt_s=None)
    own.api_answered("/api/ping", "POST", seconds=0.001)
    own.database_probed("postgresql", is_available=False, error_type="timeout")
    own.database_timed("postgresql", "query", status="success", seconds=0.004)
    own.imported(accepted=10, rejected=1)
    return own


def test_every_name_has_its_type_and_help_from_the_start() -> None:
    page = OwnMetrics().page().decode()
    for name, kind in NAMES.items():
        assert page.count(f"# TYPE {name} {kind}\n") == 1
        assert page.count(f"# HELP {name} ") == 1


def test_what_is_told_is_on_the_page_under_the_labels_of_dashboards() -> None:
    page = told().page().decode()
    route = r'source_country="BR",source_datacenter="dc\\1",source_location="São \"Paulo\"",target_location="hub"'
    lines = page.splitlines()
    sample = next(line for line in lines if line.startswith("network_latency_last_rtt_seconds{"))
    labels, value = sample.removeprefix("network_latency_last_rtt_seconds{").rsplit("} ", 1)
    assert sorted(labels.split(",")) == route.split(",")
    assert value == "0.031"
    assert any(
        line.startswith('ping_errors_total{error_type="http_503"') or 'error_type="http_503"' in line for line in lines
    )
    assert 'database_available{db_type="postgresql"} 0.0' in lines
    assert 'collector_api_pings_received_total{source_country="BR",source_location="sp"} 1.0' in lines or (
        'collector_api_pings_received_total{source_location="sp",source_country="BR"} 1.0' in lines
    )
    assert "_created" not in page


def test_what_senders_name_is_bounded() -> None:
    own = OwnMetrics()
    for number in range(MAX_LABEL_SETS + 50):
        own.pings_received({(f"place-{number}", "BR"): 1}, took_s=(0.001,))
    page = own.page().decode()
    lines = [line for line in page.splitlines() if line.startswith("collector_api_pings_received_total{")]
    assert len(lines) == MAX_LABEL_SETS + 1
    assert any('"other"' in line and line.endswith(" 50.0") for line in lines)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian package prometheus) is not installed")
def test_promtool_finds_nothing_wrong_with_the_page() -> None:
    ran = subprocess.run(["promtool", "check", "metrics"], input=told().page(), capture_output=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")
