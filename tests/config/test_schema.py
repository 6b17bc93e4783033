"""The JSON schema that editors find: current, and of one mind with the loader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from config import ConfigurationError, load, schema

SCAN_YAML = Path(__file__).parents[2] / "scan.yaml"
SCHEMA: dict[str, Any] = json.loads(schema.FILE.read_text(encoding="utf-8"))


def test_the_file_is_what_the_model_says() -> None:
    assert schema.FILE.read_text(encoding="utf-8") == schema.text(), "run python -m config.schema"


def test_editors_find_it_from_the_first_line_of_scan_yaml() -> None:
    first = SCAN_YAML.read_text(encoding="utf-8").splitlines()[0]
    named = first.removeprefix("# yaml-language-server: $schema=")
    assert (SCAN_YAML.parent / named).resolve() == schema.FILE


def test_every_setting_is_described() -> None:
    sections = [SCHEMA, *SCHEMA["$defs"].values()]
    for section in sections:
        for name, setting in section.get("properties", {}).items():
            assert "description" in setting or "$ref" in setting, name


@pytest.mark.parametrize(
    ("added", "right"),
    [
        ("", True),
        ("period: 20 ms", True),
        ("period: 20", False),
        ("perod: 20 ms", False),
        ("stations: [Nord]", True),
        ("stations: [System]", False),
        ("stations: []", False),
        ("capacity: {pumps: 10}", True),
        ("capacity: {pumps: 0}", False),
        ("log: loud", False),
        ("servers: {modbus: {listen: 'localhost:5020'}}", True),
        ("servers: {modbus: {listen: localhost}}", False),
        ("database: postgresql://db/calejo", True),
        ("database: other", False),
        ("alerts: {channels: {duty: {}}, rules: {all: {steps: duty}}}", True),
        ("alerts: {channels: {duty: {}}, rules: {all: {steps: {0 s: [duty]}}}}", True),
        ("alerts: {channels: {duty: {}}, rules: {all: {steps: {'0': [duty]}}}}", False),
        ("alerts: {channels: {duty: {}}, rules: {all: {}}}", False),
        ("alerts: {channels: {duty: {url: 'json://a'}}}", False),
        ("alerts: {timezone: UTC, rules: {}}", True),
    ],
)
def test_schema_and_loader_agree_on_a_setting(tmp_path: Path, added: str, right: bool) -> None:
    _agree(tmp_path, f"program: [limits: {{without_level: stop}}]\n{added}\n", right)


@pytest.mark.parametrize(
    ("program", "right"),
    [
        ("[plan, watchdog: {timeout: 5 min}, limits: {without_level: hold}]", True),
        ("[limits]", False),
        ("[limits: {without_level: maybe}]", False),
        ("[limits: {without_level: stop}, plan: {a: 1}]", False),
        ("[limits: {without_level: stop}, wotchdog]", False),
        ("[limits: {without_level: stop}, watchdog: {timeout: 5}]", False),
        ("{limits: {without_level: stop}}", False),
    ],
)
def test_schema_and_loader_agree_on_a_program(tmp_path: Path, program: str, right: bool) -> None:
    _agree(tmp_path, f"program: {program}\n", right)


def test_the_scan_yaml_of_the_project_fits() -> None:
    assert _fits(SCAN_YAML.read_text(encoding="utf-8"))


def _agree(folder: Path, text: str, right: bool) -> None:
    path = folder / "scan.yaml"
    path.write_text(text)
    try:
        load(path, {})
    except ConfigurationError:
        loaded = False
    else:
        loaded = True
    assert (loaded, _fits(text)) == (right, right)


def _fits(text: str) -> bool:
    return Draft202012Validator(SCHEMA).is_valid(yaml.safe_load(text))
