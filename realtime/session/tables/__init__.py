"""A recorded session as CSV or Parquet."""
