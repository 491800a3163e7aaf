"""Amounts worked out by hand: five models, three thinking settings, two surfaces or modes, token counts written out.

Under each row stands how it was reckoned, in millionths of a dollar: fresh input × its rate, cached input × its rate,
(thinking + answer) × the output rate. Columns: model, thinking as a study says it, what is sent for it, surface, mode,
day, location, prompt tokens (cached included), cached, thinking, answer, US dollars. The rates were typed in from the
lists that docs/reference/facts.md 8 names.
"""

from datetime import date
from itertools import groupby
from typing import cast

import pytest

from overnight.core.usage import Usage, Usd
from overnight.pricing import cost, packaged_tables, pays_surcharge, thinking_config
from overnight.pricing.prices import Mode, Surface

BY_HAND = """
gemini-3.8-flash       low     LOW     vertex    batch    2026-11-22 global            1000      0   300 200  0.0013125
    1,000 × 0.375 + (300 + 200) × 1.875 = 1,312.5
gemini-3.8-flash       medium  MEDIUM  vertex    batch    2026-11-22 global            1000    400  1000 200  0.00249
    600 × 0.375 + 400 × 0.0375 + (1,000 + 200) × 1.875 = 2,490
gemini-3.8-flash       max     HIGH    vertex    batch    2026-11-22 europe-west4      1000   1000  6000 250  0.01175625
    0 × 0.375 + 1,000 × 0.0375 + (6,000 + 250) × 1.875 = 11,756.25
gemini-3.8-flash       low     LOW     vertex    standard 2026-11-22 global            1000      0   300 200  0.002625
    1,000 × 0.75 + (300 + 200) × 3.75 = 2,625
gemini-3.8-flash       medium  MEDIUM  vertex    standard 2026-11-22 global            1000    400  1000 200  0.00498
    600 × 0.75 + 400 × 0.075 + (1,000 + 200) × 3.75 = 4,980
gemini-3.8-flash       max     HIGH    vertex    standard 2026-11-22 europe-west4      1000   1000  6000 250  0.0235125
    0 × 0.75 + 1,000 × 0.075 + (6,000 + 250) × 3.75 = 23,512.5
gemini-3.8-flash       max     HIGH    vertex    batch    2027-01-01 global            1000    400  6000 250  0.0241875
    600 × 0.75 + 400 × 0.75 + (6,000 + 250) × 3.75 = 24,187.5; no cached rate is stated from 2027 on: as input
gemini-3.5-flash-lite  minimal MINIMAL vertex    batch    2026-11-22 global             650      0    40 160  0.0003475
    650 × 0.15 + (40 + 160) × 1.25 = 347.5
gemini-3.5-flash-lite  medium  MEDIUM  vertex    batch    2026-11-22 global            8000   6144   900 160  0.00169556
    1,856 × 0.15 + 6,144 × 0.015 + (900 + 160) × 1.25 = 1,695.56
gemini-3.5-flash-lite  high    HIGH    vertex    batch    2026-11-22 us                 650      0  4321 160  0.00569875
    650 × 0.15 + (4,321 + 160) × 1.25 = 5,698.75
gemini-3.5-flash-lite  minimal MINIMAL developer batch    2026-11-22 global             650      0    40 160  0.0003475
    650 × 0.15 + (40 + 160) × 1.25 = 347.5
gemini-3.5-flash-lite  medium  MEDIUM  developer batch    2026-11-22 global            8000   6144   900 160  0.00172628
    1,856 × 0.15 + 6,144 × 0.02 + (900 + 160) × 1.25 = 1,726.28
gemini-3.5-flash-lite  high    HIGH    developer batch    2026-11-22 us                 650      0  4321 160  0.00569875
    650 × 0.15 + (4,321 + 160) × 1.25 = 5,698.75
gemini-4-argon         low     LOW     vertex    batch    2026-11-30 global            7001   6144   333 111  0.0033842
    857 × 1.00 + 6,144 × 0.05 + (333 + 111) × 5.00 = 3,384.2
gemini-4-argon         medium  MEDIUM  vertex    batch    2026-11-30 eu                7001   6144  1777 111  0.01166462
    857 × 1.00 + 6,144 × 0.05 + (1,777 + 111) × 5.00 = 10,604.2, × 1.1 = 11,664.62
gemini-4-argon         high    HIGH    vertex    batch    2026-12-01 eu                7001   6144  9999 111  0.11377124
    857 × 2.00 + 6,144 × 0.10 + (9,999 + 111) × 10.00 = 103,428.4, × 1.1 = 113,771.24
gemini-4-argon         low     LOW     developer batch    2026-11-30 global            7001   6144   333 111  0.0033842
    857 × 1.00 + 6,144 × 0.05 + (333 + 111) × 5.00 = 3,384.2
gemini-4-argon         medium  MEDIUM  developer batch    2026-11-30 eu                7001   6144  1777 111  0.0106042
    857 × 1.00 + 6,144 × 0.05 + (1,777 + 111) × 5.00 = 10,604.2
gemini-4-argon         high    HIGH    developer batch    2026-12-01 eu                7001   6144  9999 111  0.1034284
    857 × 2.00 + 6,144 × 0.10 + (9,999 + 111) × 10.00 = 103,428.4
gemini-3.1-pro-preview low     LOW     vertex    batch    2026-11-22 global          200000      0   500 300  0.2048
    200,000 × 1.00 + (500 + 300) × 6.00 = 204,800
gemini-3.1-pro-preview medium  MEDIUM  vertex    batch    2026-11-22 global          200001 150000  2500 300  0.185202
    50,001 × 2.00 + 150,000 × 0.40 + (2,500 + 300) × 9.00 = 185,202; over 200,000: the higher tier, all of it
gemini-3.1-pro-preview high    HIGH    vertex    batch    2026-11-22 global            1234     34 12345 300  0.0770768
    1,200 × 1.00 + 34 × 0.20 + (12,345 + 300) × 6.00 = 77,076.8
gemini-3.1-pro-preview low     LOW     vertex    standard 2026-11-22 global          200000      0   500 300  0.4096
    200,000 × 2.00 + (500 + 300) × 12.00 = 409,600
gemini-3.1-pro-preview medium  MEDIUM  vertex    standard 2026-11-22 global          200001 150000  2500 300  0.310404
    50,001 × 4.00 + 150,000 × 0.40 + (2,500 + 300) × 18.00 = 310,404; over 200,000: the higher tier, all of it
gemini-3.1-pro-preview high    HIGH    vertex    standard 2026-11-22 global            1234     34 12345 300  0.1541468
    1,200 × 2.00 + 34 × 0.20 + (12,345 + 300) × 12.00 = 154,146.8
gemini-2.5-pro         128     128     vertex    batch    2026-11-22 global             600      0   128 200  0.002015
    600 × 0.625 + (128 + 200) × 5.00 = 2,015
gemini-2.5-pro         8192    8192    vertex    batch    2026-11-22 global          200000 100000  8192 200  0.11696
    100,000 × 0.625 + 100,000 × 0.125 + (8,192 + 200) × 5.00 = 116,960
gemini-2.5-pro         max     32768   vertex    batch    2026-11-22 asia-northeast1 300000      0 32768 200  0.62226
    300,000 × 1.25 + (32,768 + 200) × 7.50 = 622,260; over 200,000: the higher tier, all of it
gemini-2.5-pro         128     128     vertex    standard 2026-11-22 global             600      0   128 200  0.00403
    600 × 1.25 + (128 + 200) × 10.00 = 4,030
gemini-2.5-pro         8192    8192    vertex    standard 2026-11-22 global          200000 100000  8192 200  0.22142
    100,000 × 1.25 + 100,000 × 0.125 + (8,192 + 200) × 10.00 = 221,420
gemini-2.5-pro         max     32768   vertex    standard 2026-11-22 asia-northeast1 300000      0 32768 200  1.24452
    300,000 × 2.50 + (32,768 + 200) × 15.00 = 1,244,520; over 200,000: the higher tier, all of it
"""
ROWS = [line.split() for line in BY_HAND.splitlines() if line and not line.startswith(" ")]


@pytest.mark.parametrize("row", ROWS, ids=" ".join)
def test_the_tool_comes_to_the_same_amount(row: list[str]) -> None:
    name, asked, sent, surface, mode, day, location, prompt, cached, thinking, answer, usd = row
    tables = packaged_tables()
    config = thinking_config(tables.models.models[name], asked).config
    assert [str(value) for value in config.values()] == [sent]
    price = tables.prices.price(name, date.fromisoformat(day), cast("Mode", mode), cast("Surface", surface))
    assert price is not None
    usage = Usage(prompt=int(prompt), cached=int(cached), thinking=int(thinking), answer=int(answer))
    surcharge = surface == "vertex" and pays_surcharge(location)
    assert cost(usage, price, surcharge=surcharge) == Usd(usd)


def test_the_table_is_as_large_as_it_says() -> None:
    by_model = {name: list(rows) for name, rows in groupby(ROWS, key=lambda row: row[0])}
    assert len(by_model) == 5
    for rows in by_model.values():
        assert len({row[1] for row in rows}) == 3
        assert len({(row[3], row[4]) for row in rows}) == 2
