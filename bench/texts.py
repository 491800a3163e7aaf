"""Made-up abstracts: mean 1,500 characters, half of them with non-ASCII, 4 % Chinese-Japanese-Korean. Nobody's text."""

import random
from collections.abc import Iterator
from pathlib import Path

_LETTERS = "eeeeaaaooiinnnrrsstttlldcumpghbfvywk"
_ACCENTED = _LETTERS + "éüöñçβαµ≥–’"
_CJK = "研究対象者夜勤前仮眠効果測定比較群無作為割付結果有意差認知機能反応時間睡眠質評価医療従事年間調査"


def texts(n: int, seed: int = 7) -> Iterator[str]:
    """Always the same for the same seed, and the first ones do not depend on n. No two are alike."""
    draw = random.Random(seed)
    plain = [_sentence(draw, _LETTERS) for _ in range(3000)]
    accented = [_sentence(draw, _ACCENTED) for _ in range(3000)]
    cjk = ["".join(draw.choices(_CJK, k=draw.randint(20, 60))) + "。" for _ in range(1000)]
    for number in range(n):
        share = draw.random()
        if share < 0.5:
            body = " ".join(draw.choices(plain, k=draw.randint(7, 18)))
        elif share < 0.96:
            k = draw.randint(7, 18)
            body = " ".join(draw.choices(plain, k=k - 2) + draw.choices(accented, k=2))
        else:
            body = "".join(draw.choices(cjk, k=draw.randint(8, 20)))
        yield f"{body} {number}."


def _sentence(draw: random.Random, letters: str) -> str:
    words = ("".join(draw.choices(letters, k=draw.randint(2, 11))) for _ in range(draw.randint(10, 24)))
    return " ".join(words).capitalize() + "."


def write_parquet(path: Path, n: int) -> None:
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    schema = pa.schema([("id", pa.string()), ("abstract", pa.large_string())])
    with ParquetWriter(path, schema, compression="zstd") as writer:
        batch: list[tuple[str, str]] = []
        for number, text in enumerate(texts(n)):
            batch.append((f"r{number}", text))
            if len(batch) == 10_000 or number == n - 1:
                ids, bodies = zip(*batch, strict=True)
                writer.write_table(pa.table([list(ids), list(bodies)], schema=schema))
                batch.clear()


def write_csv(path: Path, n: int) -> None:
    import csv

    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "abstract"])
        rows.writerows((f"r{number}", text) for number, text in enumerate(texts(n)))
