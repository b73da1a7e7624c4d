"""One table in the two forms that other programs read."""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl

from scenarios.csv_cells import as_text
from scenarios.whole_file import write_whole


def write_table_files(table: pl.DataFrame, folder: Path, name: str) -> tuple[Path, Path]:
    """Write `<name>.csv`, with texts as `csv_cells` writes them, and `<name>.parquet`; their paths.

    Raises OSError, which names the file.
    """
    csv, parquet = folder / f"{name}.csv", folder / f"{name}.parquet"
    texts = pl.col(pl.String).map_elements(as_text, return_dtype=pl.String)
    write_whole(csv, table.with_columns(texts).rename(as_text).write_csv().encode())
    columns = io.BytesIO()  # polars has words of its own for a full disk
    table.write_parquet(columns)
    write_whole(parquet, columns.getbuffer())
    return csv, parquet
