// Threads and locks of C11 by those of POSIX, in programs with the thread sanitizer. It knows only the
// latter: in a thread that thrd_create began, as librdkafka does, its first own function ends the program.
// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <threads.h>

#include <cerrno>
#include <cstdint>
#include <memory>

namespace {

// As glibc has them: the same bytes under two names.
static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t) && sizeof(cnd_t) == sizeof(pthread_cond_t));
static_assert(sizeof(once_flag) == sizeof(pthread_once_t));

struct Start {
  thrd_start_t run;
  void* argument;
};

void* begin(void* given) {
  const std::unique_ptr<Start> start(static_cast<Start*>(given));
  return reinterpret_cast<void*>(std::intptr_t{start->run(start->argument)});
}

pthread_mutex_t* posix(mtx_t* lock) { return reinterpret_cast<pthread_mutex_t*>(lock); }
pthread_cond_t* posix(cnd_t* condition) { return reinterpret_cast<pthread_cond_t*>(condition); }
int answer(int error) { return error == 0 ? thrd_success : error == ETIMEDOUT ? thrd_timedout : thrd_error; }

}  // namespace

extern "C" {

int thrd_create(thrd_t* thread, thrd_start_t run, void* argument) {
  auto start = std::make_unique<Start>(Start{run, argument});
  const int error = pthread_create(thread, nullptr, begin, start.get());
  if (error == 0) static_cast<void>(start.release());
  return answer(error);
}

int thrd_join(thrd_t thread, int* result) {
  void* returned = nullptr;
  const int error = pthread_join(thread, &returned);
  if (error == 0 && result != nullptr) *result = static_cast<int>(reinterpret_cast<std::intptr_t>(returned));
  return answer(error);
}

int mtx_init(mtx_t* lock, int kind) {
  pthread_mutexattr_t attributes{};
  pthread_mutexattr_init(&attributes);
  if ((kind & mtx_recursive) != 0) pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
  const int error = pthread_mutex_init(posix(lock), &attributes);
  pthread_mutexattr_destroy(&attributes);
  return answer(error);
}

int mtx_lock(mtx_t* lock) { return answer(pthread_mutex_lock(posix(lock))); }
int mtx_unlock(mtx_t* lock) { return answer(pthread_mutex_unlock(posix(lock))); }
void mtx_destroy(mtx_t* lock) { pthread_mutex_destroy(posix(lock)); }

int cnd_init(cnd_t* condition) { return answer(pthread_cond_init(posix(condition), nullptr)); }
int cnd_signal(cnd_t* condition) { return answer(pthread_cond_signal(posix(condition))); }
int cnd_broadcast(cnd_t* condition) { return answer(pthread_cond_broadcast(posix(condition))); }
void cnd_destroy(cnd_t* condition) { pthread_cond_destroy(posix(condition)); }
int cnd_wait(cnd_t* condition, mtx_t* lock) {
  return answer(pthread_cond_wait(posix(condition), posix(lock)));
}
int cnd_timedwait(cnd_t* condition, mtx_t* lock, const struct timespec* until) {
  return answer(pthread_cond_timedwait(posix(condition), posix(lock), until));
}

void call_once(once_flag* flag, void (*run)(void)) {
  pthread_once(reinterpret_cast<pthread_once_t*>(flag), run);
}

}  // extern "C"
