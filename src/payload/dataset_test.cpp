// Exact counts, the prefix property, ids, containers, and what is refused.
// SPDX-License-Identifier: Apache-2.0
#include "payload/dataset.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "payload/payload_test_support.hpp"
#include "payload/real_kinds.hpp"

namespace lab {
namespace {

constexpr Order kOrders[] = {Order::kShuffled, Order::kAdjacent, Order::kDistant, Order::kAlternate};

/// Checks what must hold for the facts of every dataset.
void expect_exact(const Dataset& dataset, std::uint64_t objects, int grade) {
  ASSERT_EQ(dataset.objects(), objects);
  ASSERT_EQ(dataset.distinct(), objects - objects * static_cast<unsigned>(grade) / 100);
  std::vector<std::uint64_t> original_of;
  std::uint64_t copies = 0;
  for (std::uint64_t number = 0; number < objects; ++number) {
    const ObjectFacts facts = dataset.facts(number);
    ASSERT_EQ(facts.number, number);
    if (facts.copy_of) {
      ASSERT_LT(*facts.copy_of, number);
      ASSERT_LT(facts.content, original_of.size());
      ASSERT_EQ(original_of[facts.content], *facts.copy_of);
      ++copies;
    } else {
      ASSERT_EQ(facts.content, original_of.size());  // Originals are contents 0, 1, 2, ... in stream order.
      original_of.push_back(number);
    }
  }
  ASSERT_EQ(original_of.size(), dataset.distinct());
  ASSERT_EQ(copies, objects - dataset.distinct());
}

TEST(Dataset, HasExactlyTheDistinctObjectsOfItsGrade) {
  for (const std::uint64_t objects : {1U, 2U, 3U, 7U, 40U, 100U, 500U, 1000U, 1024U}) {
    for (int grade = 0; grade <= 99; ++grade) {
      for (const Order order : kOrders) {
        for (const double zipf : {0.0, 1.2}) {
          SCOPED_TRACE(testing::Message()
                       << objects << " at U" << grade << ' ' << to_string(order) << ' ' << zipf);
          DatasetSpec spec = spec_of("random_binary", objects, grade, 4_KiB);
          spec.order = order;
          spec.popularity.zipf_exponent = zipf;
          expect_exact(*made(spec), objects, grade);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST(Dataset, HasFiftyOriginalsAtU90Of500) {
  EXPECT_EQ(made(spec_of("random_binary", 500, 90, 4_KiB))->distinct(), 50U);
}

TEST(Dataset, HasAsManyDifferentHashesAsItSays) {
  for (const std::string& kind : made_payloads()) {
    for (const int grade : {0, 50, 90, 99}) {
      for (const Order order : kOrders) {
        SCOPED_TRACE(testing::Message() << kind << " U" << grade << ' ' << to_string(order));
        DatasetSpec spec = spec_of(kind, 500, grade, Bytes{700});
        spec.order = order;
        spec.popularity.zipf_exponent = order == Order::kDistant ? 1.0 : 0.0;
        const auto dataset = made(spec);
        std::map<Digest, std::uint64_t> first_with;
        for (std::uint64_t number = 0; number < 500; ++number) {
          const ObjectFacts facts = dataset->facts(number);
          const auto [first, is_new] = first_with.emplace(sha256(bytes_of(*dataset, facts.content)), number);
          ASSERT_EQ(is_new, !facts.copy_of.has_value());
          ASSERT_EQ(first->second, facts.copy_of.value_or(number));
        }
        EXPECT_EQ(first_with.size(), dataset->distinct());
      }
    }
  }
}

TEST(Dataset, IsDistinctWhereSizesVaryDownToTheSmallest) {
  DatasetSpec spec = spec_of("random_binary", 256, 0, Bytes{1});
  spec.object_size = {.kind = SizeLaw::Kind::kUniform, .low = Bytes{1}, .high = Bytes{12}};
  const auto dataset = made(spec);
  std::set<std::string> seen;
  for (std::uint64_t number = 0; number < 256; ++number) seen.insert(text_of(*dataset, number));
  EXPECT_EQ(seen.size(), 256U);
}

TEST(Dataset, TakesTheFirstObjectsOfU0AsOriginalsOfEveryGradeSizeAndOrder) {
  for (const std::string& kind : made_payloads()) {
    DatasetSpec spec = spec_of(kind, 300, 0, {});
    spec.object_size = {.kind = SizeLaw::Kind::kLognormal, .low = 4_KiB, .high = {}, .sigma = 1.0};
    const auto whole = made(spec);
    for (std::uint64_t number = 0; number < 300; ++number) ASSERT_EQ(whole->facts(number).content, number);
    for (const std::uint64_t objects : {300U, 120U, 5'000U}) {
      for (const int grade : {50, 90}) {
        spec.objects = objects;
        spec.grade = grade;
        spec.order = grade == 50 ? Order::kAlternate : Order::kShuffled;
        const auto part = made(spec);
        for (std::uint64_t number = 0, original = 0; number < objects && original < 20; ++number) {
          if (part->facts(number).copy_of) continue;
          ASSERT_EQ(bytes_of(*part, part->facts(number).content), bytes_of(*whole, original)) << kind;
          ++original;
        }
      }
    }
  }
}

TEST(Dataset, HasOneSizeForEachContentAndFillsIt) {
  DatasetSpec spec = spec_of("text_document", 200, 0, {});
  spec.object_size = {.kind = SizeLaw::Kind::kUniform, .low = Bytes{100}, .high = Bytes{9'000}};
  const auto dataset = made(spec);
  std::set<std::int64_t> sizes;
  for (std::uint64_t number = 0; number < 200; ++number) {
    const auto size = dataset->source().size_of(number);
    ASSERT_TRUE(size);
    EXPECT_EQ(std::ssize(bytes_of(*dataset, number)), size->count);
    sizes.insert(size->count);
  }
  EXPECT_GT(sizes.size(), 150U);
}

TEST(Dataset, GivesValidUuidsThatAreEqualAcrossGradesAndDifferAcrossSeeds) {
  const auto whole = made(spec_of("random_binary", 2'000, 0, 4_KiB));
  const auto graded = made(spec_of("structured_json", 2'000, 90, 4_KiB));
  DatasetSpec other_spec = spec_of("random_binary", 2'000, 0, 4_KiB);
  other_spec.dataset_seed = 8;
  const auto other = made(other_spec);
  std::set<ObjectId> ids;
  for (std::uint64_t number = 0; number < 2'000; ++number) {
    const ObjectId id = whole->facts(number).id;
    EXPECT_EQ(static_cast<unsigned>(id[6]) >> 4U, 4U);  // Version.
    EXPECT_EQ(static_cast<unsigned>(id[8]) >> 6U, 2U);  // Variant.
    EXPECT_EQ(graded->facts(number).id, id);
    ids.insert(id);
    ids.insert(other->facts(number).id);
  }
  EXPECT_EQ(ids.size(), 4'000U);
  EXPECT_EQ(format_uuid(whole->facts(0).id), "2d8c5b12-b1f4-4b3e-b606-3f21b6260cd4");
  EXPECT_EQ(format_uuid(whole->facts(1).id), "eae6ed83-fe2f-4ca6-9fe0-17f86afae77e");
}

TEST(Dataset, KeepsAllObjectsInOneContainerWithin) {
  const auto dataset = made(spec_of("random_binary", 300, 90, 4_KiB));
  for (std::uint64_t number = 0; number < 300; ++number) EXPECT_EQ(dataset->facts(number).container, 0U);
}

TEST(Dataset, SpreadsTheCopiesOfOneOriginalOverContainersAcross) {
  for (const std::uint32_t containers : {1U, 2U, 3U, 10U}) {
    DatasetSpec spec = spec_of("random_binary", 1'000, 90, 4_KiB);  // Ten occurrences of each content.
    spec.placement = Placement::kAcross;
    spec.containers = containers;
    const auto dataset = made(spec);
    std::map<std::pair<std::uint64_t, std::uint32_t>, int> held;
    std::set<std::uint32_t> of_originals;
    for (std::uint64_t number = 0; number < 1'000; ++number) {
      const ObjectFacts facts = dataset->facts(number);
      ASSERT_LT(facts.container, containers);
      held[{facts.content, facts.container}] += 1;
      if (!facts.copy_of) of_originals.insert(facts.container);
    }
    EXPECT_EQ(held.size(), std::size_t{100} * containers);
    for (const auto& [place, count] : held) EXPECT_LE(count, 10 / static_cast<int>(containers) + 1);
    EXPECT_EQ(of_originals.size(), containers) << "originals are not all in one container";
  }
}

TEST(Dataset, SparesContentsThatNoObjectOfAnyGradeHas) {
  for (const int grade : {0, 90}) {
    const auto dataset = made(spec_of("random_binary", 250, grade, Bytes{1}));
    EXPECT_EQ(*dataset->spare_content(0), 250U);
    EXPECT_EQ(*dataset->spare_content(5), 255U);
    const auto beyond = dataset->spare_content(6);  // One byte tells 256 contents apart.
    ASSERT_FALSE(beyond);
    EXPECT_EQ(beyond.error().code, ErrorCode::kInvalidArgument);
    std::vector<std::byte> bytes;
    EXPECT_FALSE(dataset->source().fill(256, bytes));
    EXPECT_FALSE(dataset->source().size_of(256));
  }
}

TEST(Dataset, AcceptsAMillionObjectsAtOnce) {
  const auto dataset = made(spec_of("random_binary", 1'000'000, 95, 4_KiB));
  expect_exact(*dataset, 1'000'000, 95);
}

// --- What is refused ---

TEST(PayloadKinds, AreRefusedByNameWithTheNearestValidWord) {
  struct Case {
    const char* payload;
    ErrorCode code;
    const char* says;
  };
  for (const Case& c : {
           Case{"random_bynary", ErrorCode::kInvalidArgument, "did you mean 'random_binary'?"},
           Case{"JSON", ErrorCode::kInvalidArgument, "structured_json"},
           Case{"", ErrorCode::kInvalidArgument, "random_binary"},
           Case{"uuid_key", ErrorCode::kInvalidArgument, "did you mean 'uuid_keys'?"},
           Case{"directroy:/data", ErrorCode::kInvalidArgument, "did you mean 'directory:'?"},
           Case{"directory:", ErrorCode::kInvalidArgument, "directory:<path>"},
           Case{"directory:/no/such/folder", ErrorCode::kNotFound, "/no/such/folder"},
           Case{"nasa_images", ErrorCode::kInvalidArgument, "did you mean 'nasa_image'?"},
           Case{"mixed:uuid_key=1+text_document=1", ErrorCode::kInvalidArgument, "did you mean 'uuid_keys'?"},
       }) {
    SCOPED_TRACE(c.payload);
    const auto dataset = Dataset::make(spec_of(c.payload, 10, 0, 4_KiB));
    ASSERT_FALSE(dataset);
    EXPECT_EQ(dataset.error().code, c.code);
    EXPECT_NE(dataset.error().detail.find(c.says), std::string::npos) << dataset.error().detail;
  }
}

TEST(PayloadKinds, AreAllListedAndTheBuiltInOnesWork) {
  std::map<std::string, bool> built_in;
  for (const PayloadKind& kind : payload_kinds()) {
    EXPECT_FALSE(kind.what.empty()) << kind.name;
    built_in[kind.name] = kind.built_in;
    if (kind.name.starts_with("directory:")) continue;
    if (find_real_kind(kind.name) != nullptr) {
      EXPECT_EQ(Dataset::make(spec_of(kind.name, 10, 0, 4_KiB)).error().code, ErrorCode::kInvalidArgument)
          << "it needs a folder";
      continue;
    }
    EXPECT_EQ(Dataset::make(spec_of(kind.name, 10, 0, 4_KiB)).has_value(), kind.built_in) << kind.name;
  }
  EXPECT_EQ(built_in.size(), 16U);
  EXPECT_TRUE(built_in.at("directory:<path>"));
}

TEST(SmallestObjectSize, IsWhereNDistinctObjectsStillFit) {
  EXPECT_EQ(**smallest_object_size("random_binary", 1), Bytes{1});
  EXPECT_EQ(**smallest_object_size("random_binary", 256), Bytes{1});
  EXPECT_EQ(**smallest_object_size("random_binary", 257), Bytes{2});
  EXPECT_EQ(**smallest_object_size("random_binary", 65'537), Bytes{3});
  EXPECT_EQ(**smallest_object_size("random_binary", 1ULL << 60U), Bytes{8});
  EXPECT_EQ(**smallest_object_size("structured_json", 5), Bytes{46});
  EXPECT_EQ(**smallest_object_size("text_document", 5), Bytes{27});
  EXPECT_FALSE(smallest_object_size("directory:/tmp", 5)->has_value());
  EXPECT_EQ(**smallest_object_size("uuid_keys", 5), Bytes{40});
  EXPECT_EQ(**smallest_object_size("jsonb_documents", 5), Bytes{50});
  EXPECT_EQ(**smallest_object_size("time_series", 5), Bytes{48});
  EXPECT_EQ(**smallest_object_size("synthetic_transactions", 5), Bytes{134});
  EXPECT_FALSE(smallest_object_size("text_corpus", 5)->has_value());
  EXPECT_EQ(smallest_object_size("random", 5).error().code, ErrorCode::kInvalidArgument);
}

TEST(Dataset, RefusesSizesThatCannotHoldItsObjectsAndNamesTheSmallest) {
  const auto error_of = [](const std::string& kind, std::uint64_t objects, SizeLaw law) {
    DatasetSpec spec = spec_of(kind, objects, 50, {});
    spec.object_size = law;
    const auto dataset = Dataset::make(spec);
    const Status checked = Dataset::check(spec);
    if (dataset || checked) return Error{ErrorCode::kInternal, "", "accepted"};
    EXPECT_EQ(checked.error().text(), dataset.error().text());
    return dataset.error();
  };
  using Kind = SizeLaw::Kind;
  struct Case {
    const char* kind = nullptr;
    std::uint64_t objects = 0;
    SizeLaw law{};
    const char* says = nullptr;
  };
  for (const Case& c : {
           Case{"random_binary", 257, {.low = Bytes{1}}, "257 distinct objects of random_binary: at least 2"},
           Case{"structured_json", 1, {.low = Bytes{45}}, "at least 46"},
           Case{"text_document", 1, {.low = Bytes{26}}, "at least 27"},
           Case{"text_document", 9, {Kind::kUniform, Bytes{5}, Bytes{90}, 0}, "at least 27"},
           Case{"random_binary", 9, {Kind::kLognormal, Bytes{7}, {}, 1.0}, "at least 8"},
           Case{"random_binary", 9, {Kind::kLognormal, Bytes{70}, {}, 0.0}, "sigma"},
           Case{"random_binary", 9, {Kind::kUniform, Bytes{70}, Bytes{60}, 0}, "below the smallest"},
           Case{"random_binary", 1, {.low = Bytes{0}}, "1 byte to 1 TiB"},
           Case{"random_binary", 1, {.low = Bytes{-5}}, "1 byte to 1 TiB"},
           Case{"random_binary", 1, {.low = Bytes{(1LL << 40) + 1}}, "1 byte to 1 TiB"},
       }) {
    SCOPED_TRACE(testing::Message() << c.kind << ' ' << to_string(c.law));
    const Error error = error_of(c.kind, c.objects, c.law);
    EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
    EXPECT_NE(error.detail.find(c.says), std::string::npos) << error.detail;
  }
}

TEST(Dataset, RefusesWhatIsOutOfDomain) {
  const DatasetSpec good = spec_of("random_binary", 100, 50, 4_KiB);
  ASSERT_TRUE(Dataset::make(good));
  const auto code_of = [&](auto change) {
    DatasetSpec spec = good;
    change(spec);
    const auto dataset = Dataset::make(spec);
    return dataset ? std::string("accepted") : std::string(to_string(dataset.error().code));
  };
  EXPECT_EQ(code_of([](DatasetSpec& s) { s.objects = 0; }), "INVALID_ARGUMENT");
  EXPECT_EQ(code_of([](DatasetSpec& s) { s.grade = 100; }), "INVALID_ARGUMENT");
  EXPECT_EQ(code_of([](DatasetSpec& s) { s.grade = -1; }), "INVALID_ARGUMENT");
  EXPECT_EQ(code_of([](DatasetSpec& s) { s.popularity.zipf_exponent = -1; }), "INVALID_ARGUMENT");
  EXPECT_EQ(code_of([](DatasetSpec& s) { s.popularity.zipf_exponent = 11; }), "INVALID_ARGUMENT");
  EXPECT_EQ(code_of([](DatasetSpec& s) { s.containers = 0; }), "INVALID_ARGUMENT");
  EXPECT_EQ(code_of([](DatasetSpec& s) { s.containers = 2; }), "INVALID_ARGUMENT");  // Placement is `within`.
  EXPECT_EQ(code_of([](DatasetSpec& s) { s.objects = 1ULL << 62U; }), "RESOURCE_EXHAUSTED");
}

TEST(Dataset, IsCheckedWithoutBeingPlanned) {
  DatasetSpec spec = spec_of("random_binary", 100, 50, 4_KiB);
  spec.objects = 1ULL << 62U;  // No machine could plan it.
  const Status checked = Dataset::check(spec);
  EXPECT_TRUE(checked) << checked.error().text();
}

}  // namespace
}  // namespace lab
