"""Files of SCADA systems: read whatever their form, and refused with precise words."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.tag import Space
from runtime.taglist.scada import BadFileError, Entry, Place, read

ENTRY = Entry(2, "Nörd/11", "Speed", None, Place(1, Space.INPUT, 161), "int16", 0.01)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "scada.csv"


def refused(file: Path, text: str) -> list[str]:
    file.write_text(text)
    with pytest.raises(BadFileError) as refusal:
        read(file)
    return [line.removeprefix(f"{file}: ") for line in str(refusal.value).splitlines()]


@pytest.mark.parametrize(
    "text",
    [
        "station,pump,tag,unit_id,space,address,type,scale\n"
        "Nörd,11,Speed,1,input register,161,int16,0.01\n",
        "Scale;Type;Note;Reference;Unit ID;Tag Name\n0,01;INT;x;300162;1;Nörd/11/Speed\n",
        'slave\tSPACE\taddress\ttag\tgain\tdatatype\r\n1\t3x\t161\t"Nörd/11/Speed"\t1e-2\tShort\r\n',
        "Device|Ref|Tag|Factor|Format||\n1|30162|Nörd/11/Speed|.01|SInt16||\n\n  |\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_order_separator_further_columns_and_encoding_do_not_matter(
    file: Path, text: str, encoding: str
) -> None:
    file.write_bytes(text.encode(encoding))
    assert read(file) == [ENTRY]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: found the columns nothing; allowed are those with node, or"),
        ("a;b\n1;2\n", "line 1: found the columns a;b; allowed are those with node, or"),
        ("unit_id,address\n1,2\n", "line 1: found the columns unit_id, address; allowed"),
        ("node\n", "found no line with a place, allowed are lines below"),
        ("node,tag\nx\n", "line 2: the line: found 1 cells, allowed as many as line 1, 2"),
        ("node,tag\n,x\n", "found no line with a place, allowed are lines below"),
    ],
)
def test_a_file_without_what_is_needed_is_refused(file: Path, text: str, words: str) -> None:
    (problem,) = refused(file, text)
    assert problem.startswith(words)


def test_every_bad_cell_is_named_with_its_line(file: Path) -> None:
    head = "unit_id,space,address,scale\n"
    lines = ("256,coil,1,", "1,coils,-1,", "1,relay,1,", "1,coil,1,x", "٣,coil,1,", "1,coil,70000,")
    assert refused(file, head + "\n".join(lines)) == [
        "line 2: unit_id: found '256', allowed a whole number from 0 to 255",
        "line 3: address: found '-1', allowed a whole number from 0 to 65535",
        "line 4: space: found 'relay', allowed coil, discrete input, input register,"
        " holding register",
        "line 5: scale: found 'x', allowed a number such as 0.01, or nothing",
        "line 6: unit_id: found '٣', allowed a whole number from 0 to 255",
        "line 7: address: found '70000', allowed a whole number from 0 to 65535",
    ]


@pytest.mark.parametrize("reference", ["200001", "400000", "465537", "4x00001", "1"])
def test_a_reference_that_is_none_is_refused(file: Path, reference: str) -> None:
    (problem,) = refused(file, f"unit_id,reference\n1,{reference}\n")
    assert problem == (
        f"line 2: reference: found '{reference}', allowed 0, 1, 3 or 4 and then 00001 to 65536"
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    content=st.binary(max_size=200),
    head=st.sampled_from([b"", b"node;tag\n", b"unit_id,reference\n"]),
)
def test_whatever_is_in_a_file_it_is_read_or_refused(
    file: Path, head: bytes, content: bytes
) -> None:
    file.write_bytes(head + content)
    with suppress(BadFileError):
        assert read(file)
