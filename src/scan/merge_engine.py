"""Counts the distinct chunks of emitted scans with DuckDB or Spark. Run by `deduplab scan-merge`.

The job comes as JSON on standard input; the answer goes as JSON to standard output: for each chunker a list of
[class or null, bucket, distinct chunks, chunks, bytes, bytes of the distinct ones]. Bucket i holds chunks that occur up
to 2^i times and more than 2^(i-1) times. Both engines run the same SQL. Exit code 3: the engine is not installed.
"""

import json
import os
import sys

MISSING = 3
PARTITION_BYTES = 16 << 20
BUCKET = "CASE WHEN copies = 1 THEN 0 ELSE length(bin(copies - 1)) END"


def query(key):
    """Distinct by fingerprint and length, and by class too where `key` names it."""
    shown = key or "NULL"
    more = f", {key}" if key else ""
    return f"""
        SELECT {shown} AS part, {BUCKET} AS bucket, count(*), sum(copies), sum(copies * bytes), sum(bytes)
        FROM (SELECT CAST(length AS BIGINT) AS bytes, sum(copies) AS copies{more}
              FROM chunks GROUP BY fingerprint, length{more})
        GROUP BY bucket{more}"""


def count_all(job, open_table, rows_of):
    answer = []
    for paths in job["chunkers"]:
        rows = []
        if paths:  # A chunker that met nothing but zeros has no file.
            open_table(paths)
            for key in ["", "class"] if job["by_class"] else [""]:
                rows += [[None if value is None else int(value) for value in row] for row in rows_of(query(key))]
        answer.append(rows)
    return answer


def with_duckdb(job):
    try:
        import duckdb
    except ImportError as missing:
        leave(missing)
    base = duckdb.connect()
    base.execute("SET temp_directory = ?", [os.path.join(job["temporary"], f"deduplab-merge-{os.getpid()}")])
    base.execute(f"SET memory_limit = '{job['memory_mib']}MiB'")
    base.execute(f"SET threads = {job['threads']}")
    base.execute("SET preserve_insertion_order = false")

    def open_table(paths):
        names = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
        base.execute(f"CREATE OR REPLACE VIEW chunks AS SELECT * FROM read_parquet([{names}])")

    return count_all(job, open_table, lambda text: base.execute(text).fetchall())


def partitions(job):
    """So many that each fits well into memory; a cluster has its own settings."""
    most = max(sum(os.path.getsize(path) for path in paths) for paths in job["chunkers"])
    return job["threads"] + most // PARTITION_BYTES


def with_spark(job):
    try:
        from pyspark.sql import SparkSession
    except ImportError as missing:
        leave(missing)
    builder = SparkSession.builder.appName("deduplab scan-merge").config("spark.ui.enabled", "false")
    if job["master"]:
        builder = builder.master(job["master"])
    else:
        builder = (
            builder.master(f"local[{job['threads']}]")
            .config("spark.driver.memory", f"{job['memory_mib']}m")
            .config("spark.local.dir", job["temporary"])
            .config("spark.sql.shuffle.partitions", str(partitions(job)))
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
        )
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")

    def open_table(paths):
        session.read.parquet(*["file://" + path for path in paths]).createOrReplaceTempView("chunks")

    try:
        return count_all(job, open_table, lambda text: session.sql(text).collect())
    finally:
        session.stop()


def leave(missing):
    print(missing, file=sys.stderr)
    sys.exit(MISSING)


def main():
    job = json.load(sys.stdin)
    # Engines say things on standard output too, DuckDB a bar after two seconds: only the answer belongs there.
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    answer = {"duckdb": with_duckdb, "spark": with_spark}[job["engine"]](job)
    json.dump(answer, output)
    output.close()


try:
    main()
except Exception as failure:  # The last line is what the user sees of a failed engine.
    words = [line.strip() for line in str(failure).splitlines() if line.strip()]
    print(f"{type(failure).__name__}: {' '.join(words[:3])}", file=sys.stderr)
    sys.exit(1)
