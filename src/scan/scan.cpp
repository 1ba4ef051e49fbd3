// SPDX-License-Identifier: Apache-2.0
#include "scan/scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <new>
#include <random>
#include <set>
#include <thread>

#include "core/hash.hpp"
#include "core/spill_file.hpp"
#include "core/time.hpp"
#include "scan/chunk_bytes.hpp"
#include "scan/emit.hpp"
#include "scan/memory_plan.hpp"
#include "scan/scan_figures.hpp"
#include "scan/scan_pass.hpp"
#include "scan/verified_counter.hpp"

namespace lab::scan {
namespace {

/// No two scans have one.
std::string unique_name() {
  std::array<std::byte, 16> bytes{};
  std::random_device device;
  for (std::byte& one : bytes) one = static_cast<std::byte>(device());
  return to_hex(bytes);
}

Error bad_request(std::string detail) { return {ErrorCode::kInvalidArgument, "scan", std::move(detail)}; }

Error no_memory() {
  return {ErrorCode::kResourceExhausted, "scan", "--memory: the system does not give as much; name less"};
}

/// One scan: what its workers share.
class Scan {
 public:
  Scan(const ScanRequest& request, const OnProgress& progress, const std::stop_token& stop)
      : request_(request), progress_(progress), linked_(stop, [this] { halt_.request_stop(); }) {}

  Result<ScanReport> run() {
    LAB_TRY(prepare());
    read_all();
    if (failure_) return *failure_;
    tell(true);
    ScanReport report;
    std::vector<FilesRead> read(request_.classes.size());
    LAB_TRY(sum_files(report, read));
    if (census_) report.census = CensusReport{census_->result(), census_share(request_.memory)};
    LAB_TRY(count_all(report, read));
    if (emitter_) LAB_TRY(finish_emit(report, read));
    report.seconds = std::chrono::duration<double>(Clock::now() - began_).count();
    return report;
  }

 private:
  Status prepare() {
    if (request_.chunkers.empty()) return bad_request("no chunker is named");
    if (request_.threads < 1) return bad_request("--threads: at least 1");
    if (request_.classes.empty() || request_.classes.size() > kClassesMax)
      return bad_request(fmt::format("from 1 to {} file classes", kClassesMax));
    const bool emits = !request_.emit.empty();
    LAB_CHECK(!emits || !request_.sketch, "what is emitted is counted exactly");
    LAB_CHECK(!request_.verify || !(emits || request_.sketch), "a comparison is of all chunks in the files");
    const auto shares = plan_memory(request_.memory, workers(), request_.direct, request_.chunkers,
                                    request_.census.has_value(), shared_buffers());
    if (!shares) return bad_request("--memory: " + shares.error().detail);
    auto listed = list_files(request_.paths, request_.class_of, halt_.get_token());
    if (!listed) return std::move(listed).error();
    list_ = std::move(*listed);
    if (list_.bytes == 0) return nothing_to_scan();
    if (request_.verify) LAB_TRY(prepare_comparison());
    if (request_.census) LAB_TRY(prepare_census(*request_.census));
    if (!request_.sketch) LAB_TRY(remove_stale_spills(request_.temporary));
    for (const Bytes share : *shares) {
      const CounterOptions options{request_.fingerprint, share, request_.temporary, halt_.get_token(),
                                   workers_of_counter()};
      counters_.push_back(make_counter(options));
    }
    if (emits) {
      auto begun = Emitter::begin(request_.emit, request_.fingerprint);
      if (!begun) return std::move(begun).error();
      emitter_ = std::move(*begun);
      emitted_.chunkers.resize(counters_.size());
    }
    if (joins_parts(request_))
      parts_.emplace(request_.fingerprint, content_defined_of(request_.chunkers), request_.threads);
    jobs_.emplace(list_, request_.chunkers,
                  JobRules{.workers = workers(),
                           .joining = parts_.has_value(),
                           .looks_after = !request_.direct && !request_.verify});
    outcomes_.resize(list_.files.size());
    return ok();
  }

  /// With the first cause that can be told.
  Error nothing_to_scan() const {
    constexpr std::size_t kLookedAt = 100;
    std::string why;
    for (std::size_t i = 0; i < std::min(list_.files.size(), kLookedAt) && why.empty(); ++i)
      why = hidden_bytes(list_.files[i]);
    if (why.empty() && !list_.left_out.empty())
      why = list_.left_out.front().path + ": " + list_.left_out.front().reason;
    return bad_request(fmt::format("nothing to scan: {} files with no byte, {} left out{}{}",
                                   list_.files.size(), list_.left_out.size(), why.empty() ? "" : ": ", why));
  }

