// A plan text that names every key, and the words it is read with: what the tests of plans change one thing
// of. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "model/plan_vocabulary.hpp"

namespace lab {

inline Vocabulary test_words() {
  Vocabulary words;
  words.systems = {{.name = "files"},
                   {.name = "cas"},
                   {.name = "sqlite",
                    .native = true,
                    .variants = {"page_4096", "page_65536"},
                    .options = {"page_size", "journal_mode"}},
                   {.name = "rocksdb", .variants = {"plain"}},
                   {.name = "lmdb"}};
  words.payloads_built_in = {"random_binary", "structured_json", "text_document", "uuid_keys"};
  words.payloads_known = {"nasa_image", "github_events"};
  words.payloads_records = {"text_document"};  // As good as any other here.
  return with_known_servers(std::move(words));
}

inline constexpr std::string_view kFullPlan = R"toml(real_world_dir = "/srv/corpora"
[run]
seed = 42
repetitions = 7
order_of_work = "plan"
[dataset]
payloads = ["random_binary", "structured_json", "directory:/data/mail"]
grades = ["U0", "U50", "U90"]
objects = 1024
object_size = ["128 KiB", "uniform:4 KiB:1 MiB", "lognormal:64 KiB:1.5"]
orders = ["shuffled", "adjacent"]
placements = ["within", "across"]
containers = 8
caches = ["warm", "cold"]
modes = ["blob"]
popularity = "zipf:1.2"
duplicate_unit = "object"
[stages]
chains = [["bulk_insert"], ["perfile_insert", "perfile_delete", "maintenance", "refill"]]
update_share = 25
update_content = "same"
verify_full_up_to = "1 GiB"
verify_sample = 500
limit = "2h"
step_limit = "5m"
sample_interval = "200ms"
[settle]
window = "2s"
tolerance = "4 KiB"
limit = "3m"
interval = "50ms"
idle = "4s"
[retry]
max_retries = 2
scope = "system"
delays = ["1s", "1s", "5s"]
reconnect_attempts = 4
reconnect_first = "2s"
reconnect_max = "20s"
reconnect_jitter = 10
[export]
cleanup = "success"
[scan]
chunkers = ["fixed:4096", "fixed:128 KiB", "cdc:8192"]
stages = ["bulk_insert", "maintenance"]
census = false
memory = "64 MiB"
threads = 2
limit = "5m"
[hooks]
restart = ["systemctl", "restart", "{system}", "{system}"]
restart_limit = "90s"
[systems.sqlite]
path = "/data/sqlite"
variants = ["page_65536", "default"]
probes = ["engine", "files"]
max_bytes = "50 GiB"
[systems.sqlite.options]
page_size = 8192
journal_mode = "wal"
[systems.sqlite.commands.pool]
argv = ["zpool", "get", "-Hp"]
limit = "7s"
step = "8 KiB"
lag = "3s"
[systems.sqlite.metrics.pvc]
url = "http://127.0.0.1:9500/metrics"
metric = "size_bytes"
scope = "one copy"
step = "1 MiB"
lag = "70s"
sum = true
age = "45s"
token_file = "/run/secrets/pvc"
[systems.sqlite.metrics.pvc.labels]
replica = "r1"
[systems.postgresql]
url = "postgresql://lab@127.0.0.1:5432/lab"
password_env = "DEDUP_PG_PASSWORD"
variants = ["toast_extended"]
directory = "/var/lib/postgresql/15/main"
identity = "7312"
[systems.files]
)toml";

}  // namespace lab
