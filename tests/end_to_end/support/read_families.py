"""Reads families in both formats by the parsers of Prometheus' own Python library and compares them with what was written.

In the directory given are `text`, `openmetrics`, and `expected.json`. Prints how many samples there are.
"""

import json
import struct
import sys
from pathlib import Path

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

UNITS = ("bytes", "ratio", "seconds")
directory = Path(sys.argv[1])


def read(name):
    return (directory / name).read_bytes().decode()


def bits(value):
    # Which of the many NaN it is, no text says; and whole numbers are read as integers, of which zero has no sign.
    return "nan" if value != value else struct.pack(">d", value + 0.0).hex()


def told(family, has_units):
    name = family["name"].removesuffix("_total")
    unit = name.rsplit("_", 1)[-1]
    samples = []
    for at, sample in enumerate(family["samples"]):
        labels = dict(zip(("first", "second", "third"), sample["labels"]))
        number = struct.unpack(">d", bytes.fromhex(sample["bits"]))[0]
        samples.append((family["name"], {**labels, "at": str(at)}, bits(number)))
    return name, family["type"], unit if has_units and unit in UNITS else "", family["help"], samples


def found(family):
    samples = [(sample.name, dict(sample.labels), bits(sample.value)) for sample in family.samples]
    return family.name, family.type, family.unit, family.documentation, samples


expected = json.loads(read("expected.json"))
for name, parse in (("text", parse_text), ("openmetrics", parse_openmetrics)):
    families = list(parse(read(name)))
    assert len(families) == len(expected), (name, len(families))
    for family, told_family in zip(families, expected):
        should_be = told(told_family, has_units=parse is parse_openmetrics)
        assert found(family) == should_be, f"{name}:\n{found(family)}\n{should_be}"
print(sum(len(family["samples"]) for family in expected))
