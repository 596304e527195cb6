//! A case's objects as Parquet: segments of a bounded size, sorted by key.
