// A system as the registry lists it, and the session that a cell opens with it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/driver.hpp"
#include "driver/native_schema.hpp"
#include "driver/observer.hpp"
#include "driver/what_answers.hpp"

namespace lab {

/// What one cell needs to open a system.
struct SystemConfig {
  std::string variant = "default";
  std::string mode = "blob";
  std::string payload{};         // Of mode "native": whose schema it is.
  std::uint32_t containers = 1;  // Tables, databases, prefixes among which objects are placed.
  std::string run_id{};          // Written into the namespace's marker.
  std::filesystem::path path{};  // Embedded: the folder that is ours alone.
  std::filesystem::path
      directory{};         // Server: where its files are on the local machine; empty: not known here.
  std::string url{};       // Server: without a password.
  std::string password{};  // Resolved from environment or file; never logged.
  std::map<std::string, std::string> options{};
  std::optional<std::string> identity{};  // Server: the only one that may be written to; absent: any.
};

/// Gives the lab its user, rights and namespace: additive, least rights, never a REVOKE. Statements are in
/// the system's own language (SQL, ACL SETUSER ..., a command line of its tools) and hold no password: where
/// one is needed they hold a placeholder that names the variable.
class Admin {
 public:
  virtual ~Admin() = default;
  virtual std::vector<std::string> apply_statements() const = 0;
  virtual std::vector<std::string> undo_statements() const = 0;
  /// Does it on the server, with the rights of the configuration's own user. Running it twice changes
  /// nothing.
  virtual Status apply(const CallContext&) = 0;
  virtual Status undo(const CallContext&) = 0;
};

/// One cell's fresh connections. Thread-safe: connections may be opened from several threads. It must
/// outlive the connections that it opened.
class Session {
 public:
  virtual ~Session() = default;
  virtual Result<std::unique_ptr<Driver>> open_driver(const CallContext&) = 0;
  virtual Result<std::unique_ptr<Observer>> open_observer(const CallContext&) = 0;
};

struct VariantInfo {
  std::string name{};
  std::string what{};              // One line for `deduplab systems`.
  std::optional<Bytes> quantum{};  // Where its files grow by another step than the system's.
  std::string blob_only{};         // Why it has no mode "native"; empty: as the system.
};

/// A documented reaction to duplicates at one level, beside which the measured verdict is set. Each system
/// has a row for each level, and a further one where a variant does otherwise.
struct Mechanism {
  /// When an object arrives; when what is stored is written again; inside of a block; among stored blocks.
  static constexpr std::array<std::string_view, 4> kLevels{"ingestion", "compaction", "compression",
                                                           "storage"};
  /// Each copy of an object goes; copies go that lie near each other; something shrinks, but no copy for its
  /// being one; nothing.
  static constexpr std::array<std::string_view, 4> kSupports{"full", "partial", "indirect", "missing"};

  std::string level{};
  std::string support{};
  std::string source{};  // Where it is documented, and the variant that it needs.
};

/// One thing that was looked at before a run writes anything.
struct Finding {
  std::string what{};  // "connection", "rights", "version", "files"
  bool passed = false;
  std::string detail{};  // What was found, or what is wrong and what to do about it. Never a credential.
  bool warning = false;  // Passed, but a reader should know.
  /// Why a server could not be reached or logged in to: what is to be done about it is the same for all
  /// systems and is said by who shows the finding.
  std::optional<ErrorCode> unreached{};
};

/// A server that could not be reached or logged in to.
Finding not_connected(const Error& error);

/// One registry line.
struct SystemEntry {
  std::string name{};
  std::string what{};
  bool embedded = true;
  bool native = false;                  // Has the schemas of mode "native".
  std::vector<VariantInfo> variants{};  // The first is what "default" means.
  std::vector<std::string> options{};   // Keys that [systems.NAME.options] may hold.
  std::vector<Mechanism> mechanisms{};
  std::string library{};       // "SQLite 3.40.1", for --version.
  Bytes quantum{4096};         // Step in which its files grow, for the check of a plan's size.
  bool has_files = true;       // False: it keeps nothing on disk (null), so `files` cannot be required of it.
  bool has_engine = true;      // False: it has no figure of its own, so `engine` cannot be required of it.
  std::string password_env{};  // Server: the variable that holds its password unless a plan names another.

