// A real file system of its own on an image file, for tests; without the rights or tools it says what it
// lacks. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "core/files.hpp"
#include "core/process.hpp"

namespace lab {

/// Ended by its destructor, which frees the loop device too.
class LoopFileSystem {
 public:
  /// `type` is ext4, xfs or btrfs; everything lies below `folder`, which must be there.
  LoopFileSystem(const std::filesystem::path& folder, const std::string& type,
                 const std::string& options = "", std::int64_t bytes = 512LL << 20)
      : image_(folder / (type + ".img")), top_(folder / (type + ".mounted")) {
    const int file = ::open(image_.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    const bool made = file >= 0 && ::ftruncate(file, bytes) == 0;
    if (file >= 0) ::close(file);
    if (!made) {
      lacks_ = "an image file cannot be made in " + folder.string();
      return;
    }
    std::filesystem::create_directories(top_);
    std::vector<std::string> make{"mkfs." + type, "-q"};
    if (type == "ext4") make.insert(make.end(), {"-F", "-E", "lazy_itable_init=0,lazy_journal_init=0"});
    make.push_back(image_.string());
    mounted_ = done(make) && done({"mount", "-o", options.empty() ? "loop" : "loop," + options,
                                   image_.string(), top_.string()});
  }
  ~LoopFileSystem() {
    if (mounted_) ::umount2(top_.c_str(), MNT_DETACH);
  }
  LoopFileSystem(const LoopFileSystem&) = delete;
  LoopFileSystem& operator=(const LoopFileSystem&) = delete;

  bool mounted() const { return mounted_; }
  const std::string& lacks() const { return lacks_; }  // Why not.
  const std::filesystem::path& image() const { return image_; }
  const std::filesystem::path& top() const { return top_; }

 private:
  bool done(const std::vector<std::string>& argv) {
    static const std::filesystem::path kAlso[] = {"/usr/sbin", "/sbin"};
    const auto program = find_program(argv.front(), kAlso);
    if (!program) {
      lacks_ = argv.front() + " is not installed (scripts/setup test)";
      return false;
    }
    Command command{.argv = argv};
    command.argv.front() = program->string();
    // Two tests may want the same free loop device at the same time.
    for (int attempt = 0; attempt < 5; ++attempt) {
      const auto ended = run_command({Clock::now() + Millis{60'000}, {}}, command);
      if (ended && ended->exit_code == 0) return true;
      lacks_ = to_text(command) + ": " + (ended ? ended->output : ended.error().text());
      ::usleep(100'000);
    }
    return false;
  }

  std::filesystem::path image_;
  std::filesystem::path top_;
  bool mounted_ = false;
  std::string lacks_{};
};

/// Bytes that no file system can compress or share, synced.
inline void write_random(const std::filesystem::path& path, std::size_t bytes, unsigned seed) {
  std::filesystem::create_directories(path.parent_path());
  std::mt19937_64 random(seed);
  std::string text(bytes, '\0');
  for (char& letter : text) letter = static_cast<char>(random());
  std::ofstream(path, std::ios::binary) << text;
  ignore(sync_file(path), "a test that needs it on disk fails by itself");
}

/// As `cp --reflink=always`.
inline bool clone_file(const std::filesystem::path& from, const std::filesystem::path& to) {
  const int source = ::open(from.c_str(), O_RDONLY | O_CLOEXEC);
  const int target = ::open(to.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  const bool cloned = source >= 0 && target >= 0 && ::ioctl(target, FICLONE, source) == 0;
  ::close(source);
  ::close(target);
  return cloned;
}

}  // namespace lab
