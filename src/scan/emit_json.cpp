// SPDX-License-Identifier: Apache-2.0
#include "scan/emit_json.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "core/files.hpp"
#include "model/json_fields.hpp"
#include "model/scan_json.hpp"
#include "scan/record.hpp"

namespace lab::scan {
namespace {

namespace fs = std::filesystem;
using json_fields::FieldReader;
using json_fields::FieldWriter;
using json_fields::Need;
using nlohmann::ordered_json;

constexpr const char* kFormat = "deduplab-scan-emit";
constexpr std::int64_t kVersion = 1;
constexpr Bytes kTextMax{256 << 20};  // A million paths that were left out are some 100 MB.

Error bad(std::string detail) { return {ErrorCode::kInvalidArgument, "scan-merge", std::move(detail)}; }

template <class Archive, class Class>
void class_fields(Archive&& field, Class& read) {
  field("files", read.files, Need::kRequired);
  field("bytes", read.bytes, Need::kRequired);
  field("hole_bytes", read.hole_bytes, Need::kRequired);
}

template <class Archive, class Sums>
void met_fields(Archive&& field, Sums& met) {
  field("chunks", met.chunks, Need::kRequired);
  field("bytes", met.bytes, Need::kRequired);
  field("zero_chunks", met.zero_chunks, Need::kRequired);
  field("zero_bytes", met.zero_bytes, Need::kRequired);
  field("zero_blocks", met.zero_blocks, Need::kRequired);
}

template <class Archive, class File>
void file_fields(Archive&& field, File& file) {
  field("name", file.name, Need::kRequired);
  field("rows", file.rows, Need::kRequired);
  field("bytes", file.bytes, Need::kRequired);
}

/// Each object of the array under `key` by `read`, which gets a reader of its fields and the object.
template <class Read>
void each(const ordered_json& in, const char* key, std::string& problem, const Read& read) {
  const auto found = in.find(key);
  if (found == in.end() || !found->is_array()) {
    if (problem.empty()) problem = fmt::format("key '{}' is not an array", key);
    return;
  }
  for (const ordered_json& item : *found) {
    if (problem.empty() && !item.is_object()) problem = fmt::format("key '{}' must hold objects", key);
    if (!problem.empty()) return;
    read(FieldReader(item, std::string(key) + ".", problem), item);
  }
}

void read_chunker(FieldReader field, const ordered_json& in, std::string& problem, Emitted& emitted) {
  EmittedChunker& chunker = emitted.chunkers.emplace_back();
  std::string word;
  std::uint32_t align = 0;
  field("chunker", word, Need::kRequired);
  field("align", align, Need::kRequired);
  field("spilled_bytes", chunker.spilled_bytes, Need::kRequired);
  if (!problem.empty()) return;
  const auto spec = parse_chunker(word);
  if (!spec) {
    problem = "key 'chunkers.chunker': " + spec.error().detail;
    return;
  }
  chunker.spec = *spec;
  chunker.spec.align = align;
  each(in, "classes", problem,
       [&](FieldReader inner, const ordered_json&) { met_fields(inner, chunker.met.emplace_back()); });
  each(in, "files", problem,
       [&](FieldReader inner, const ordered_json&) { file_fields(inner, chunker.files.emplace_back()); });
  if (problem.empty() && chunker.met.size() != emitted.classes.size())
    problem = "key 'chunkers.classes' has not one entry a class";
}

/// As read_notes, of a key that must be there.
void required_notes(const ordered_json& in, const char* key, std::string& problem,
                    std::vector<PathNote>& notes) {
  if (!problem.empty()) return;
  if (!in.contains(key)) {
    problem = fmt::format("key '{}' is missing", key);
    return;
  }
  if (const Status read = read_notes(in, key, notes); !read) problem = read.error().detail;
}

Status check_files(const fs::path& folder, const Emitted& emitted) {
  for (const EmittedChunker& chunker : emitted.chunkers)
    for (const EmittedFile& file : chunker.files) {
      const fs::path path = folder / file.name;
      std::error_code failure;
      const std::uintmax_t size = fs::file_size(path, failure);
      if (failure) return bad(fmt::format("{}: {}", path.string(), failure.message()));
      if (size != file.bytes)
        return bad(fmt::format("{} has {} bytes, {} says {}", path.string(), size, kEmittedName, file.bytes));
    }
  return ok();
}

}  // namespace

std::string emitted_text(const Emitted& emitted) {
  ordered_json out{{"format", kFormat},
                   {"version", kVersion},
                   {"id", emitted.id},
                   {"fingerprint", to_string(emitted.fingerprint)}};
  for (std::size_t i = 0; i < emitted.classes.size(); ++i) {
    ordered_json& entry = out["classes"].emplace_back(ordered_json::object());
    FieldWriter{entry}("name", emitted.classes[i]);
    class_fields(FieldWriter(entry), emitted.read[i]);
  }
  for (const EmittedChunker& chunker : emitted.chunkers) {
    ordered_json& entry = out["chunkers"].emplace_back(ordered_json::object());
    entry["chunker"] = chunker_name(chunker.spec);
    entry["align"] = chunker.spec.align;
    entry["spilled_bytes"] = chunker.spilled_bytes;
    entry["classes"] = ordered_json::array();
    for (const Met& met : chunker.met)
      met_fields(FieldWriter(entry["classes"].emplace_back(ordered_json::object())), met);
    entry["files"] = ordered_json::array();
    for (const EmittedFile& file : chunker.files)
      file_fields(FieldWriter(entry["files"].emplace_back(ordered_json::object())), file);
  }
  out["left_out"] = notes_json(emitted.left_out);
  out["incomplete"] = notes_json(emitted.incomplete);
  return out.dump(1) + "\n";
}

Result<Emitted> parse_emitted(const std::string& text) {
  const ordered_json in = ordered_json::parse(text, nullptr, false);
  if (!in.is_object()) return bad("it is not a JSON object");
  std::string problem;
  FieldReader field(in, "", problem);
  std::string format;
  std::int64_t version = 0;
  std::string fingerprint;
  Emitted emitted;
  field("format", format, Need::kRequired);
  field("version", version, Need::kRequired);
  field("id", emitted.id, Need::kRequired);
  field("fingerprint", fingerprint, Need::kRequired);
  if (!problem.empty()) return bad(problem);
  if (format != kFormat) return bad("key 'format' is '" + format + "', not '" + kFormat + "'");
  if (version != kVersion)
    return bad(fmt::format("its version is {}, this program reads {}", version, kVersion));
  const auto kind = parse_fingerprint(fingerprint);
  if (!kind) return bad("key 'fingerprint' is '" + fingerprint + "'");
  emitted.fingerprint = *kind;
  each(in, "classes", problem, [&](FieldReader inner, const ordered_json&) {
    inner("name", emitted.classes.emplace_back(), Need::kRequired);
    class_fields(inner, emitted.read.emplace_back());
  });
  if (problem.empty() && (emitted.classes.empty() || emitted.classes.size() > kClassesMax))
    problem = fmt::format("key 'classes' has not from 1 to {} entries", kClassesMax);
  each(in, "chunkers", problem, [&](FieldReader inner, const ordered_json& item) {
    read_chunker(std::move(inner), item, problem, emitted);
  });
  if (problem.empty() && emitted.chunkers.empty()) problem = "key 'chunkers' is empty";
  required_notes(in, "left_out", problem, emitted.left_out);
  required_notes(in, "incomplete", problem, emitted.incomplete);
  if (!problem.empty()) return bad(problem);
  return emitted;
}

Result<Emitted> read_emitted(const fs::path& folder) {
  const fs::path path = folder / kEmittedName;
  std::error_code unknown;
  if (!fs::is_directory(folder, unknown)) return bad(folder.string() + " is not a folder");
  if (!fs::exists(path, unknown))
    return bad(folder.string() + " has no " + kEmittedName + ": no scan --emit has ended there");
  const auto text = read_file(path, kTextMax);
  if (!text) return bad(text.error().detail);
  auto emitted = parse_emitted(*text);
  if (!emitted) return bad(path.string() + ": " + emitted.error().detail);
  LAB_TRY(check_files(folder, *emitted));
  return emitted;
}

}  // namespace lab::scan
