"""One table in the two forms that other programs read."""

from __future__ import annotations

import io
from pathlib import Path

from polars import DataFrame

from scenarios.whole_file import write_whole


def write_table_files(table: DataFrame, folder: Path, name: str) -> None:
    """Write `<name>.csv` and `<name>.parquet`. Raises OSError, which names the file."""
    write_whole(folder / f"{name}.csv", table.write_csv().encode())
    parquet = io.BytesIO()  # polars has words of its own for a full disk
    table.write_parquet(parquet)
    write_whole(folder / f"{name}.parquet", parquet.getbuffer())
