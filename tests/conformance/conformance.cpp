// Objects, trees and the fixture of the conformance suite.
// SPDX-License-Identifier: Apache-2.0
#include "conformance.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "servers.hpp"

namespace lab {

namespace fs = std::filesystem;

std::string name_of(const testing::TestParamInfo<Candidate>& info) {
  const Candidate& candidate = info.param;
  const bool first = candidate.variant == candidate.entry->variants.front().name;
  std::string name = candidate.entry->name + (first ? "_" : "_also_") + candidate.variant;
  if (!candidate.payload.empty()) {
    // These have all types of columns among them; the others are for the label deep.
    constexpr std::array<std::string_view, 5> kUsual{"synthetic_transactions", "jsonb_documents",
                                                     "random_binary", "bank_transactions", "numeric_dataset"};
    const bool usual = std::ranges::find(kUsual, candidate.payload) != kUsual.end();
    name = candidate.entry->name + (usual ? "_native_" : "_also_native_") + candidate.payload;
  }
  for (char& letter : name)
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0) letter = '_';
  return name;
}

void PrintTo(const Candidate& candidate, std::ostream* out) {
  *out << candidate.entry->name << " " << candidate.variant << " " << candidate.payload;
}

ObjectId id_of(std::uint64_t number) {
  ObjectId id{};
  const std::uint64_t spread = mix64(number);
  std::memcpy(id.data(), &spread, 8);
  std::memcpy(id.data() + 8, &number, 8);
  std::swap(id[8], id[15]);
  id[6] = (id[6] & std::byte{0x0f}) | std::byte{0x40};
  id[8] = (id[8] & std::byte{0x3f}) | std::byte{0x80};
  return id;
}

std::string random_bytes(std::uint64_t seed, std::size_t size) {
  Random random(seed);
  std::string bytes(size, '\0');
  for (std::size_t at = 0; at < size; at += 8) {
    const std::uint64_t value = random.next();
    std::memcpy(bytes.data() + at, &value, std::min<std::size_t>(8, size - at));
  }
  return bytes;
}

Made made(std::uint64_t number, std::string payload, std::uint32_t container) {
  return {id_of(number), container, std::move(payload)};
}

std::vector<Made> made_many(std::uint64_t first, std::size_t objects, std::size_t size) {
  std::vector<Made> all;
  for (std::uint64_t number = first; number < first + objects; ++number)
    all.push_back(made(number, random_bytes(number + 1, size)));
  return all;
}

std::vector<Object> views(const std::vector<Made>& objects) {
  std::vector<Object> all;
  for (const Made& object : objects) all.push_back(object.view());
  return all;
}

std::vector<ObjectKey> keys(const std::vector<Made>& objects) {
  std::vector<ObjectKey> all;
  for (const Made& object : objects) all.push_back(object.key());
  return all;
}

