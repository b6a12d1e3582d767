#include "client/file_store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "client/journal_lines.h"
#include "client/limits.h"

namespace martlet::client {
namespace {

tl::unexpected<Error> io_error(const std::string& what) {
  return fail(ErrorCode::kInternal, what + ": " + std::strerror(errno));
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

Result<std::unique_ptr<FileStore>> FileStore::open(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return fail(ErrorCode::kInternal, directory + ": " + error.message());
  ::chmod(directory.c_str(), 0700);
  std::unique_ptr<FileStore> store(new FileStore(directory));
  if (Result<void> locked = store->lock(); !locked) return tl::unexpected(locked.error());
  if (Result<void> loaded = store->load(); !loaded) return tl::unexpected(loaded.error());
  if (Result<void> written = store->rewrite(); !written) return tl::unexpected(written.error());
  return store;
}

FileStore::~FileStore() {
  if (fd_ >= 0) ::close(fd_);
  if (lock_fd_ >= 0) ::close(lock_fd_);
}

Result<void> FileStore::lock() {
  const std::string file = directory_ + "/lock";
  lock_fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_fd_ < 0) return io_error(file);
  if (::flock(lock_fd_, LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorCode::kBusy, directory_ + " is in use by another process");
  }
  return {};
}

Result<void> FileStore::load() {
  std::ifstream file(path(), std::ios::binary);
  if (!file) return {};
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::string_view rest = text;
  while (true) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return {};
    if (!journal::apply_line(rest.substr(0, end), memory_)) {
      return fail(ErrorCode::kInternal, path() + " has a line that is not ours");
    }
    rest.remove_prefix(end + 1);
  }
}

Result<void> FileStore::rewrite() {
  const std::string fresh = path() + ".new";
  const std::string lines = journal::snapshot(memory_.state());
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return io_error(fresh);
  if (!write_all(fd, lines) || ::rename(fresh.c_str(), path().c_str()) != 0) {
    const tl::unexpected<Error> error = io_error(fresh);
    ::close(fd);
    return error;
  }
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
  size_ = size_when_rewritten_ = lines.size();
  return {};
}

Result<void> FileStore::forget() {
  memory_ = MemoryStore();
  return rewrite();
}

void FileStore::append(const std::string& line) {
  if (!write_all(fd_, line)) {
    problem_ = path() + ": " + std::strerror(errno);
    // Half a line would spoil the next one.
    if (::ftruncate(fd_, static_cast<off_t>(size_)) != 0) problem_ += " (and it is damaged)";
    return;
  }
  size_ += line.size();
  if (size_ < kJournalRewriteBytes || size_ < 4 * size_when_rewritten_) return;
  if (Result<void> written = rewrite(); !written) problem_ = written.error().detail;
}

void FileStore::set_credentials(Credentials credentials) {
  const std::string line = journal::credentials_line(credentials);
  memory_.set_credentials(std::move(credentials));
  append(line);
}

void FileStore::set_sync_token(Bytes token) {
  const std::string line = journal::token_line(token);
  memory_.set_sync_token(std::move(token));
  append(line);
}

void FileStore::set_cursor(const ConversationId& conversation, Cursor cursor) {
  const std::string line = journal::cursor_line(conversation, cursor);
  memory_.set_cursor(conversation, std::move(cursor));
  append(line);
}

void FileStore::set_shown(const ConversationId& conversation, Seq seq, MessageId id) {
  memory_.set_shown(conversation, seq, id);
  append(journal::shown_line(conversation, seq, id));
}

void FileStore::add_send(const OutgoingMessage& message) {
  memory_.add_send(message);
  append(journal::send_line(message));
}

void FileStore::remove_send(const ClientMsgId& id) {
  memory_.remove_send(id);
  append(journal::sent_line(id));
}

void FileStore::add_change(const OutgoingChange& change) {
  memory_.add_change(change);
  append(journal::change_line(change));
}

void FileStore::remove_change(const ClientMsgId& id) {
  memory_.remove_change(id);
  append(journal::changed_line(id));
}

}  // namespace martlet::client
