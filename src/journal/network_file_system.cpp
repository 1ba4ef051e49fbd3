// Which file systems are shared between machines, by the magic number of statfs(2).
// SPDX-License-Identifier: Apache-2.0
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "journal/journal.hpp"

namespace lab {
namespace {

// linux/magic.h, and the sources of those file systems that are not in it.
constexpr std::array<std::uint32_t, 19> kShared{
    0x00006969,  // NFS
    0x0000517B,  // SMB (old)
    0xFF534D42,  // CIFS
    0xFE534D42,  // SMB2, SMB3
    0x0000564C,  // NCP
    0x00C36400,  // Ceph
    0x0BD00BD0,  // Lustre
    0x01021997,  // 9p
    0x47504653,  // GPFS
    0x5346414F,  // AFS (OpenAFS)
    0x6B414653,  // AFS (kernel)
    0x65735546,  // FUSE: sshfs, GlusterFS, S3 gateways
    0x01161970,  // GFS2
    0x7461636F,  // OCFS2
    0x19830326,  // BeeGFS
    0x73757245,  // Coda
    0xAAD7AAEA,  // PanFS
    0x786F4256,  // VirtualBox shared folder
    0xBACBACBC,  // VMware shared folder
};

}  // namespace

bool on_network_file_system(const std::filesystem::path& path) {
  struct statfs info{};
  // Unknown counts as shared: the rollback journal works everywhere, shared memory does not.
  if (::statfs(path.c_str(), &info) != 0) return true;
  return std::find(kShared.begin(), kShared.end(), static_cast<std::uint32_t>(info.f_type)) != kShared.end();
}

}  // namespace lab
