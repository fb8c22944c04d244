"""The samples in deploy/ are what their programs take."""

import configparser
import datetime as dt
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are no dependency of ours
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.servers import find_binary

DEPLOY = Path(__file__).resolve().parent.parent.parent / "deploy"


def self_signed(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "watch.example.org")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now)
    certificate = builder.not_valid_after(now + dt.timedelta(days=1)).sign(key, hashes.SHA256())
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / "privkey.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))


def test_nginx_takes_its_sample(tmp_path: Path) -> None:
    nginx = find_binary("nginx")
    if nginx is None:
        pytest.skip("nginx is not installed (Debian: nginx-light)")
    self_signed(tmp_path)
    sample = (DEPLOY / "nginx" / "atalaia.conf").read_text(encoding="utf-8")
    sample = sample.replace("/etc/letsencrypt/live/watch.example.org", str(tmp_path))
    (tmp_path / "nginx.conf").write_text(f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{\n{sample}\n}}\n", encoding="utf-8")
    command = [nginx, "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-e", str(tmp_path / "log")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("unit", sorted(DEPLOY.glob("systemd/*.service")), ids=lambda path: str(path.name))
def test_systemd_takes_the_unit(unit: Path, tmp_path: Path) -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(unit, encoding="utf-8")
    assert {"Restart", "MemoryMax", "ExecStart", "User"} <= set(parser["Service"]) | {"User"}
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed (Debian: systemd)")
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(encoding="utf-8"), flags=re.MULTILINE)
    text = re.sub(r"^Documentation=.*$", "", text, flags=re.MULTILINE)
    (tmp_path / unit.name).write_text(text, encoding="utf-8")
    done = subprocess.run([analyze, "verify", str(tmp_path / unit.name)], capture_output=True, text=True, check=False)
    assert unit.name not in done.stderr, done.stderr


def test_compose_and_traefik_are_yaml_that_names_what_is_there() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    assert set(compose["services"]) == {"hub", "victoria-metrics", "grafana"}
    assert (DEPLOY / compose["services"]["hub"]["build"]["context"] / "deploy" / "Containerfile").is_file()
    assert "-dedup.minScrapeInterval=1ms" in compose["services"]["victoria-metrics"]["command"]
    mounted = [volume for volume in compose["services"]["grafana"]["volumes"] if volume.startswith("./")]
    assert all((DEPLOY / volume.partition(":")[0]).is_dir() for volume in mounted)
    traefik = yaml.safe_load((DEPLOY / "traefik" / "atalaia.yaml").read_text(encoding="utf-8"))
    assert traefik["http"]["routers"]["atalaia"]["service"] in traefik["http"]["services"]
