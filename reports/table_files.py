"""A table as the files that others read on: CSV and Parquet."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from scenarios.csv_cells import as_text


def write_table(table: pl.DataFrame, folder: Path, name: str) -> list[Path]:
    """Write `NAME.csv` and `NAME.parquet`; texts in the CSV are cells as `csv_cells` writes them.

    Raises OSError.
    """
    paths = [folder / f"{name}.csv", folder / f"{name}.parquet"]
    texts = pl.col(pl.String).map_elements(as_text, return_dtype=pl.String)
    table.with_columns(texts).rename(as_text).write_csv(paths[0])
    table.write_parquet(paths[1])
    return paths
