// Life of the LMDB environment: opening, transactions, growth of the map, compaction by copy and swap.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/lmdb/environment.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace lab::lmdb {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMapMax = std::size_t{1} << 45U;  // 32 TiB: a quarter of a process's address space.
constexpr MDB_dbi kFreeList = 0;                        // LMDB's own database of free pages.

}  // namespace

Error error_of(int code, const char* operation) {
  if (code > 0) return errno_error(operation, "data.mdb", code);
  ErrorCode kind = ErrorCode::kInternal;
  switch (code) {
    case MDB_NOTFOUND:
      kind = ErrorCode::kNotFound;
      break;
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case MDB_READERS_FULL:
      kind = ErrorCode::kResourceExhausted;
      break;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_PANIC:
    case MDB_VERSION_MISMATCH:
      kind = ErrorCode::kCorruption;
      break;
    case MDB_BAD_VALSIZE:
      kind = ErrorCode::kInvalidArgument;
      break;
    default:
      break;
  }
  return {kind, operation, mdb_strerror(code)};
}

Result<std::unique_ptr<Environment>> Environment::open(EmbeddedHome home, Setup setup) {
  std::unique_ptr<Environment> environment(new Environment(std::move(home), std::move(setup)));
  LAB_TRY(environment->start());
  return environment;
}

Environment::~Environment() { close(); }

void Environment::close() {
  if (handle_ != nullptr) mdb_env_close(handle_);
  handle_ = nullptr;
}

Status Environment::start() {
  const char* operation = "lmdb.open";
  int code = mdb_env_create(&handle_);
  if (code == 0) code = mdb_env_set_maxdbs(handle_, setup_.containers);
  if (code == 0) code = mdb_env_set_mapsize(handle_, static_cast<std::size_t>(setup_.map_size.count));
  // Reading transactions belong to themselves, not to threads: a driver may move between threads.
  if (code == 0) code = mdb_env_open(handle_, data().c_str(), MDB_NOTLS, 0600);
  Status status = code == 0 ? open_databases() : Status(error_of(code, operation));
  if (status) status = sync_directory(data());
  if (!status) close();
  return status;
}

Status Environment::open_databases() {
  while (true) {
    databases_.assign(setup_.containers, 0);
    Status failure = ok();
    const int code = run_write(
        [this](MDB_txn* transaction, Status&) {
          for (std::uint32_t container = 0; container < setup_.containers; ++container)
            if (const int opened = mdb_dbi_open(transaction, fmt::format("files_{}", container).c_str(),
                                                MDB_CREATE, &databases_[container]);
                opened != 0)
              return opened;
          return 0;
        },
        failure);
    if (code == 0) return ok();
    if (code != MDB_MAP_FULL) return error_of(code, "lmdb.open");
    LAB_TRY(grow("lmdb.open"));
  }
}

Status Environment::reset(const CallContext& call) {
  const auto writer = writers_.enter_alone(call, "lmdb.reset");
  if (!writer) return writer.error();
  const auto alone = gate_.enter_alone(call, "lmdb.reset");
  if (!alone) return alone.error();
  close();
  Status emptied = home_.empty_data(call);
  if (emptied) return start();
  // Refused or stopped: what is left is opened again, so that the connections stay usable where they can.
  ignore(start(), "the first failure is the one to tell");
  return emptied;
}

Status Environment::read(const CallContext& call, const char* operation, const Work& work) {
  const auto pass = gate_.enter_shared(call, operation);
  if (!pass) return pass.error();
  if (handle_ == nullptr) return Error{ErrorCode::kIo, operation, "the environment is not open"};
  MDB_txn* transaction = nullptr;
  int code = mdb_txn_begin(handle_, nullptr, MDB_RDONLY, &transaction);
  if (code != 0) return error_of(code, operation);
  Status failure = ok();
  code = work(transaction, failure);
  mdb_txn_abort(transaction);
  if (!failure) return failure;
  if (code != 0) return error_of(code, operation);
  return ok();
}

int Environment::run_write(const Work& work, Status& failure) {
  MDB_txn* transaction = nullptr;
  int code = mdb_txn_begin(handle_, nullptr, 0, &transaction);
  if (code != 0) return code;
  code = work(transaction, failure);
  if (code == 0 && failure) return mdb_txn_commit(transaction);
  mdb_txn_abort(transaction);
  return code;
}

Status Environment::write(const CallContext& call, const char* operation, const Work& work) {
  const auto writer = writers_.enter_alone(call, operation);
  if (!writer) return writer.error();
  while (true) {
    Status failure = ok();
    int code = 0;
    {
      const auto pass = gate_.enter_shared(call, operation);
      if (!pass) return pass.error();
      if (handle_ == nullptr) return Error{ErrorCode::kIo, operation, "the environment is not open"};
      code = run_write(work, failure);
    }
    if (!failure) return failure;
    if (code == 0) return ok();
    if (code != MDB_MAP_FULL) return error_of(code, operation);
    const auto alone = gate_.enter_alone(call, operation);
    if (!alone) return alone.error();
    LAB_TRY(grow(operation));
  }
}

