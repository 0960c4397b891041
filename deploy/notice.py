"""Names, licences and licence texts of the packages in a lock that this Python has installed.

    python deploy/notice.py [--lock requirements.txt] [--out FILE]

The image holds what it writes; `make notice` writes the same for this machine. What FaceWhy ships beside packages is
told in NOTICE.md, by hand.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

TEXT = re.compile(r"(licen[cs]e|copying|notice|third.?party)[^/]*$", re.IGNORECASE)
"""The end of the path of a licence's text."""
CODE = {".py", ".pyc", ".pyi", ".json", ".so", ".h"}
RULE = "-" * 100


@dataclass(frozen=True)
class Package:
    """What a distribution says of itself.

    Attributes:
        name: as its author writes it.
        version: the installed one.
        licence: a licence expression, or the author's own words; "see its text" where there are neither.
        home: an address, or "".
        texts: path in the distribution -> text.
    """

    name: str
    version: str
    licence: str
    home: str
    texts: dict[str, str]


def requirements(lock: str) -> Iterator[Requirement]:
    """The requirements in the text of a lock that hold for this Python and machine."""
    for line in re.sub(r" *\\\n *", " ", lock).splitlines():
        if line[:1].isalnum():
            requirement = Requirement(line.split(" --hash=")[0])
            if requirement.marker is None or requirement.marker.evaluate():
                yield requirement


def package(found: Distribution) -> Package:
    """What a distribution says of itself."""
    facts = found.metadata
    own = (facts.get("License") or "").strip()
    classes = [line.rpartition(" :: ")[2] for line in facts.get_all("Classifier", []) if line.startswith("License ::")]
    named = 0 < len(own) < 80 and own != "Dual License"  # which says neither of the two
    licence = facts.get("License-Expression") or (own if named else " or ".join(classes)) or "see its text"
    addresses = dict(line.split(", ", 1) for line in facts.get_all("Project-URL", []) if ", " in line)
    homes = [
        addresses[name] for name in addresses if name.lower() in ("homepage", "source", "repository", "source code")
    ]
    texts = {}
    for file in sorted(found.files or [], key=str):
        path = Path(str(found.locate_file(file)))
        inside = ".." not in file.parts and file.suffix not in CODE
        if inside and (TEXT.search(str(file)) or "licenses" in file.parts) and path.is_file():
            texts[str(file)] = path.read_text(encoding="utf-8", errors="replace").strip()
    return Package(facts["Name"], found.version, licence, facts.get("Home-page") or next(iter(homes), ""), texts)


def packages(lock: str) -> list[Package]:
    """What every requirement of a lock's text says of itself, by name.

    Raises:
        SystemExit: one of them is not installed, or in another version.
    """
    found, wrong = {}, []
    for requirement in requirements(lock):
        try:
            installed = distribution(requirement.name)
        except PackageNotFoundError:
            wrong.append(f"no {requirement.name}")
            continue
        if not requirement.specifier.contains(installed.version, prereleases=True):
            wrong.append(f"{requirement.name} {installed.version}")
        found[requirement.name] = package(installed)
    if wrong:
        sys.exit(f"The installed packages are not those of the lock. Received: {', '.join(wrong)}. Run: make app")
    return sorted(found.values(), key=lambda one: one.name.lower())


def written(found: list[Package]) -> str:
    """The notice: a table of all, then every text once."""
    lines = [f"{len(found)} packages that FaceWhy runs with; each belongs to its authors.", ""]
    lines += [f"{one.name} {one.version}: {one.licence}" + f"  {one.home}" * bool(one.home) for one in found]
    owners: dict[str, list[str]] = {}
    for one in found:
        for path, text in one.texts.items():
            owners.setdefault(text, []).append(f"{one.name} {one.version}: {path}")
    for text, names in owners.items():
        lines += ["", RULE, *names, RULE, "", text]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python deploy/notice.py", description="Licences of the installed packages.")
    parser.add_argument("--lock", type=Path, default=Path("requirements.txt"), help="whose packages")
    parser.add_argument("--out", type=Path, help="the file to write; else it is printed")
    given = parser.parse_args(arguments)
    text = written(packages(given.lock.read_text(encoding="utf-8")))
    if given.out:
        given.out.write_text(text, encoding="utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
