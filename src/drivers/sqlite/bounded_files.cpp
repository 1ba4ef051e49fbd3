// A thin layer over SQLite's default file access; all but open, read and write is passed on as it is.
// SPDX-License-Identifier: Apache-2.0
#include "drivers/sqlite/bounded_files.hpp"

#include <new>

namespace lab::sqlite {
namespace {

constexpr int kMethodsVersion = 3;  // Of sqlite3_io_methods: with shared memory and memory-mapped pages.

thread_local const CallContext* current_call = nullptr;

bool over() { return current_call != nullptr && !allowed(*current_call, "sqlite.file"); }

/// SQLite gives the memory; the real file follows right behind.
struct BoundedFile {
  sqlite3_file base;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<BoundedFile*>(file)->real(); }

int read(sqlite3_file* file, void* out, int bytes, sqlite3_int64 offset) {
  return over() ? SQLITE_IOERR_READ : real(file)->pMethods->xRead(real(file), out, bytes, offset);
}

int write(sqlite3_file* file, const void* in, int bytes, sqlite3_int64 offset) {
  return over() ? SQLITE_IOERR_WRITE : real(file)->pMethods->xWrite(real(file), in, bytes, offset);
}

const sqlite3_io_methods kMethods{
    .iVersion = kMethodsVersion,
    .xClose =
        [](sqlite3_file* file) {
          return real(file)->pMethods == nullptr ? SQLITE_OK : real(file)->pMethods->xClose(real(file));
        },
    .xRead = read,
    .xWrite = write,
    .xTruncate = [](sqlite3_file* file,
                    sqlite3_int64 size) { return real(file)->pMethods->xTruncate(real(file), size); },
    .xSync = [](sqlite3_file* file, int flags) { return real(file)->pMethods->xSync(real(file), flags); },
    .xFileSize = [](sqlite3_file* file,
                    sqlite3_int64* size) { return real(file)->pMethods->xFileSize(real(file), size); },
    .xLock = [](sqlite3_file* file, int level) { return real(file)->pMethods->xLock(real(file), level); },
    .xUnlock = [](sqlite3_file* file, int level) { return real(file)->pMethods->xUnlock(real(file), level); },
    .xCheckReservedLock =
        [](sqlite3_file* file, int* held) {
          return real(file)->pMethods->xCheckReservedLock(real(file), held);
        },
    .xFileControl =
        [](sqlite3_file* file, int code, void* argument) {
          return real(file)->pMethods->xFileControl(real(file), code, argument);
        },
    .xSectorSize = [](sqlite3_file* file) { return real(file)->pMethods->xSectorSize(real(file)); },
    .xDeviceCharacteristics =
        [](sqlite3_file* file) { return real(file)->pMethods->xDeviceCharacteristics(real(file)); },
    .xShmMap =
        [](sqlite3_file* file, int page, int size, int extend, void volatile** out) {
          return real(file)->pMethods->xShmMap(real(file), page, size, extend, out);
        },
    .xShmLock = [](sqlite3_file* file, int offset, int count,
                   int flags) { return real(file)->pMethods->xShmLock(real(file), offset, count, flags); },
    .xShmBarrier = [](sqlite3_file* file) { real(file)->pMethods->xShmBarrier(real(file)); },
    .xShmUnmap = [](sqlite3_file* file,
                    int remove) { return real(file)->pMethods->xShmUnmap(real(file), remove); },
    .xFetch = [](sqlite3_file* file, sqlite3_int64 offset, int bytes,
                 void** out) { return real(file)->pMethods->xFetch(real(file), offset, bytes, out); },
    .xUnfetch = [](sqlite3_file* file, sqlite3_int64 offset,
                   void* page) { return real(file)->pMethods->xUnfetch(real(file), offset, page); },
};

int open(sqlite3_vfs* layer, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* real_layer = static_cast<sqlite3_vfs*>(layer->pAppData);
  auto* bounded = new (file) BoundedFile{};
  bounded->real()->pMethods = nullptr;
  const int code = real_layer->xOpen(real_layer, name, bounded->real(), flags, out_flags);
  // With methods set SQLite closes the file even after a failed open, as the layer below may want.
  const sqlite3_io_methods* const methods = bounded->real()->pMethods;
  if (methods != nullptr) bounded->base.pMethods = &kMethods;
  if (code == SQLITE_OK && (methods == nullptr || methods->iVersion < kMethodsVersion))
    return SQLITE_CANTOPEN;
  return code;
}

sqlite3_vfs* below(sqlite3_vfs* layer) { return static_cast<sqlite3_vfs*>(layer->pAppData); }

/// Version 2: without the replacing of system calls, which nobody here asks for.
sqlite3_vfs make_layer(sqlite3_vfs* real_layer) {
  sqlite3_vfs layer{};
  layer.iVersion = 2;
  layer.szOsFile = static_cast<int>(sizeof(BoundedFile)) + real_layer->szOsFile;
  layer.mxPathname = real_layer->mxPathname;
  layer.zName = "deduplab";
  layer.pAppData = real_layer;
  layer.xOpen = open;
  layer.xDelete = [](sqlite3_vfs* self, const char* name, int sync) {
    return below(self)->xDelete(below(self), name, sync);
  };
  layer.xAccess = [](sqlite3_vfs* self, const char* name, int flags, int* result) {
    return below(self)->xAccess(below(self), name, flags, result);
  };
  layer.xFullPathname = [](sqlite3_vfs* self, const char* name, int size, char* out) {
    return below(self)->xFullPathname(below(self), name, size, out);
  };
  layer.xRandomness = [](sqlite3_vfs* self, int bytes, char* out) {
    return below(self)->xRandomness(below(self), bytes, out);
  };
  layer.xSleep = [](sqlite3_vfs* self, int microseconds) {
    return below(self)->xSleep(below(self), microseconds);
  };
  layer.xCurrentTime = [](sqlite3_vfs* self, double* out) {
    return below(self)->xCurrentTime(below(self), out);
  };
  layer.xGetLastError = [](sqlite3_vfs* self, int size, char* out) {
    return below(self)->xGetLastError(below(self), size, out);
  };
  layer.xCurrentTimeInt64 = [](sqlite3_vfs* self, sqlite3_int64* out) {
    return below(self)->xCurrentTimeInt64(below(self), out);
  };
  return layer;
}

}  // namespace

const char* bounded_files() {
  static const char* const kName = []() -> const char* {
    sqlite3_vfs* real_layer = sqlite3_vfs_find(nullptr);
    if (real_layer == nullptr || real_layer->iVersion < 2) return nullptr;
    static sqlite3_vfs layer = make_layer(real_layer);
    return sqlite3_vfs_register(&layer, 0) == SQLITE_OK ? layer.zName : nullptr;
  }();
  return kName;
}

BoundedAccess::BoundedAccess(const CallContext* call) : outer_(current_call) { current_call = call; }
BoundedAccess::~BoundedAccess() { current_call = outer_; }

}  // namespace lab::sqlite
