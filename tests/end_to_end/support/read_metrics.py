"""Reads the metrics at a URL in every form, by the parsers of Prometheus' own Python library.

That for OpenMetrics is strict. Fails unless all forms have the same values; prints how many there are.
"""

import gzip
import sys
from urllib.request import Request, urlopen

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

FORMS = {
    "text/plain; version=0.0.4; charset=utf-8": parse_text,
    "application/openmetrics-text; version=0.0.1; charset=utf-8": parse_openmetrics,
    "application/openmetrics-text; version=1.0.0; charset=utf-8": parse_openmetrics,
}


def fetch(url, content_type, coding):
    with urlopen(Request(url, headers={"Accept": content_type, "Accept-Encoding": coding})) as answer:
        assert answer.headers["Content-Type"] == content_type, answer.headers
        assert answer.headers.get("Content-Encoding", "identity") == coding, answer.headers
        body = answer.read()
    return (gzip.decompress(body) if coding == "gzip" else body).decode()


def samples(families):
    found = [(s.name, tuple(sorted(s.labels.items())), s.value) for f in families for s in f.samples]
    assert len({sample[:2] for sample in found}) == len(found), "a series appears twice"
    return sorted(found)


forms = [samples(parse(fetch(sys.argv[1], form, coding))) for form, parse in FORMS.items() for coding in ("identity", "gzip")]
for form in forms[1:]:
    # What the exporter says about itself differs from one scrape to the next.
    assert [sample[:2] for sample in form] == [sample[:2] for sample in forms[0]]
    if "--constant" in sys.argv:
        assert form == forms[0]
print(len(forms[0]))
