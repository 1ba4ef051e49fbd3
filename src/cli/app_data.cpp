// The option table of the sub-commands about data outside of runs.
// SPDX-License-Identifier: Apache-2.0
#include "cli/app_data.hpp"

namespace lab::cli {
namespace {

void add_generate(CLI::App& app, Values& values) {
  CLI::App* command = app.add_subcommand("generate", "Write a dataset with an exact share of duplicates");
  GenerateOptions& options = values.generate;
  command->add_option("--payload", options.payload, "Payload kind (see `payloads`)")
      ->required()
      ->type_name("KIND");
  command->add_option("--grade", options.grade, "Share of copies, U0 to U99")
      ->capture_default_str()
      ->type_name("GRADE");
  command->add_option("--objects", options.objects, "Number of objects")
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--object-size", options.object_size, "Size of an object, or a law")
      ->capture_default_str()
      ->type_name("SIZE");
  command->add_option("--seed", options.seed, "Dataset seed")->capture_default_str()->type_name("K");
  command
      ->add_option(
          "--duplicate-unit", options.duplicate_unit,
          "What is repeated: object, block:SIZE, block:SIZE:shift:BYTES, changed:BYTES or prefix:BYTES")
      ->capture_default_str()
      ->type_name("U");
  command->add_option("--popularity", options.popularity, "even, zipf:S or counts:FILE")
      ->capture_default_str()
      ->type_name("LAW");
  command->add_option("--order", options.order, "shuffled, adjacent, distant or alternate")
      ->capture_default_str()
      ->type_name("ORDER");
  command->add_option("--placement", options.placement, "within or across")
      ->capture_default_str()
      ->type_name("PLACEMENT");
  command->add_option("--containers", options.containers, "Containers of across (default 4)")->type_name("N");
  command
      ->add_option("--compressible", options.compressible,
                   "What zstd at level 3 leaves of an object, 0.2 to 0.99")
      ->type_name("R");
  command->add_option("--output", options.output, "New or empty directory, or - for standard output")
      ->type_name("DIR|-");
  command->add_option("--format", options.format, "Of --output -: raw (default), framed or tar")
      ->type_name("FORMAT");
  add_system_flags(*command, options.into, "--into", "In place of --output: a system (see `systems`)");
  command->add_option("--variant", options.into.variant, "Of the system (default its first)")->type_name("V");
  command->add_option("--manifest", options.manifest, "Of --into: new file for the manifest")
      ->type_name("FILE");
  command->add_option("--limit", options.limit, "Of --into: how long the objects may take (default 6h)")
      ->type_name("DURATION");
  command
      ->add_option("--real-world-dir", options.real_world_dir, "Folder of local and of downloaded real data")
      ->type_name("DIR");
  command->add_flag("--audit", options.audit, "Count what is distinct, against what was asked for");
  command->callback(
      [&values] { values.action = [&values] { return generate(values.generate, values.global); }; });
}

void add_download(CLI::App& app, Values& values) {
  CLI::App* command = app.add_subcommand("download", "Fetch real data that a list names, and check it");
  DownloadOptions& options = values.download;
  command->add_option("--list", options.list, "TOML file of addresses, sizes and SHA-256")
      ->required()
      ->type_name("FILE");
  command->add_option("--into", options.into, "Folder of real data: real_world_dir of a plan")
      ->required()
      ->type_name("DIR");
  auto* const mirror =
      command->add_option("--mirror", options.mirror, "Folder to copy from, for machines without a network")
          ->type_name("DIR");
  command
      ->add_option("--pin", options.pin,
                   "New list, with the sizes and SHA-256 that --list lacks, as they are measured now")
      ->type_name("NEWLIST")
      ->excludes(mirror);
  command->callback(
      [&values] { values.action = [&values] { return download(values.download, values.global); }; });
}

void add_scan(CLI::App& app, Values& values) {
  CLI::App* command = app.add_subcommand("scan", "How redundant files are, at which block size");
  ScanOptions& options = values.scan;
  command->add_option("paths", options.paths, "Files, folders and block devices")
      ->required()
      ->type_name("PATH...");
  command
      ->add_option("--chunker", options.chunkers,
                   "fixed:SIZE or cdc:AVERAGE (default fixed 512 to 1 MiB and cdc 512 to 64 KiB)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("CHUNKER,...");
  command->add_option("--align", options.alignments, "Offsets at which fixed blocks begin (default 0)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("OFFSET,...");
  command->add_option("--class", options.classes, "Count files of this name apart too, as '*.log=log'")
      ->allow_extra_args(false)
      ->type_name("GLOB=NAME");
  command->add_option("--threads", options.threads, "Workers (default the processors, at most 8)")
      ->type_name("N");
  command
      ->add_option("--memory", options.memory, "For all buffers and counters, whatever the size of the data")
      ->capture_default_str()
      ->type_name("SIZE");
  command
      ->add_option("--fingerprint", options.fingerprint, "xxh3, or blake3 or sha256 where data may be forged")
      ->capture_default_str()
      ->type_name("xxh3|sha256|blake3");
  command
      ->add_option("--temp", options.temporary, "Folder of temporary files (default $TMPDIR, else /var/tmp)")
      ->type_name("DIR");
  command->add_flag("--sketch", options.sketch, "Sample what does not fit in memory; no temporary files");
  command->add_flag("--direct", options.direct, "Read past the page cache (O_DIRECT)");
  command->add_flag("--verify", options.verify, "Compare the bytes of chunks that have the same fingerprint");
  command
      ->add_option("--manifest", options.manifest,
                   "Count the copies of the objects that generate --output DIR wrote")
      ->type_name("DIR");
  command->add_option("--census-csv", options.census_csv, "New file: the copies of each original")
      ->type_name("FILE");
  command
      ->add_option("--emit", options.emit, "New or empty folder: the fingerprints as Parquet, for scan-merge")
      ->type_name("DIR");
  command->callback([&values] { values.action = [&values] { return scan(values.scan, values.global); }; });
}

void add_scan_merge(CLI::App& app, Values& values) {
  CLI::App* command =
      app.add_subcommand("scan-merge", "How redundant the files of several scans are together");
  ScanMergeOptions& options = values.scan_merge;
  command->add_option("folders", options.folders, "What scan --emit wrote")->required()->type_name("DIR...");
  command->add_option("--engine", options.engine, "Counts: duckdb, or spark, which may have many machines")
      ->capture_default_str()
      ->type_name("duckdb|spark");
  command->add_option("--master", options.master, "Spark's master, as spark://host:7077 (default local)")
      ->type_name("URL");
  command->add_option("--python", options.python, "Interpreter that has the engine's package")
      ->capture_default_str()
      ->type_name("PROGRAM");
  command
      ->add_option("--threads", options.threads,
                   "Of an engine that runs locally (default the processors, at most 8)")
      ->type_name("N");
  command->add_option("--memory", options.memory, "Of an engine that runs locally")
      ->capture_default_str()
      ->type_name("SIZE");
  command
      ->add_option("--temp", options.temporary, "Folder of temporary files (default $TMPDIR, else /var/tmp)")
      ->type_name("DIR");
  command->callback(
      [&values] { values.action = [&values] { return scan_merge(values.scan_merge, values.global); }; });
}

}  // namespace

void add_system_flags(CLI::App& command, SystemFlags& flags, const char* flag, const char* what) {
  command.add_option(flag, flags.name, what)->type_name("SYSTEM");
  command.add_option("--url", flags.url, "Of a server, without its password")->type_name("URL");
  command.add_option("--path", flags.path, "Of an embedded system: its folder")->type_name("DIR");
  command.add_option("--option", flags.options, "Of the system, as namespace=mine")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
}

void add_data_commands(CLI::App& app, Values& values) {
  add_generate(app, values);
  add_download(app, values);
  add_scan(app, values);
  add_scan_merge(app, values);
}

}  // namespace lab::cli
