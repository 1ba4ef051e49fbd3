// A session that a variable has set otherwise (PGOPTIONS="-c synchronous_commit=off") would be measured as if
// the plan had said so. SPDX-License-Identifier: Apache-2.0
#include "cli/library_settings.hpp"

#include "core/outer_environment.hpp"

namespace lab::cli {
namespace {

constexpr const char* kNames[] = {
    // libpq 15, docs, Environment Variables; but for PGPASSWORD and PGPASSFILE.
    "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGCHANNELBINDING", "PGSERVICE",
    "PGSERVICEFILE", "PGSYSCONFDIR", "PGOPTIONS", "PGAPPNAME", "PGSSLMODE", "PGREQUIRESSL",
    "PGSSLCOMPRESSION", "PGSSLCERT", "PGSSLKEY", "PGSSLROOTCERT", "PGSSLCRL", "PGSSLCRLDIR", "PGSSLSNI",
    "PGREQUIREPEER", "PGSSLMINPROTOCOLVERSION", "PGSSLMAXPROTOCOLVERSION", "PGGSSENCMODE", "PGKRBSRVNAME",
    "PGGSSLIB", "PGCONNECT_TIMEOUT", "PGCLIENTENCODING", "PGTARGETSESSIONATTRS", "PGDATESTYLE", "PGTZ",
    "PGGEQO",
    // MariaDB Connector/C 3.3: a password, plug-ins that it loads, and where a server is.
    "MYSQL_PWD", "LIBMYSQL_PLUGINS", "LIBMYSQL_ENABLE_CLEARTEXT_PLUGIN", "MARIADB_PLUGIN_DIR",
    "MARIADB_TLS_DISABLE_PEER_VERIFICATION", "MYSQL_TCP_PORT", "MYSQL_UNIX_PORT", "MARIADB_UNIX_PORT",
    "MYSQL_HOME", "MARIADB_HOME",
    // libcurl writes the keys of its TLS sessions to the file of this name.
    "SSLKEYLOGFILE"};

}  // namespace

void ignore_library_settings() { hide_from_libraries(kNames); }

}  // namespace lab::cli