Tree tree_of(const fs::path& root, const Observer* observer) {
  Tree tree;
  std::error_code failure;  // A server removes folders while we walk.
  for (fs::recursive_directory_iterator entry(root, failure), end; !failure && entry != end;
       entry.increment(failure)) {
    struct stat info{};
    if (::lstat(entry->path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    tree.apparent += info.st_size;
    tree.allocated += info.st_blocks * 512;
    if (observer != nullptr && observer->part_of(entry->path().lexically_relative(root)) == FilePart::kLog)
      tree.log += info.st_blocks * 512;
  }
  return tree;
}

Tree tree_with_digests(const fs::path& root) {
  Tree tree = tree_of(root);
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    const std::string name = entry.path().lexically_relative(root).string();
    tree.digests[name] = entry.is_regular_file() ? to_hex(sha256(*read_file(entry.path()))) : "folder";
  }
  return tree;
}

void DriverConformance::SetUp() {
  if (embedded()) {
    config_.path = folder_.path() / "home";
  } else {
    auto server = server_config(GetParam().entry->name);
    if (!server && server.error().code == ErrorCode::kNotFound && !server_required(GetParam().entry->name))
      GTEST_SKIP() << server.error().detail;
    ASSERT_TRUE(server) << server.error().text();
    config_ = std::move(*server);
  }
  config_.variant = GetParam().variant;
  config_.run_id = "20260131T120000Z-7e57ab1e";
  config_.payload = GetParam().payload;
  if (!config_.payload.empty()) config_.mode = "native";
  open();
  if (HasFatalFailure() || IsSkipped()) return;
  const Status emptied = driver_->reset(soon());
  ASSERT_TRUE(emptied) << emptied.error().text();
}

void DriverConformance::open() {
  auto session = GetParam().entry->open(config_, soon());
  // An old server may lack what a variant needs; it says so, and a run records the cell as unsupported.
  if (!session && !embedded() && session.error().code == ErrorCode::kUnsupported)
    GTEST_SKIP() << session.error().text();
  ASSERT_TRUE(session) << session.error().text();
  session_ = std::move(*session);
  auto driver = session_->open_driver(soon());
  ASSERT_TRUE(driver) << driver.error().text();
  driver_ = std::move(*driver);
  auto observer = session_->open_observer(soon());
  ASSERT_TRUE(observer) << observer.error().text();
  observer_ = std::move(*observer);
}

bool DriverConformance::frees_by_itself_alone() {
  const auto who = observer_->identity(soon());
  EXPECT_TRUE(who) << who.error().text();
  return who && who->name == "SeaweedFS";
}

void DriverConformance::close() {
  observer_.reset();
  driver_.reset();
  session_.reset();
}

void DriverConformance::load(const std::vector<Made>& objects) {
  if (declares(Capability::kBatch)) {
    const Status put = driver_->put_batch(soon(), views(objects));
    ASSERT_TRUE(put) << put.error().text();
  } else {
    for (const Made& object : objects) {
      const Status put = driver_->put(soon(), object.view());
      ASSERT_TRUE(put) << put.error().text();
    }
  }
  const Status flushed = driver_->flush(soon());
  ASSERT_TRUE(flushed) << flushed.error().text();
}

void DriverConformance::expect_holds(const std::vector<Made>& objects) {
  using Row = std::tuple<std::string, std::uint32_t, Digest>;
  std::vector<Row> want;
  for (const Made& object : objects)
    want.emplace_back(as_text(object.id), object.container, sha256(object.payload));
  std::vector<Row> have;
  const Status read = driver_->read_all(
      soon(), [&](const ObjectId& id, std::uint32_t container, std::span<const std::byte> payload) {
        have.emplace_back(as_text(id), container, sha256(payload));
        return ok();
      });
  ASSERT_TRUE(read) << read.error().text();
  std::sort(want.begin(), want.end());
  std::sort(have.begin(), have.end());
  EXPECT_EQ(have.size(), want.size());
  EXPECT_TRUE(have == want) << "the objects read back are not the ones that were acknowledged";
  EXPECT_EQ(count(), want.size());
}

void DriverConformance::TearDown() {
  close();
  if (embedded() || config_.url.empty()) return;
  const Status removed = GetParam().entry->remove(config_, soon());
  EXPECT_TRUE(removed) << removed.error().text();
}

namespace {

/// Lengths of the files that hold payload: blocks would hide what still fits into a file's last one.
std::int64_t payload_files(Observer& observer) {
  std::int64_t bytes = 0;
  const auto folders = observer.directories(soon());
  EXPECT_TRUE(folders && !folders->empty()) << "neither an engine's figure nor files";
  if (!folders) return bytes;
  for (const fs::path& folder : *folders) {
    EXPECT_TRUE(sync_file_system(folder));
    std::error_code failure;  // A server removes files while we walk.
    for (fs::recursive_directory_iterator entry(folder, failure), end; !failure && entry != end;
         entry.increment(failure)) {
      struct stat info{};
      if (::lstat(entry->path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
      const bool payload = observer.part_of(entry->path().lexically_relative(folder)) == FilePart::kPayload;
      bytes += payload ? info.st_size : 0;
    }
  }
  return bytes;
}

}  // namespace

double DriverConformance::await_quiet() {
  const auto limit = Clock::now() + 30s;
  double work = 1;
  while (work > 0 && Clock::now() < limit) {
    const auto busy = observer_->busy(soon());
    EXPECT_TRUE(busy) << busy.error().text();
    if (!busy) return work;
    EXPECT_EQ(busy->empty(), !info().background_work);
    work = 0;
    for (const auto& [name, value] : *busy) work += value;
  }
  return work;
}

Tree DriverConformance::disk() {
  Tree all;
  const auto folders = observer_->directories(soon());
  EXPECT_TRUE(folders) << folders.error().text();
  if (!folders) return all;
  for (const auto& folder : *folders) {
    EXPECT_TRUE(sync_file_system(folder));
    const Tree one = tree_of(folder, observer_.get());
    all.apparent += one.apparent;
    all.allocated += one.allocated;
    all.log += one.log;
  }
  return all;
}

std::int64_t DriverConformance::payload_bytes() {
  const auto figure = observer_->footprint(soon());
  if (!figure && figure.error().code == ErrorCode::kUnsupported) return payload_files(*observer_);
  EXPECT_TRUE(figure) << figure.error().text();
  return figure ? figure->parts.at("payload").count : 0;
}

std::int64_t DriverConformance::held_bytes() { return embedded() ? disk().allocated : payload_bytes(); }

std::uint64_t DriverConformance::count() {
  const auto counted = driver_->count(soon());
  EXPECT_TRUE(counted) << counted.error().text();
  return counted ? *counted : 0;
}

}  // namespace lab