  std::optional<Protocol> protocol{};  // Server: what it speaks where it is one of the right kind.

  /// What of a configuration cannot be, whatever the server says: its url and the values of its options, but
  /// not its password. Connects to nothing. Errors: kInvalidArgument whose operation is the plan's key below
  /// [systems.NAME], as "url" or "options.role".
  Status (*check)(const SystemConfig&) = nullptr;

  /// Opens a session: embedded engines open their files (made when missing), servers are connected to.
  /// Errors: kInvalidArgument (variant, option), kRefused (a folder that is not ours), kConnectionLost,
  /// kInUse.
  Result<std::unique_ptr<Session>> (*open)(const SystemConfig&, const CallContext&) = nullptr;

  /// Removes what our runs left in the namespace, the marker last; nothing when there is nothing. Refuses a
  /// namespace without the marker. Afterwards nothing of ours is left.
  Status (*remove)(const SystemConfig&, const CallContext&) = nullptr;

  /// Server: connects, logs in and lets go; writes nothing. Bounded by reach_server.
  Status (*reach)(const SystemConfig&, const CallContext&) = nullptr;

  /// Server: reaches and identifies it and checks version, rights, settings that would spoil a result, whose
  /// namespace ours is, and that `directory` is this server's. Writes nothing. A server that cannot be
  /// reached is a finding that did not pass.
  std::vector<Finding> (*examine)(const SystemConfig&, const CallContext&) = nullptr;

  /// Server: who it is, as its observer says. Writes nothing.
  Result<ServerIdentity> (*identify)(const SystemConfig&, const CallContext&) = nullptr;

  /// Server: what of our runs is in the namespace now, a line each ("schema dedup_lab, 3 tables"); empty
  /// where nothing is. Writes nothing.
  Result<std::vector<std::string>> (*leftovers)(const SystemConfig&, const CallContext&) = nullptr;

  /// Server: the statements of `deduplab setup`; null where there are none.
  Result<std::unique_ptr<Admin>> (*admin)(const SystemConfig&) = nullptr;
};

/// A value that an option cannot have; `why` follows it ("; did you mean 'off'?", ": write 1 to 32"). Made as
/// SystemEntry::check wants it.
Error bad_option(std::string_view option, std::string_view value, std::string_view why);

/// Before anything is written to a server or removed from it: that it is the one that the configuration
/// wants, where it names one. Errors: kRefused with both names; those of asking it.
Status check_identity(const SystemEntry& entry, const SystemConfig& config, const CallContext& call);

/// How long a server that is looked at before, after or without a run may take to be connected and logged in
/// to. One that is there greets within a second or two, also on a loaded host. Behind a port that takes a
/// connection and says nothing there is another protocol, or a server that hangs.
inline constexpr Millis kFirstAnswerLimit{5'000};

/// Before anything else is asked of a server outside of a cell: that it can be reached and logged in to,
/// within kFirstAnswerLimit. Errors: those of `entry.reach`; kUnsupported with what was found where something
/// else answers at the address.
Status reach_server(const SystemEntry& entry, const SystemConfig& config, const CallContext& call);

/// `entry.open` and `entry.remove` of the server that the configuration wants.
Result<std::unique_ptr<Session>> open_session(const SystemEntry& entry, const SystemConfig& config,
                                              const CallContext& call);
Status remove_namespace(const SystemEntry& entry, const SystemConfig& config, const CallContext& call);

/// For `identify`: who the server of a session is, of which nothing but an observer is opened.
Result<ServerIdentity> identity_of(Session& session, const CallContext& call);

/// The systems that are built in, in the order of `deduplab systems`.
using Registry = std::vector<SystemEntry>;
const SystemEntry* find_system(const Registry& registry, std::string_view name);

/// The variant's own name ("default" is the first one's). Errors: kInvalidArgument (variant or option
/// unknown, with the nearest name; no container), kUnsupported (a mode that the system, the variant or the
/// payload does not have).
Result<std::string> resolve_config(const SystemEntry& entry, const SystemConfig& config);

/// The schema of a configuration that resolve_config has passed; null in mode "blob".
const NativeSchema* schema_of(const SystemConfig& config);

}  // namespace lab
