#include "support/nats_server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace martlet::test {
namespace fs = std::filesystem;
namespace {

// What scripts/install unpacked, or the machine's own.
fs::path find_binary() {
  std::vector<fs::path> folders = {fs::path(MARTLET_SOURCE_ROOT) / ".local/servers/bin",
                                   "/usr/sbin", "/usr/bin", "/usr/local/bin", "/usr/local/sbin"};
  std::istringstream path(std::getenv("PATH") != nullptr ? std::getenv("PATH") : "");
  for (std::string folder; std::getline(path, folder, ':');) folders.emplace_back(folder);
  for (const fs::path& folder : folders) {
    if (fs::exists(folder / "nats-server")) return folder / "nats-server";
  }
  throw std::runtime_error("nats-server is not installed: run ./dev install");
}

fs::path make_directory() {
  std::string name = (fs::temp_directory_path() / "martlet-nats-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
  return name;
}

// The port after "nats://127.0.0.1:" in the file that the server writes when it listens.
int read_port(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".ports") continue;
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    const std::string host = "nats://127.0.0.1:";
    const std::size_t at = text.str().find(host);
    if (at != std::string::npos) return std::stoi(text.str().substr(at + host.size()));
  }
  return -1;
}

}  // namespace

NatsServer::NatsServer(std::vector<std::string> settings)
    : directory_(make_directory()), settings_(std::move(settings)) {
  start();
}

NatsServer::~NatsServer() {
  kill();
  fs::remove_all(directory_);
}

std::string NatsServer::url() const {
  return "nats://127.0.0.1:" + std::to_string(port_);
}

void NatsServer::start() {
  const fs::path binary = find_binary();
  const fs::path config = directory_ / "nats.conf";
  const fs::path ports = directory_ / "ports";
  fs::remove_all(ports);
  fs::create_directories(ports);
  {
    std::ofstream out(config);
    out << "listen: \"127.0.0.1:" << port_ << "\"\nports_file_dir: \"" << ports.string()
        << "\"\njetstream { store_dir: \"" << (directory_ / "store").string()
        << "\", max_file_store: 10GB }\n";
    for (const std::string& line : settings_) out << line << '\n';
  }
  const std::string log = (directory_ / "nats.log").string();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(fd, 1);
    ::dup2(fd, 2);
    ::execl(binary.c_str(), "nats-server", "--config", config.c_str(), nullptr);
    ::_exit(127);
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  int port = -1;
  while ((port = read_port(ports)) < 0) {
    if (std::chrono::steady_clock::now() > deadline)
      throw std::runtime_error("nats-server: " + log);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  port_ = port;
}

void NatsServer::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void NatsServer::restart() {
  kill();
  start();
}

void NatsServer::wipe() {
  fs::remove_all(directory_ / "store");
}

void NatsServer::keep_disk() {
  fs::remove_all(directory_ / "kept");
  fs::copy(directory_ / "store", directory_ / "kept", fs::copy_options::recursive);
}

void NatsServer::put_disk_back() {
  wipe();
  fs::copy(directory_ / "kept", directory_ / "store", fs::copy_options::recursive);
}

void NatsServer::pause() {
  ::kill(pid_, SIGSTOP);
}

void NatsServer::resume() {
  ::kill(pid_, SIGCONT);
}

}  // namespace martlet::test
