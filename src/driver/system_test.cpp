// SPDX-License-Identifier: Apache-2.0
// The registry's look-up, the shared checks of a configuration, and the inherited refusals.
#include "driver/system.hpp"

#include <gtest/gtest.h>

#include "core/testing/temporary_folder.hpp"
#include "driver/embedded_observer.hpp"

namespace lab {
namespace {

SystemEntry engine() {
  return {.name = "engine",
          .native = true,
          .variants = {{"plain", ""}, {"packed", "", std::nullopt, "it packs a payload column"}},
          .options = {"cache_size"}};
}

TEST(FindSystem, FindsByTheWholeName) {
  const Registry registry{engine()};
  ASSERT_NE(find_system(registry, "engine"), nullptr);
  EXPECT_EQ(find_system(registry, "engine")->variants.size(), 2U);
  EXPECT_EQ(find_system(registry, "eng"), nullptr);
}

TEST(ResolveConfig, TakesTheFirstVariantAsTheDefault) {
  EXPECT_EQ(*resolve_config(engine(), {}), "plain");
  EXPECT_EQ(*resolve_config(engine(), {.variant = "packed"}), "packed");
}

TEST(ResolveConfig, RejectsWhatItDoesNotKnowAndNamesTheNearest) {
  struct Case {
    const char* what = "";
    SystemConfig config{};
    ErrorCode want{};
    const char* word = "";
  };
  const Case cases[] = {
      {"variant", {.variant = "pakced"}, ErrorCode::kInvalidArgument, "'packed'"},
      {"option", {.options = {{"cache_sizes", "1"}}}, ErrorCode::kInvalidArgument, "'cache_size'"},
      {"containers", {.containers = 0}, ErrorCode::kInvalidArgument, "containers"},
      {"mode", {.mode = "natve"}, ErrorCode::kUnsupported, "'natve', only blob and native"},
      {"variant without the mode",
       {.variant = "packed", .mode = "native", .payload = "uuid_keys"},
       ErrorCode::kUnsupported,
       "it packs a payload column"},
      {"payload without a schema",
       {.mode = "native", .payload = "directory:/data"},
       ErrorCode::kUnsupported,
       "payload 'directory:/data' has no schema of mode 'native'"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    const auto resolved = resolve_config(engine(), c.config);
    ASSERT_FALSE(resolved);
    EXPECT_EQ(resolved.error().code, c.want);
    EXPECT_NE(resolved.error().detail.find(c.word), std::string::npos) << resolved.error().detail;
  }
}

TEST(ResolveConfig, GivesNativeModeToWhoHasItAndToNobodyElse) {
  const SystemConfig config{.mode = "native", .payload = "uuid_keys"};
  EXPECT_EQ(*resolve_config(engine(), config), "plain");
  EXPECT_EQ(schema_of(config)->payload, "uuid_keys");
  EXPECT_EQ(schema_of({.payload = "uuid_keys"}), nullptr) << "the mode decides, not the payload";
  SystemEntry without = engine();
  without.native = false;
  const auto refused = resolve_config(without, config);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(refused.error().detail.find("engine has no mode 'native'"), std::string::npos);
}

/// Declares nothing.
struct BareDriver final : Driver {
  const DriverInfo& info() const noexcept override { return info_; }
  Status prove(const CallContext&) override { return ok(); }
  Status reset(const CallContext&) override { return ok(); }
  Status put(const CallContext&, const Object&) override { return ok(); }
  Status read_all(const CallContext&, const ObjectSink&) override { return ok(); }
  Result<std::uint64_t> count(const CallContext&) override { return std::uint64_t{0}; }
  Status flush(const CallContext&) override { return ok(); }
  DriverInfo info_{.system = "bare", .variant = "default"};
};

TEST(Driver, RefusesWhatItDoesNotDeclare) {
  BareDriver driver;
  const CallContext call{};
  for (const Error& error :
       {driver.put_batch(call, {}).error(), driver.get(call, {}).error(), driver.erase(call, {}).error(),
        driver.erase_all(call, DeleteAll::kTruncate).error(), driver.maintain(call).error()})
    EXPECT_EQ(error.code, ErrorCode::kUnsupported) << error.text();
  EXPECT_EQ(driver.erase_all(call, DeleteAll::kTruncate).error().operation, "bare.delete_truncate");
}

TEST(FilePart, HasTheNamesOfTheReport) {
  EXPECT_EQ(to_string(FilePart::kPayload), "payload");
  EXPECT_EQ(to_string(FilePart::kIndex), "index");
  EXPECT_EQ(to_string(FilePart::kLog), "log");
  EXPECT_EQ(to_string(FilePart::kMeta), "meta");
  EXPECT_EQ(to_string(FilePart::kOthers), "others");
}

struct PlainObserver final : EmbeddedObserver {
  using EmbeddedObserver::EmbeddedObserver;
  Result<std::map<std::string, std::string>> settings(const CallContext&) override {
    return std::map<std::string, std::string>{};
  }
  Result<std::vector<Counter>> activity(const CallContext&) override { return file_system_counters(data()); }
  std::optional<FilePart> part_of(const std::filesystem::path&) const override { return std::nullopt; }
};

TEST(EmbeddedObserver, SaysWhereAndSinceWhen) {
  const TemporaryFolder folder;
  PlainObserver observer("engine", "1.2", folder.path() / ".");
  const auto identity = observer.identity({});
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->name, "engine");
  EXPECT_EQ(identity->version, "1.2");
  EXPECT_EQ(identity->identity, std::filesystem::canonical(folder.path()).string());
  EXPECT_EQ(identity->started_at, process_started_at());
  EXPECT_EQ(identity->started_at.find("unknown"), std::string::npos) << identity->started_at;
  EXPECT_EQ(*observer.copies({}), 1.0);
  EXPECT_TRUE(observer.busy({})->empty());
  EXPECT_EQ(observer.footprint({}).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(observer.activity({})->size(), 3U);
}

}  // namespace
}  // namespace lab