  /// What is neither a worker's nor a counter's.
  Bytes shared_buffers() const {
    Bytes bytes;
    if (!request_.emit.empty()) bytes = bytes + Bytes{Emitter::memory(request_.fingerprint)};
    if (joins_parts(request_)) bytes = bytes + part_buffers(request_);
    std::int64_t longest = 0;
    for (const ChunkerSpec& chunker : request_.chunkers)
      longest = std::max<std::int64_t>(longest, longest_chunk(chunker));
    return request_.verify ? bytes + Bytes{kChunksCompared * longest} : bytes;
  }

  std::unique_ptr<Counter> make_counter(const CounterOptions& options) {
    if (request_.verify) return make_verified_counter(options, *again_);
    return request_.sketch ? make_sketch_counter(options) : make_exact_counter(options);
  }

  Status prepare_comparison() {
    for (const ScanFile& file : list_.files)
      if (file.device)
        return bad_request("--verify: " + file.path.string() +
                           " is a device, of which nothing tells whether it changes meanwhile");
    again_.emplace(list_);
    return ok();
  }

  Status prepare_census(const CensusRequest& wanted) {
    auto census = Census::make(census_share(request_.memory), wanted.bytes_of);
    if (!census) return std::move(census).error();
    census_.emplace(std::move(*census));
    for (const KnownOriginal& original : wanted.originals) {
      if (halt_.stop_requested()) return Error{ErrorCode::kCancelled, "scan"};
      const auto bytes = wanted.bytes_of(original.number);
      if (!bytes) return bytes.error();
      LAB_TRY(census_->add_original(original.number, original.expected_copies, *bytes));
    }
    census_->freeze();
    return ok();
  }

  /// Counters are finished at once, as many as there are threads; each may take those that none has.
  std::size_t workers_of_counter() const {
    constexpr std::size_t kMost = 4;
    return std::clamp<std::size_t>(request_.threads / request_.chunkers.size(), 1, kMost);
  }

  /// A census takes the files one after the other.
  unsigned workers() const { return request_.census ? 1 : request_.threads; }

  void read_all() {
    const ScanPass::Shared shared{census_ ? &*census_ : nullptr, parts_ ? &*parts_ : nullptr};
    for (unsigned i = 0; i < workers(); ++i)
      passes_.push_back(std::make_unique<ScanPass>(request_, counters_, shared,
                                                   [this](std::uint64_t more) { add_done(more); }));
    std::vector<std::jthread> others;
    for (unsigned i = 1; i < workers(); ++i) others.emplace_back([this, i] { work(*passes_[i]); });
    work(*passes_[0]);
  }

  void work(ScanPass& pass) {
    const auto jobs = [&]() -> Status {
      while (true) {
        if (parts_) parts_->wait_for_room(halt_.get_token());
        // Of files that cannot be opened nobody else looks.
        if (halt_.stop_requested()) return Error{ErrorCode::kCancelled, "scan"};
        const auto job = next_job();
        if (!job) return pass.flush();
        auto outcome = pass.run(list_.files[job->file], *job, halt_.get_token());
        if (!outcome) return std::move(outcome).error();
        note(*job, std::move(*outcome));
      }
    };
    const Status done = [&]() -> Status {
      try {
        return jobs();
      } catch (const std::bad_alloc&) {  // In a thread nobody else would catch it.
        return no_memory();
      }
    }();
    if (done) return;
    const std::lock_guard lock(mutex_);
    // The first is the cause; the others were only told to stop.
    if (!failure_) failure_ = done.error();
    halt_.request_stop();
  }

  std::optional<Job> next_job() {
    const std::lock_guard lock(mutex_);
    return jobs_->next();
  }

  void note(const Job& job, ReadOutcome outcome) {
    const std::lock_guard lock(mutex_);
    FileOutcome& all = outcomes_[job.file];
    all.read.opened = all.read.opened || outcome.opened;
    all.read.bytes += outcome.bytes;
    all.read.hole_bytes += outcome.hole_bytes;
    if (outcome.problem.empty()) return;
    // That bytes are missing says more than that the file has changed, and the first of them the most.
    const std::pair rank{outcome.bytes == job.end - job.begin, job.begin};
    if (!all.read.problem.empty() && all.problem_rank < rank) return;
    all.read.problem = std::move(outcome.problem);
    all.problem_rank = rank;
  }

  void add_done(std::uint64_t more) {
    done_ += more;
    tell(false);
  }

  void tell(bool counting) {
    const std::unique_lock lock(progress_mutex_, std::try_to_lock);
    if (lock && progress_) progress_({done_, list_.bytes, counting});
  }

