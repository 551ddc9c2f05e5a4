#!/usr/bin/env python3
"""Holds the validators of identity numbers against those of others, on random values: docs/quality.md, "Against other validators".

Makes 2,000 values of each kind's shape (about half of them valid to the other side), writes each behind a word that says what it
is, lets `bodyguard scan` judge them, and prints how many both, only the other, and only bodyguard take. All differences are
explained in docs/quality.md; a number that is not there is to be looked at.

    python3 -m venv DIR && DIR/bin/pip install python-stdnum==2.2 django-localflavor==5.1
    cargo build --release --bin bodyguard
    DIR/bin/python scripts/quality/oracle.py [KIND...]

All values are made up. Not part of `make test`: it needs the two packages.
"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from string import ascii_uppercase as LETTERS
from string import digits as DIGITS

BODYGUARD = pathlib.Path(__file__).resolve().parents[2] / "target/release/bodyguard"
VALUES = 2000
RANDOM = random.Random(20261122)

Valid = Callable[[str], bool]


def stdnum(name: str, **options: bool) -> Valid:
    module = import_module(f"stdnum.{name}")

    def valid(value: str) -> bool:
        try:
            return module.is_valid(value, **options)
        except KeyError:  # stdnum.cn.ric, for some counties that it does not know
            return False

    return valid


def nric(value: str) -> bool:
    from django.core.exceptions import ValidationError
    from localflavor.sg.forms import SGNRICFINField

    try:
        return bool(SGNRICFINField().clean(value))
    except ValidationError:
        return False


def npi(value: str) -> bool:
    return value[0] in "12" and stdnum("luhn")("80840" + value)


def some(letters: str, count: int) -> str:
    return "".join(RANDOM.choice(letters) for _ in range(count))


def date(form: str) -> str:
    """A day, now and then an impossible one."""
    year, month, day = RANDOM.randint(1900, 2026), RANDOM.randint(1, 13), RANDOM.randint(1, 32)
    return form.format(year=year, yy=year % 100, month=month, day=day)


def idnr() -> str:
    """Ten digits of which one comes twice, mostly."""
    digits = RANDOM.sample(DIGITS, 9)
    digits.insert(RANDOM.randrange(10), RANDOM.choice(digits))
    return "".join(digits)


def fiscale() -> str:
    day = RANDOM.choice([*range(1, 32), *range(41, 72)])
    return f"{some(LETTERS, 6)}{some(DIGITS, 2)}{some('ABCDEHLMPRST', 1)}{day:02}{some('ABCDEFGHILMZ', 1)}{some(DIGITS, 3)}"


def nir() -> str:
    place = RANDOM.choice([f"{RANDOM.randint(1, 99):02}", "2A", "2B"])
    return f"{some('12', 1)}{date('{yy:02}{month:02}')}{place}{some(DIGITS, 6)}"


TWO = [f"{last:02}" for last in range(100)]
HETU = "0123456789ABCDEFHJKLMNPRSTUVWXY"
# Kind: a word for it, all but its last characters, the other validator, and what the last characters may be.
KINDS: dict[str, tuple[str, Callable[[], str], Valid, str | list[str]]] = {
    "us_bank_routing": ("routing number", lambda: some(DIGITS, 8), stdnum("us.rtn"), DIGITS),
    "us_itin": ("itin", lambda: "9" + some(DIGITS, 7), stdnum("us.itin"), DIGITS),
    "us_npi": ("npi", lambda: some("123", 1) + some(DIGITS, 8), npi, DIGITS),
    "ssn": ("ssn", lambda: f"{some(DIGITS, 3)}-{some(DIGITS, 2)}-{some(DIGITS, 3)}", stdnum("us.ssn"), DIGITS),
    "ca_sin": ("sin", lambda: some(DIGITS, 8), stdnum("ca.sin"), DIGITS),
    "br_cpf": ("cpf", lambda: some(DIGITS, 9), stdnum("br.cpf"), TWO),
    "br_cnpj": ("cnpj", lambda: some(DIGITS, 2) + some(DIGITS + LETTERS, 10), stdnum("br.cnpj"), TWO),
    "uk_nhs": ("nhs number", lambda: some(DIGITS, 9), stdnum("gb.nhs"), DIGITS),
    "de_tax_id": ("steuer-id", idnr, stdnum("de.idnr"), DIGITS),
    "fr_nir": ("nir", nir, stdnum("fr.nir"), TWO),
    "es_dni": ("dni", lambda: some(DIGITS, 8), stdnum("es.dni"), LETTERS),
    "es_nie": ("nie", lambda: some("XYZ", 1) + some(DIGITS, 7), stdnum("es.nie"), LETTERS),
    "it_codice_fiscale": ("codice fiscale", fiscale, stdnum("it.codicefiscale"), LETTERS),
    "nl_bsn": ("bsn", lambda: some(DIGITS, 8), stdnum("nl.bsn"), DIGITS),
    "pl_pesel": ("pesel", lambda: date("{yy:02}{month:02}{day:02}") + some(DIGITS, 4), stdnum("pl.pesel"), DIGITS),
    "se_personal_number": (
        "personnummer", lambda: date("{yy:02}{month:02}{day:02}-") + some(DIGITS, 3), stdnum("se.personnummer"), DIGITS),
    "fi_personal_number": (
        "hetu", lambda: date("{day:02}{month:02}{yy:02}") + some("-+AUVWXYBCDEF", 1) + some(DIGITS, 3),
        stdnum("fi.hetu", allow_temporary=True), HETU),
    "in_aadhaar": ("aadhaar", lambda: some(DIGITS, 11), stdnum("in_.aadhaar"), DIGITS),
    "in_pan": ("pan", lambda: some(LETTERS, 5) + some(DIGITS, 4), stdnum("in_.pan"), LETTERS),
    "au_tfn": ("tfn", lambda: some(DIGITS, 8), stdnum("au.tfn"), DIGITS),
    "sg_nric": ("nric", lambda: some("STFG", 1) + some(DIGITS, 7), nric, LETTERS),
    "jp_my_number": ("my number", lambda: some(DIGITS, 11), stdnum("jp.in_"), DIGITS),
    "kr_rrn": ("rrn", lambda: date("{yy:02}{month:02}{day:02}") + some("12345678", 1) + some(DIGITS, 5), stdnum("kr.rrn"), DIGITS),
    "cn_resident_id": (
        "id", lambda: some("123456", 1) + "10101" + date("{year}{month:02}{day:02}") + some(DIGITS, 3), stdnum("cn.ric"), DIGITS + "X"),
}


def values(make: Callable[[], str], valid: Valid, lasts: str | list[str]) -> list[str]:
    """Random values, every second one valid where one of the last characters makes it so."""
    made = []
    for number in range(VALUES):
        candidates = [value + last for value in [make()] for last in lasts]
        made.append(RANDOM.choice(number % 2 and [value for value in candidates if valid(value)] or candidates))
    return made


def found(kind: str, word: str, made: list[str]) -> set[int]:
    """The numbers of the values that bodyguard finds, whole."""
    places, text = {}, ""
    for number, value in enumerate(made):
        text += f"{word}: {value}\n"
        places[len(text) - 1 - len(value), len(text) - 1] = number
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(text)
        file.flush()
        command = [BODYGUARD, "scan", "--json", "--kinds", kind, file.name]
        lines = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.splitlines()
    spans = [json.loads(line) for line in lines]
    return {places[span["start"], span["end"]] for span in spans if (span["start"], span["end"]) in places}


def main() -> None:
    print(f"{'kind':20} {'both':>6} {'only the other':>15} {'only bodyguard':>15}")
    for kind in sys.argv[1:] or KINDS:
        word, make, valid, lasts = KINDS[kind]
        made = values(make, valid, lasts)
        ours, theirs = found(kind, word, made), {number for number, value in enumerate(made) if valid(value)}
        print(f"{kind:20} {len(ours & theirs):6} {len(theirs - ours):15} {len(ours - theirs):15}")


if __name__ == "__main__":
    main()
