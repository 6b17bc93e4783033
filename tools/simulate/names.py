"""Names of invented stations: what German-speaking operators would call theirs."""

from __future__ import annotations

# What the sample set begins with: id, name.
FIRST = (
    ("KW-NORD", "Klärwerk Nord, Zulaufpumpwerk"),
    ("PW-HAFEN", "Pumpwerk Alter Hafen"),
    ("PW-SUED", "Pumpwerk Südufer"),
    ("HB-WALD", "Hochbehälter Waldhöhe"),
)
PLACES = (
    ("AUE", "Auenstraße"), ("BIRKE", "Birkenfeld"), ("BRUECK", "Brückentor"),
    ("DEICH", "Deichgraf"), ("EICHE", "Eichwinkel"), ("ERLEN", "Erlenbruch"),
    ("FAEHRE", "Fährhaus"), ("GERBER", "Gerbergasse"), ("HEIDE", "Heidekamp"),
    ("INSEL", "Inselweg"), ("KANAL", "Kanalhof"), ("KREUZ", "Kreuzmühle"),
    ("LINDE", "Lindenhof"), ("MARKT", "Marktbreite"), ("MOOR", "Moorende"),
    ("MUEHLE", "Mühlbach"), ("OST", "Ostring"), ("PAPPEL", "Pappelallee"),
    ("QUELLE", "Quellenau"), ("ROSEN", "Rosental"), ("SCHLEUSE", "Schleuse"),
    ("SEE", "Seepark"), ("TEICH", "Teichwiese"), ("ULMEN", "Ulmengrund"),
    ("WEHR", "Wehrinsel"), ("WEST", "Westhang"), ("ZIEGEL", "Ziegelei"),
)  # fmt: skip


def station(index: int, *, filling: bool) -> tuple[str, str]:
    """Id and name of the station with this number, from 0: the same for ever."""
    if index < len(FIRST):
        return FIRST[index]
    lap, place = divmod(index - len(FIRST), len(PLACES))
    short, long = PLACES[place]
    kind, kind_name = ("HB", "Hochbehälter") if filling else ("PW", "Pumpwerk")
    number = f"-{lap + 1}" if lap else ""
    return f"{kind}-{short}{number}", f"{kind_name} {long}{number.replace('-', ' ')}"
