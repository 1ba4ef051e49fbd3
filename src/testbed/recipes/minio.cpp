// An S3 server: MinIO where its program is there, else one that stands in for it and says so.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>

#include "testbed/ask.hpp"
#include "testbed/recipes.hpp"

namespace lab::testbed {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAccessKey = "labaccess";  // The secret key is the password.

/// By the program's name: it decides how the server is started.
Result<Installation> installation_of(const fs::path& program) {
  const std::string name = program.filename().string();
  if (name.starts_with("minio")) return Installation{{{"minio", program}}, {}};
  if (name.starts_with("weed")) return Installation{{{"weed", program}}, "SeaweedFS in place of MinIO"};
  if (name.starts_with("versitygw"))
    return Installation{{{"versitygw", program}}, "VersityGW in place of MinIO"};
  return Error{ErrorCode::kNotFound, "testbed.find",
               program.string() + " is none of minio, weed (SeaweedFS), versitygw"};
}

Result<Installation> find(const ProgramSearch& search) {
  const auto given = search.given.find("minio");
  if (given != search.given.end()) {
    const auto program = find_program(given->second.string());
    return program ? installation_of(*program) : Result<Installation>(program.error());
  }
  if (const auto program = find_program("minio")) return installation_of(*program);
  if (const auto program = search.in_folders("venv/bin/weed")) return installation_of(*program);
  for (const char* name : {"weed", "versitygw"})
    if (const auto program = find_program(name)) return installation_of(*program);
  return Error{ErrorCode::kNotFound, "testbed.find",
               "there is no minio in PATH, and no weed (SeaweedFS) or versitygw that could stand in"};
}

bool is(const Place& place, const char* program) { return place.installation.files.contains(program); }

Status prepare(const Place& place, Preparation& preparation, const CallContext& /*call*/) {
  LAB_TRY(preparation.make_folder("data"));
  if (!is(place, "weed")) return ok();
  return preparation.write(
      "s3.json",
      fmt::format(R"({{"identities":[{{"name":"lab","credentials":[{{"accessKey":"{}","secretKey":"{}"}}],)"
                  R"("actions":["Admin","Read","Write","List","Tagging"]}}]}})",
                  kAccessKey, place.password));
}

Command minio(const Place& place) {
  return {
      .argv = {place.file("minio"), "server", "--quiet", "--address", "127.0.0.1:" + place.port(0),
               "--console-address", "127.0.0.1:" + place.port(1), place.data().string()},
      .environment = {std::string("MINIO_ROOT_USER=") + kAccessKey, "MINIO_ROOT_PASSWORD=" + place.password,
                      "MINIO_UPDATE=off", "MINIO_API_DELETE_CLEANUP_INTERVAL=1s"}};
}

Command versitygw(const Place& place) {
  return {.argv = {place.file("versitygw"), "--port", "127.0.0.1:" + place.port(), "--quiet", "posix",
                   place.data().string()},
          .environment = {std::string("ROOT_ACCESS_KEY=") + kAccessKey, "ROOT_SECRET_KEY=" + place.password}};
}

/// All its ports have to be given: the ones that it takes by itself clash with other servers.
Command weed(const Place& place) {
  constexpr std::array<const char*, 8> kPorts{"s3.port",          "s3.port.grpc",   "master.port",
                                              "master.port.grpc", "volume.port",    "volume.port.grpc",
                                              "filer.port",       "filer.port.grpc"};
  Command server{.argv = {place.file("weed"), "-logtostderr=true", "server", "-s3", "-ip=127.0.0.1",
                          "-ip.bind=127.0.0.1", "-dir=" + place.data().string()}};
  for (std::size_t index = 0; index < kPorts.size(); ++index)
    server.argv.push_back(fmt::format("-{}={}", kPorts[index], place.port(index)));
  // Names of sockets count from the home folder, where it runs. docs/testbed.md says why each of the others.
  server.argv.insert(server.argv.end(),
                     {"-s3.port.iceberg=0", "-s3.port.lance=0",
                      "-s3.config=" + (place.home / "s3.json").string(), "-s3.localSocket=s3.socket",
                      "-filer.localSocket=filer.socket", "-master.volumeSizeLimitMB=1024", "-volume.max=200",
                      "-volume.minFreeSpace=1MiB", "-master.telemetry=false", "-volume.preStopSeconds=0"});
  return server;
}

Command command(const Place& place) {
  if (is(place, "minio")) return minio(place);
  return is(place, "weed") ? weed(place) : versitygw(place);
}

/// Sockets whose place cannot be chosen, named after the gRPC ports.
std::vector<fs::path> litter(const Place& place) {
  std::vector<fs::path> files;
  if (!is(place, "weed")) return files;
  constexpr std::array<const char*, 4> kServers{"s3", "master", "volume", "filer"};
  for (std::size_t index = 0; index < kServers.size(); ++index)
    files.emplace_back(
        fmt::format("/tmp/seaweedfs-{}-grpc-{}.sock", kServers[index], place.port(2 * index + 1)));
  return files;
}

Result<bool> answers(const Place& place, const CallContext& call) {
  if (is(place, "minio")) {
    const auto said = http_get(place.ports[0], "/minio/health/ready", call);
    return said && said->starts_with("200");
  }
  const auto said = http_get(place.ports[0], "/", call);
  if (!said || !(said->starts_with("403") || said->starts_with("200"))) return false;
  if (!is(place, "weed")) return true;
  // Objects need a volume server that the master knows.
  const auto nodes = http_get(place.ports[2], "/dir/status", call);
  return nodes && nodes->starts_with("200") && nodes->find("127.0.0.1:" + place.port(4)) != std::string::npos;
}

}  // namespace

Recipe minio_recipe() {
  return {.name = "minio",
          .ports = 8,
          .stop_limit = Millis{60'000},  // SeaweedFS writes what it has pending, which takes half a minute.
          .find = find,
          .prepare = prepare,
          .command = command,
          .answers = answers,
          .url =
              [](const Place& place) {
                return fmt::format("s3://{}@127.0.0.1:{}?tls=off", kAccessKey, place.port());
              },
          .litter = litter};
}

}  // namespace lab::testbed