  /// Into `read` what was read of each class, into the report what was not, or not as it should be.
  Status sum_files(ScanReport& report, std::vector<FilesRead>& read) {
    std::set<PathNote> left_out(list_.left_out.begin(), list_.left_out.end());
    std::set<PathNote> incomplete;
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < outcomes_.size(); ++i) {
      const ScanFile& file = list_.files[i];
      const ReadOutcome& outcome = outcomes_[i].read;
      FilesRead& sum = read[file.file_class];
      sum.files += outcome.opened ? 1 : 0;
      sum.bytes += outcome.bytes;
      sum.hole_bytes += outcome.hole_bytes;
      bytes += outcome.bytes;
      if (!outcome.problem.empty())
        (outcome.opened ? incomplete : left_out).insert({file.path.string(), outcome.problem});
    }
    report.left_out.assign(left_out.begin(), left_out.end());
    report.incomplete.assign(incomplete.begin(), incomplete.end());
    if (bytes > 0) return ok();
    std::string first =
        left_out.empty() ? "" : ": " + left_out.begin()->path + ": " + left_out.begin()->reason;
    return bad_request("nothing could be scanned" + first);
  }

  /// Counters know nothing of each other, so each is one thread's; but what is emitted has an order, and
  /// chunks are compared by one reader.
  Status count_all(ScanReport& report, const std::vector<FilesRead>& read) {
    const unsigned at_once = emitter_ || again_ ? 1 : request_.threads;
    std::vector<Result<ChunkerReport>> made(counters_.size(), Error{ErrorCode::kInternal, "scan"});
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
      for (std::size_t i = next.fetch_add(1); i < made.size(); i = next.fetch_add(1)) {
        try {
          made[i] = count(i, read);
        } catch (const std::bad_alloc&) {
          made[i] = no_memory();
        }
        if (!made[i]) return;
      }
    };
    {
      std::vector<std::jthread> others;
      for (std::size_t i = 1; i < std::min<std::size_t>(at_once, made.size()); ++i) others.emplace_back(work);
      work();
    }
    for (Result<ChunkerReport>& one : made) {
      if (!one) return std::move(one).error();
      report.chunkers.push_back(std::move(*one));
    }
    return ok();
  }

  Result<ChunkerReport> count(std::size_t index, const std::vector<FilesRead>& read) {
    if (halt_.stop_requested()) return Error{ErrorCode::kCancelled, "scan"};
    Tally tally(request_.classes.size());
    if (emitter_) emitter_->open(request_.chunkers[index]);
    LAB_TRY(counters_[index]->finish(tally, emitter_.get()));
    std::vector<Met> met(request_.classes.size());
    for (const auto& pass : passes_)
      for (std::size_t i = 0; i < met.size(); ++i) met[i] += pass->streams()[index].met()[i];
    ChunkerReport report = chunker_report(request_.chunkers[index], request_.classes, read, met, tally);
    for (std::size_t i = 0; i < met.size(); ++i)
      LAB_CHECK(met[i].bytes == read[i].bytes, "chunks hold all bytes that were read, once");
    report.spilled_bytes = counters_[index]->spilled_bytes();
    report.verified = counters_[index]->comparison();
    counters_[index].reset();
    if (emitter_) {
      auto files = emitter_->close();
      if (!files) return std::move(files).error();
      emitted_.chunkers[index] = {report.spec, std::move(met), report.spilled_bytes, std::move(*files)};
    }
    return report;
  }

  Status finish_emit(const ScanReport& report, const std::vector<FilesRead>& read) {
    emitted_.id = unique_name();
    emitted_.fingerprint = request_.fingerprint;
    emitted_.classes = request_.classes;
    emitted_.read = read;
    emitted_.left_out = report.left_out;
    emitted_.incomplete = report.incomplete;
    return emitter_->finish(emitted_);
  }

  const ScanRequest& request_;
  const OnProgress& progress_;
  Clock::time_point began_ = Clock::now();
  std::stop_source halt_{};
  std::stop_callback<std::function<void()>> linked_;
  FileList list_{};
  /// What all jobs of a file came to, and the problem that says most.
  struct FileOutcome {
    ReadOutcome read{};
    std::pair<bool, std::uint64_t> problem_rank{};  // The least one counts.
  };
  std::optional<JobList> jobs_{};
  std::vector<FileOutcome> outcomes_{};
  std::optional<Census> census_{};
  std::optional<FileBytes> again_{};    // Where chunks are compared.
  std::optional<PartQueue> parts_{};    // Where large files are cut by several workers.
  std::unique_ptr<Emitter> emitter_{};  // Where the request wants it.
  Emitted emitted_{};
  std::vector<std::unique_ptr<Counter>> counters_{};
  std::vector<std::unique_ptr<ScanPass>> passes_{};
  std::atomic<std::uint64_t> done_{0};
  std::mutex progress_mutex_{};
  std::mutex mutex_{};
  std::optional<Error> failure_{};
};

}  // namespace

Result<ScanReport> scan(const ScanRequest& request, const OnProgress& progress, const std::stop_token& stop) {
  return Scan(request, progress, stop).run();
}

}  // namespace lab::scan
