// Formulas against numbers that NumPy 2.4.6 and SciPy 1.17.1 gave once: stats.t.ppf(0.975, df),
// x.std(ddof=1), stats.ttest_ind(..., equal_var=False).confidence_interval(0.95); intervals as mean +-
// sqrt(h^2 + (1.96 u)^2). SPDX-License-Identifier: Apache-2.0
#include "report/statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace lab::report {
namespace {

constexpr std::int64_t kL = 52'428'800;

TEST(StudentT, AgreesWithScipy) {
  struct Case {
    double degrees;
    double want;
  };
  for (const Case& c : {Case{1, 12.706204736175},  Case{1.5, 6.016663104428},  Case{2, 4.302652729749},
                        Case{2.7, 3.392148383174}, Case{3, 3.182446305284},    Case{4, 2.776445105198},
                        Case{5, 2.570581835636},   Case{6, 2.446911851145},    Case{9, 2.262157162798},
                        Case{10, 2.228138851986},  Case{19, 2.093024054408},   Case{29, 2.045229642133},
                        Case{30, 2.042272456301},  Case{60, 2.000297822014},   Case{99, 1.984216951586},
                        Case{100, 1.983971518524}, Case{120, 1.979930405082},  Case{500, 1.964719837467},
                        Case{999, 1.962341461133}, Case{1000, 1.962339080826}, Case{1e6, 1.959966356814},
                        Case{1e9, 1.959966356814}}) {
    SCOPED_TRACE(c.degrees);
    EXPECT_NEAR(student_t_quantile_975(c.degrees), c.want, 1e-8);
  }
}

TEST(StudentTDeathTest, TakesNoDegreeBelowOne) {
  EXPECT_DEATH(static_cast<void>(student_t_quantile_975(0.5)), "degree of freedom");
}

TEST(EffectiveDedupRatio, CountsCopiesOnceAndNeverDividesAFigureOfOneCopy) {
  struct Case {
    const char* what;
    StoredSize size;
    double want, want_cluster;
  };
  for (const Case& c :
       {Case{"nothing saved", {kL, kL, 1, true}, 1, 1}, Case{"half", {kL, kL / 2, 1, true}, 2, 2},
        Case{"three full copies", {kL, 3 * kL, 3, true}, 1, 1.0 / 3},
        Case{"one of three copies seen", {kL, kL, 3, false}, 1, 1.0 / 3},
        Case{"replicated by the storage", {kL, 2 * kL, 2, true, 3}, 1, 1.0 / 6},
        Case{"erasure code 4+2", {kL, kL * 3 / 2, 1.5, true}, 1, 2.0 / 3}}) {
    SCOPED_TRACE(c.what);
    EXPECT_DOUBLE_EQ(*effective_dedup_ratio(c.size), c.want);
    EXPECT_DOUBLE_EQ(*cluster_dedup_ratio(c.size), c.want_cluster);
  }
}

TEST(EffectiveDedupRatio, RefusesWhatIsNoSize) {
  for (const StoredSize& size :
       {StoredSize{0, 5, 1, true}, StoredSize{-1, 5, 1, true}, StoredSize{5, 0, 1, true},
        StoredSize{5, -1, 1, true}, StoredSize{5, 5, 0, true}, StoredSize{5, 5, 0.5, true},
        StoredSize{5, 5, std::nan(""), true}, StoredSize{5, 5, HUGE_VAL, true}}) {
    SCOPED_TRACE(std::to_string(size.logical_bytes) + " " + std::to_string(size.stored_bytes));
    EXPECT_EQ(effective_dedup_ratio(size).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(cluster_dedup_ratio(size).error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(SystematicUncertainty, AddsItsPartsInQuadrature) {
  EXPECT_DOUBLE_EQ(systematic_uncertainty({}), 0);
  EXPECT_DOUBLE_EQ(systematic_uncertainty({.quantum = std::sqrt(12.0)}), 1);
  EXPECT_DOUBLE_EQ(systematic_uncertainty({.quantum = 0, .noise = 3, .residue = 4}), 5);
}

// Plain numbers of systems whose answer is known: what each stored of 50 MiB in 400 objects at U0 and at the
// grade.
TEST(DuplicateRemovalEfficiency, GivesTheKnownAnswers) {
  struct Case {
    const char* what;
    std::int64_t unique, stored_u0, stored_ug;
    double want;
  };
  constexpr std::int64_t kU50 = kL / 2;
  constexpr std::int64_t kU90 = kL / 10;
  for (const Case& c : {
           Case{"plain files", kU90, 52'445'184, 52'445'184, 0},
           Case{"content-addressed, by NumPy", kU90, 52'445'184, 5'259'264, 0.9996875976257419},
           Case{"per-value storage, EDR 0.956 at both grades", kU90, 54'841'841, 54'841'841, 0},
           Case{"compression alone, EDR 2.356 at both grades", kU90, 22'253'310, 22'253'310, 0},
           Case{"backup archive, EDR 0.997 / 9.76", kU90, 52'586'560, 5'371'803, 0.9976},
           Case{"backup archive, EDR 0.997 / 1.990", kU50, 52'586'560, 26'346'131, 0.9980},
           Case{"sorted by hash and compressed in a window, EDR 1 / 4.76", kU90, 52'428'800, 11'014'454,
                0.8777},
           Case{"copies cost more than originals", kU90, 52'428'800, 57'147'392, -0.1},
       }) {
    SCOPED_TRACE(c.what);
    const auto eta = duplicate_removal_efficiency({kL, kL, c.stored_u0, 0}, {kL, c.unique, c.stored_ug, 0});
    ASSERT_TRUE(eta);
    EXPECT_NEAR(eta->eta, c.want, 1e-4);
    EXPECT_EQ(eta->uncertainty, 0);
  }
}

TEST(DuplicateRemovalEfficiency, AllowsDuplicatesAtU0) {
  // By NumPy: U0 with d = 0.03, Ug with 90 % of its bytes and d = 0.75.
  const auto eta = duplicate_removal_efficiency({kL, kL * 97 / 100, 54'845'440, 0},
                                                {kL * 9 / 10, kL * 9 / 40, 12'000'000, 0});
  ASSERT_TRUE(eta);
  EXPECT_NEAR(eta->eta, 1.0191001408812146, 1e-7);
}

TEST(DuplicateRemovalEfficiency, PropagatesItsUncertaintyToFirstOrder) {
  const PairSide original{kL, kL * 95 / 100, 50'000'000, 300'000};
  const PairSide graded{kL, kL / 10, 20'000'000, 200'000};
  const auto at = [&](double stored_u0, double stored_ug) {
    PairSide moved_original = original;
    PairSide moved_graded = graded;
    moved_original.stored_bytes = std::llround(stored_u0);
    moved_graded.stored_bytes = std::llround(stored_ug);
    return duplicate_removal_efficiency(moved_original, moved_graded)->eta;
  };
  const double by_u0 = (at(50'150'000, 20e6) - at(49'850'000, 20e6)) * 300'000 / 300'000;
  const double by_ug = (at(50e6, 20'100'000) - at(50e6, 19'900'000)) * 200'000 / 200'000;
  const auto eta = duplicate_removal_efficiency(original, graded);
  ASSERT_TRUE(eta);
  EXPECT_NEAR(eta->uncertainty, std::hypot(by_u0, by_ug), 1e-6);
}

TEST(DuplicateRemovalEfficiency, IsRRelativeOverDWhenU0HasNoDuplicates) {
  const auto eta =
      duplicate_removal_efficiency({kL, kL, 50'000'000, 500'000}, {kL, kL / 10, 25'000'000, 500'000});
  ASSERT_TRUE(eta);
  EXPECT_NEAR(eta->uncertainty, 0.5 * std::hypot(0.02, 0.01) / 0.9, 1e-12);
}

TEST(DuplicateRemovalEfficiency, RefusesWhatIsOutsideItsDomain) {
  const PairSide original{kL, kL, kL, 0};
  const PairSide graded{kL, kL / 10, kL, 0};
  struct Case {
    const char* what;
    PairSide original, graded;
  };
  for (const Case& c :
       {Case{"no L", {0, kL, kL, 0}, graded}, Case{"no U", {kL, 0, kL, 0}, graded},
        Case{"U above L", {kL, kL + 1, kL, 0}, graded}, Case{"B is zero", original, {kL, 1, 0, 0}},
        Case{"B below zero", {kL, kL, -1, 0}, graded}, Case{"no duplicates", original, original},
        Case{"no uncertainty", {kL, kL, kL, -1}, graded}, Case{"fewer duplicates than U0", graded, original},
        Case{"uncertainty is not a number", {kL, kL, kL, std::nan("")}, graded}}) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(duplicate_removal_efficiency(c.original, c.graded).error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(Estimate, AgreesWithNumpy) {
  struct Case {
    std::vector<double> values;
    double uncertainty, mean, low, high;
  };
  const std::vector<Case> cases{
      {{0.0012, -0.0008, 0.0003, 0.0005, -0.0011}, 0.0004, 2e-05, -0.00139880394783172, 0.00143880394783172},
      {{0.951, 0.972, 0.966, 0.958, 0.969, 0.961},
       0.01,
       0.962833333333334,
       0.941620555669879,
       0.984046110996788},
      {{0.45, 0.52, 0.61}, 0, 0.526666666666667, 0.327418793153008, 0.725914540180326}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.mean);
    const auto result = estimate(c.values, c.uncertainty);
    ASSERT_TRUE(result);
    EXPECT_NEAR(result->mean, c.mean, 1e-12);
    EXPECT_NEAR(*result->low, c.low, 1e-8);
    EXPECT_NEAR(*result->high, c.high, 1e-8);
    EXPECT_EQ(result->n, c.values.size());
  }
}

TEST(Estimate, OfRatiosAgreesWithNumpyOnTheLogScale) {
  const auto first = estimate_ratio(std::vector{9.76, 9.71, 9.82, 9.79, 9.74}, 0.004);
  EXPECT_NEAR(first->mean, 9.7639250452582, 1e-9);
  EXPECT_NEAR(*first->low, 9.67120004072365, 1e-7);
  EXPECT_NEAR(*first->high, 9.8575390735364, 1e-7);
  const auto second = estimate_ratio(std::vector{0.956, 0.957, 0.955}, 0.002);
  EXPECT_NEAR(second->mean, 0.955999651324838, 1e-12);
  EXPECT_NEAR(*second->low, 0.951514116124647, 1e-8);
  EXPECT_NEAR(*second->high, 0.960506331798327, 1e-8);
}

TEST(Estimate, OfFiveEqualValuesIsAsWideAsTheSystematicPart) {
  const auto result = estimate(std::vector<double>(5, 0.25), 0.01);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->statistical, 0);
  EXPECT_DOUBLE_EQ(*result->low, 0.25 - 0.0196);
  EXPECT_DOUBLE_EQ(*result->high, 0.25 + 0.0196);
}

TEST(Estimate, OfOneValueHasNoInterval) {
  const auto result = estimate(std::vector{0.25}, 0.01);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->mean, 0.25);
  EXPECT_FALSE(result->low);
  EXPECT_FALSE(result->high);
}

TEST(Estimate, WithoutAKnownSystematicPartHasNoIntervalAndSaysSo) {
  const auto mean = estimate(std::vector{0.1, 0.2, 0.3}, std::nullopt);
  ASSERT_TRUE(mean);
  EXPECT_NEAR(mean->mean, 0.2, 1e-12);
  EXPECT_FALSE(mean->low || mean->high);
  EXPECT_EQ(mean->no_interval, kNoNoiseFloor);
  const std::vector values{1.0, 2.0};
  const auto change = welch_difference({values, 0.1}, {values, std::nullopt});
  ASSERT_TRUE(change);
  EXPECT_FALSE(change->low || change->high);
  EXPECT_EQ(change->no_interval, kNoNoiseFloor);
  EXPECT_EQ(welch_difference({values, 0.1}, {values, 0.1})->no_interval, "");
}

TEST(Estimate, UncertaintiesAreSharedOnlyWhereAllAreKnown) {
  SharedUncertainty shared;
  shared.add(1);
  shared.add(2);
  EXPECT_EQ(shared.mean(), 1.5);
  shared.add(std::nullopt);
  shared.add(3);
  EXPECT_FALSE(shared.mean());
}

TEST(Estimate, RefusesWhatIsNoSample) {
  EXPECT_FALSE(estimate(std::vector<double>{}, 0));
  EXPECT_FALSE(estimate(std::vector{1.0, std::nan("")}, 0));
  EXPECT_FALSE(estimate(std::vector{1.0, HUGE_VAL}, 0));
  EXPECT_FALSE(estimate(std::vector{1.0, 2.0}, -1));
  EXPECT_FALSE(estimate_ratio(std::vector{1.0, 0.0}, 0));
  EXPECT_FALSE(estimate_ratio(std::vector{1.0, -2.0}, 0));
}

TEST(WelchDifference, AgreesWithScipy) {
  const std::vector<double> first{10.1, 10.3, 9.9, 10.2, 10.0};
  const std::vector<double> second{11.0, 11.4, 10.7, 11.2};
  const auto change = welch_difference({first, 0}, {second, 0});
  ASSERT_TRUE(change);
  EXPECT_NEAR(change->mean, 0.975, 1e-12);
  EXPECT_NEAR(*change->low, 0.529907118574767, 1e-7);
  EXPECT_NEAR(*change->high, 1.4200928814252323, 1e-7);
}

TEST(WelchDifference, OfEqualValuesKeepsTheSystematicPart) {
  const std::vector<double> first(3, 1.0);
  const std::vector<double> second(3, 2.0);
  const auto change = welch_difference({first, 0.03}, {second, 0.04});
  ASSERT_TRUE(change);
  EXPECT_DOUBLE_EQ(*change->low, 1 - 1.96 * 0.05);
  EXPECT_FALSE(welch_difference({std::span(first).first(1), 0.03}, {second, 0.04})->low);
}

TEST(Judge, ReadsTheWordOffTheInterval) {
  struct Case {
    const char* what;
    double low, high;
    VerdictWord want;
  };
  for (const Case& c : {
           Case{"around zero", -0.005, 0.006, VerdictWord::kNone},
           Case{"just inside", -0.0199, 0.0199, VerdictWord::kNone},
           Case{"touches the margin", -0.01, 0.02, VerdictWord::kInconclusive},
           Case{"touches the margin from below", -0.02, 0.01, VerdictWord::kInconclusive},
           Case{"not different from zero, but wide", -0.13, 0.13, VerdictWord::kInconclusive},
           Case{"wholly above", 0.96, 0.99, VerdictWord::kFull},
           Case{"above one", 0.98, 1.05, VerdictWord::kFull},
           Case{"touches 0.95 from above", 0.95, 0.99, VerdictWord::kInconclusive},
           Case{"between", 0.3, 0.4, VerdictWord::kPartial},
           Case{"between, to both limits", 0.02, 0.95, VerdictWord::kPartial},
           Case{"crosses 0.95", 0.9, 0.99, VerdictWord::kInconclusive},
           Case{"crosses 0.02", 0.01, 0.3, VerdictWord::kInconclusive},
           Case{"covers everything", -1, 2, VerdictWord::kInconclusive},
           Case{"copies cost more", -0.3, -0.1, VerdictWord::kInconclusive},
       }) {
    SCOPED_TRACE(c.what);
    const Judgement judgement = judge({.mean = (c.low + c.high) / 2, .low = c.low, .high = c.high, .n = 5});
    EXPECT_EQ(judgement.word, c.want);
    EXPECT_FALSE(judgement.reason.empty());
  }
}

TEST(Judge, SaysWhatAnInconclusiveIntervalCrosses) {
  const auto reason = [](double low, double high, double statistical, double systematic) {
    return judge({.mean = (low + high) / 2,
                  .low = low,
                  .high = high,
                  .n = 5,
                  .statistical = statistical,
                  .systematic = systematic})
        .reason;
  };
  EXPECT_NE(reason(0.01, 0.99, 0.1, 0).find("crosses 0.02 and 0.95"), std::string::npos);
  EXPECT_NE(reason(0.01, 0.99, 0.1, 0).find("repetitions"), std::string::npos);
  EXPECT_NE(reason(0.01, 0.3, 0.1, 0.2).find("allocation steps"), std::string::npos);
  EXPECT_NE(reason(-0.3, -0.1, 0.1, 0.2).find("costs more"), std::string::npos);
}

TEST(Judge, WantsFivePairs) {
  for (const std::uint64_t n : {0, 1, 4}) {
    SCOPED_TRACE(n);
    EXPECT_EQ(judge({.mean = 0, .low = -0.001, .high = 0.001, .n = n}).word, VerdictWord::kTooFewRepetitions);
  }
}

}  // namespace
}  // namespace lab::report