Status Environment::grow(const char* operation) {
  MDB_envinfo info{};
  mdb_env_info(handle_, &info);
  if (!setup_.map_grows || info.me_mapsize >= kMapMax) return error_of(MDB_MAP_FULL, operation);
  if (const int code = mdb_env_set_mapsize(handle_, info.me_mapsize * 2); code != 0)
    return error_of(code, operation);
  return ok();
}

Status Environment::drop(const CallContext& call, const char* operation) {
  const auto writer = writers_.enter_alone(call, operation);
  if (!writer) return writer.error();
  // Alone: the databases' handles are closed with them.
  const auto alone = gate_.enter_alone(call, operation);
  if (!alone) return alone.error();
  if (handle_ == nullptr) return Error{ErrorCode::kIo, operation, "the environment is not open"};
  while (true) {
    Status failure = ok();
    const int code = run_write(
        [this](MDB_txn* transaction, Status&) {
          for (const MDB_dbi database : databases_)
            if (const int dropped = mdb_drop(transaction, database, 1); dropped != 0) return dropped;
          return 0;
        },
        failure);
    if (code == 0) return open_databases();
    LAB_TRY(open_databases());
    if (code != MDB_MAP_FULL) return error_of(code, operation);
    LAB_TRY(grow(operation));
  }
}

/// Copying knows no stop, so at its end the file under its descriptor becomes one that takes no byte.
Status Environment::copy_to(const CallContext& call, const fs::path& path) {
  const char* operation = "lmdb.maintain";
  const auto pass = gate_.enter_shared(call, operation);
  if (!pass) return pass.error();
  if (handle_ == nullptr) return Error{ErrorCode::kIo, operation, "the environment is not open"};
  const auto file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file) return file.error();
  const auto full = open_file("/dev/full", O_WRONLY);
  if (!full) return full.error();
  int code = 0;
  {
    const CallWatch watch(call, [&] { ::dup3(full->get(), file->get(), O_CLOEXEC); });
    code = mdb_env_copyfd2(handle_, file->get(), MDB_CP_COMPACT);
  }
  LAB_TRY(allowed(call, operation));
  if (code != 0) return error_of(code, operation);
  if (::fsync(file->get()) != 0) return errno_error(operation, path.string(), errno);
  return ok();
}

Result<MaintenanceOutcome> Environment::compact(const CallContext& call) {
  const char* operation = "lmdb.maintain";
  const auto writer = writers_.enter_alone(call, operation);
  if (!writer) return writer.error();
  const fs::path copy = data() / "compact.mdb";
  const Bytes before = file_size();
  Status copied = copy_to(call, copy);
  if (copied) {
    const auto alone = gate_.enter_alone(call, operation);
    if (alone) {
      close();
      if (::rename(copy.c_str(), (data() / "data.mdb").c_str()) != 0)
        copied = errno_error(operation, copy.string(), errno);
      LAB_TRY(start());
    } else {
      copied = alone.error();
    }
  }
  if (!copied) {
    ::unlink(copy.c_str());
    return std::move(copied).error();
  }
  return MaintenanceOutcome{
      fmt::format("mdb_env_copy(MDB_CP_COMPACT) and swap: {} -> {} bytes", before.count, file_size().count),
      true};
}

Status Environment::sync(const CallContext& call, const char* operation) {
  const auto pass = gate_.enter_shared(call, operation);
  if (!pass) return pass.error();
  if (handle_ == nullptr) return Error{ErrorCode::kIo, operation, "the environment is not open"};
  if (const int code = mdb_env_sync(handle_, 1); code != 0) return error_of(code, operation);
  return ok();
}

Bytes Environment::file_size() const {
  std::error_code failure;
  const auto size = fs::file_size(data() / "data.mdb", failure);
  return failure ? Bytes{0} : Bytes{static_cast<std::int64_t>(size)};
}

Result<Environment::Figures> Environment::figures(const CallContext& call, const char* operation) {
  Figures figures;
  LAB_TRY(read(call, operation, [&](MDB_txn* transaction, Status&) {
    MDB_envinfo info{};
    mdb_env_info(handle_, &info);
    figures.pages = static_cast<std::int64_t>(info.me_last_pgno) + 1;
    figures.map_size = Bytes{static_cast<std::int64_t>(info.me_mapsize)};
    figures.last_transaction = info.me_last_txnid;
    figures.readers = info.me_numreaders;
    MDB_stat stat{};
    if (const int code = mdb_stat(transaction, kFreeList, &stat); code != 0) return code;
    figures.free_list_entries = static_cast<std::int64_t>(stat.ms_entries);
    figures.page = Bytes{stat.ms_psize};
    for (const MDB_dbi database : databases_) {
      if (const int code = mdb_stat(transaction, database, &stat); code != 0) return code;
      figures.data_pages +=
          static_cast<std::int64_t>(stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages);
    }
    return 0;
  }));
  figures.file = file_size();
  return figures;
}

}  // namespace lab::lmdb
